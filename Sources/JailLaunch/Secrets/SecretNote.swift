internal import JailCore
internal import JailPolicy

/// What somebody has done with a secret of the store, for the jails that run and bind it: they read it anew.
package struct SecretNote: Equatable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        case set, generate, rotate, remove
        /// Nothing was changed by clawjail; other places are asked once more.
        case reload
    }

    package let action: Action
    /// nil: every one that the jail binds.
    package let name: String?
    /// As people know them.
    package let who: String

    private static let longestWho = 200

    package init(_ action: Action, _ name: String?, who: String) {
        self.action = action
        self.name = name
        self.who = String(who.printable.prefix(Self.longestWho))
    }

    /// nil: it is none. Whoever sent it is not trusted.
    init?(bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].count <= 4 * Self.longestWho,
            let action = Action(rawValue: String(decoding: parts[0], as: UTF8.self))
        else { return nil }
        let name = String(decoding: parts[1], as: UTF8.self)
        guard name.isEmpty ? action == .reload : (try? Name.checkSecret(name)) != nil else { return nil }
        self.init(action, name.isEmpty ? nil : name, who: String(decoding: parts[2], as: UTF8.self))
    }

    var bytes: [UInt8] { Array(action.rawValue.utf8) + [0] + Array((name ?? "").utf8) + [0] + Array(who.utf8) }

    /// For the log. `outcome`: what has become of it in the jail.
    func event(_ name: String, _ outcome: String, uid: UInt32?, message: String? = nil) -> JSON {
        var members: [(String, JSON)] = [
            ("event", "secret"), ("action", .string(action.rawValue)), ("secretName", .string(name)),
            ("outcome", .string(outcome)), ("who", .string(who)), ("uid", uid.map { .number($0) } ?? .null),
        ]
        if let message { members.append(("message", .string(message))) }
        return .object(members)
    }
}
