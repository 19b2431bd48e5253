package import JailApprovals
internal import JailCore
internal import JailPolicy

/// What the page asks of the desk, for whoever is logged in. The desk does nothing for anybody else: whose token it is comes
/// with each call, and is looked at each time.
package struct PageCall: Equatable, Sendable {
    package enum Order: Equatable, Sendable {
        /// Whose token it is, and what it may.
        case who
        /// What waits for a decision, and what was granted.
        case queue
        /// Running jails with their figures, what was denied lately, and alerts.
        case jails
        /// Terms: nil: once, or what the first of two has said.
        case approve(jail: String, id: UInt64, ApprovalTerms?, reason: String?)
        case deny(jail: String, id: UInt64, reason: String?)
        case revoke(jail: String, grant: UInt64)
        /// nil: all of them.
        case lockdown(jail: String?, reason: String)
    }

    package let token: String
    package let order: Order

    package init(token: String, _ order: Order) {
        self.token = token
        self.order = order
    }

    /// Bytes of one as it is sent.
    package static let sizeLimit = 16 << 10

    /// - Parameter bytes: of the page, which reads what strangers say: nothing of it is trusted.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit, let value = try? JSON5Reader.read(bytes, file: ""),
            let token = value["token"]?.text, AccessToken.isToken(token),
            let order = value["order"]?.text.flatMap({ Self.order($0, value) })
        else { return nil }
        self.init(token: token, order)
    }

    private static func order(_ word: String, _ value: JSON5Value) -> Order? {
        let jail = value["jail"]?.text
        let id = value["id"]?.integer.flatMap { UInt64(exactly: $0) }
        let reason = value["reason"]?.text
        switch (word, jail, id, reason) {
        case ("who", nil, nil, nil): return .who
        case ("queue", nil, nil, nil): return .queue
        case ("jails", nil, nil, nil): return .jails
        case ("approve", let jail?, let id?, _):
            guard let terms = terms(value["terms"]) else { return nil }
            return .approve(jail: jail, id: id, terms, reason: reason)
        case ("deny", let jail?, let id?, _): return .deny(jail: jail, id: id, reason: reason)
        case ("revoke", let jail?, let id?, nil): return .revoke(jail: jail, grant: id)
        case ("lockdown", _, nil, let reason?): return .lockdown(jail: jail, reason: reason)
        default: return nil
        }
    }

    /// nil: they are none; nil within it: nothing was said.
    private static func terms(_ value: JSON5Value?) -> ApprovalTerms?? {
        guard let value else { return .some(nil) }
        guard case .object(let members) = value.content else { return nil }
        var terms = ApprovalTerms()
        for member in members {
            let number = member.value.integer.flatMap { UInt64(exactly: $0) }
            switch (member.key, number, member.value.text) {
            case ("uses", let number?, nil): terms.uses = number
            case ("milliseconds", let number?, nil): terms.time = number
            case ("below", nil, let text?): terms.below = text
            default: return nil
            }
        }
        return .some(terms)
    }

    package var bytes: [UInt8] {
        var members: [(String, JSON)] = [("token", .string(token))]
        func add(_ word: String, _ more: (String, JSON)..., reason: String? = nil) {
            members += [("order", .string(word))] + more
            if let reason { members.append(("reason", .string(reason))) }
        }
        switch order {
        case .who: add("who")
        case .queue: add("queue")
        case .jails: add("jails")
        case .approve(let jail, let id, let terms, let reason):
            add("approve", ("jail", .string(jail)), ("id", .number(id)), reason: reason)
            if let terms { members.append(("terms", .object(terms.members))) }
        case .deny(let jail, let id, let reason):
            add("deny", ("jail", .string(jail)), ("id", .number(id)), reason: reason)
        case .revoke(let jail, let grant): add("revoke", ("jail", .string(jail)), ("id", .number(grant)))
        case .lockdown(let jail, let reason):
            add("lockdown", reason: reason)
            if let jail { members.append(("jail", .string(jail))) }
        }
        return JSON.object(members).bytes()
    }
}

/// What the desk answers.
package enum PageAnswer: Equatable, Sendable {
    /// JSON, on one line.
    case content([UInt8])
    /// It was not done: why, on one line.
    case refused(String)
    /// This token is not known, has been revoked, or has expired.
    case unknown

    /// Bytes of one as it is sent: of what a hundred jails ask at the same time.
    package static let sizeLimit = 8 << 20

    package init?(_ bytes: [UInt8]) {
        switch bytes.first {
        case 0x2B: self = .content(Array(bytes.dropFirst()))
        case 0x2D: self = .refused(String(decoding: bytes.dropFirst(), as: UTF8.self))
        case 0x3F where bytes.count == 1: self = .unknown
        default: return nil
        }
    }

    package var bytes: [UInt8] {
        switch self {
        case .content(let content): [0x2B] + content
        case .refused(let text): [0x2D] + text.utf8
        case .unknown: [0x3F]
        }
    }
}
