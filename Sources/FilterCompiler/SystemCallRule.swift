/// One rule of a filter: a call, what its arguments must be, and what becomes of it then.
///
/// The filters are compiled from these, and ``SystemCallRules/decide(_:_:)`` reads the same.
package struct SystemCallRule: Equatable, Sendable {
    package enum Action: Hashable, Sendable {
        case allow
        case errno(Int32)
    }

    /// As struct scmp_arg_cmp of libseccomp has it. Arguments count from zero.
    package enum Condition: Hashable, Sendable {
        case equal(UInt32, UInt64)
        case greater(UInt32, UInt64)
        case masked(UInt32, mask: UInt64, equals: UInt64)

        func holds(_ arguments: [UInt64]) -> Bool {
            func value(_ index: UInt32) -> UInt64 { index < arguments.count ? arguments[Int(index)] : 0 }
            return switch self {
            case .equal(let index, let wanted): value(index) == wanted
            case .greater(let index, let limit): value(index) > limit
            case .masked(let index, let mask, let wanted): value(index) & mask == wanted
            }
        }

        /// For people: `argument 0 & 0x7E020000 = 0`.
        package var text: String {
            func hex(_ number: UInt64) -> String { number < 10 ? "\(number)" : "0x" + String(number, radix: 16) }
            return switch self {
            case .equal(let index, let wanted): "argument \(index) = \(hex(wanted))"
            case .greater(let index, let limit): "argument \(index) > \(hex(limit))"
            case .masked(let index, let mask, let wanted): "argument \(index) & \(hex(mask)) = \(hex(wanted))"
            }
        }
    }

    package var call: String
    package var action: Action
    /// All of them must hold; none: whatever the arguments are.
    package var conditions: [Condition]

    init(_ action: Action, _ call: String, _ conditions: Condition...) {
        self.call = call
        self.action = action
        self.conditions = conditions
    }
}

/// What a jail's two filters say, before they are compiled.
package struct SystemCallRules: Sendable {
    /// Linux's numbers of errors, the same on both architectures.
    package static let notPermitted: Int32 = 1
    package static let notThere: Int32 = 38
    package static let noFamily: Int32 = 97

    /// The list of what may be called at all. What has no rule gets ``notThere``.
    package let list: [SystemCallRule]
    /// Arguments that no jail may pass. What has no rule is free.
    package let denied: [SystemCallRule]

    /// - Parameters:
    ///   - shell: allows executable memory files.
    ///   - additional: names beyond the list.
    package init(shell: Bool, additional: [String] = []) {
        list = Self.list(shell: shell, additional: additional)
        denied = Self.denied
    }

    /// What the filters answer to a call. Of two errors the list's counts: the kernel asks it first, as the last one that
    /// was installed, see seccomp(2).
    package func decide(_ call: String, _ arguments: [UInt64]) -> SystemCallRule.Action {
        let byList = Self.answer(of: list, call, arguments) ?? .errno(Self.notThere)
        guard byList == .allow else { return byList }
        return Self.answer(of: denied, call, arguments) ?? .allow
    }

    /// A rule without conditions stands over those with some, as in libseccomp.
    private static func answer(
        of rules: [SystemCallRule], _ call: String, _ arguments: [UInt64]
    ) -> SystemCallRule.Action? {
        let own = rules.filter { $0.call == call }
        let rule =
            own.first(where: \.conditions.isEmpty)
            ?? own.first { $0.conditions.allSatisfy { $0.holds(arguments) } }
        return rule?.action
    }
}
