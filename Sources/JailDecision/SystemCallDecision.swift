internal import FilterCompiler
internal import JailCore
package import JailPolicy

/// What a jail's filters answer to a system call, by the tables that they are compiled from.
package struct SystemCallDecision: Equatable, Sendable {
    package var decision: Decision
    /// On the architecture that this program runs on; nil: it has none of that name.
    package var number: Int32?
    /// Arguments with which it is allowed, or refused: for people.
    package var rules: [String] = []

    /// - Parameters:
    ///   - call: the kernel's name for it, see syscalls(2).
    ///   - argument: of ioctl the request, of clone and unshare the flags, of socket the family, of prctl the option, by
    ///     the header's name; nil: as such.
    package static func decide(_ call: String, _ argument: String? = nil, of profile: Profile) -> SystemCallDecision {
        decide(call, argument, shell: profile.process.shell, additional: profile.process.systemCalls)
    }

    package static func decide(
        _ call: String, _ argument: String? = nil, shell: Bool, additional: [String]
    ) -> SystemCallDecision {
        guard let number = FilterCompiler.number(of: call) else {
            return SystemCallDecision(
                decision: .denied(
                    "this architecture has no call of that name", .notImplemented, obstacle: "there is none"))
        }
        let rules = SystemCallRules(shell: shell, additional: additional)
        var result: SystemCallDecision
        if let argument, let values = ArgumentNames.values(call, argument) {
            result = SystemCallDecision(decision: answer(rules, call, values, shell, additional))
        } else {
            result = SystemCallDecision(decision: answer(rules, call, [], shell, additional))
            result.rules = texts(rules, call)
            if !result.rules.isEmpty { result.decision.notes.append("it depends on its arguments") }
        }
        result.number = number
        if result.decision.change != nil, let risk = SystemCallRisks.risk(call) { result.decision.notes.append(risk) }
        return result
    }

    /// Whether there is anything that is allowed, where no arguments are given.
    private static func answer(
        _ rules: SystemCallRules, _ call: String, _ arguments: [UInt64], _ shell: Bool, _ additional: [String]
    ) -> Decision {
        let action =
            arguments.isEmpty ? bestAction(rules, call) : rules.decide(call, arguments)
        switch action {
        case .allow:
            let isAdded = additional.contains(call)
            return .allowed(
                isAdded ? "the profile adds it" : "it is in the list of every jail",
                by: isAdded ? ProfileSource("process.systemCalls", call) : nil)
        case .errno(let code):
            let reason = "the filter refuses it"
            guard isRemediable(call, arguments, shell) else {
                return .denied(reason, Errno(code), obstacle: "it is refused in every profile")
            }
            if let forShell = shellChange(call, arguments, shell, additional) {
                return .denied(reason, Errno(code), change: forShell)
            }
            return .denied(
                reason, Errno(code),
                change: ProfileChange(key: "process.systemCalls", value: "\"\(call)\"", isElement: true))
        }
    }

    /// Allowed if any argument is.
    private static func bestAction(_ rules: SystemCallRules, _ call: String) -> SystemCallRule.Action {
        if rules.list.contains(where: { $0.call == call && $0.action == .allow }) {
            let refusal = rules.denied.first { $0.call == call && $0.conditions.isEmpty }
            return refusal?.action ?? .allow
        }
        return rules.decide(call, [])
    }

    /// What the second filter refuses, no profile can add.
    private static func isRemediable(_ call: String, _ arguments: [UInt64], _ shell: Bool) -> Bool {
        let added = SystemCallRules(shell: shell, additional: [call])
        let action = arguments.isEmpty ? bestAction(added, call) : added.decide(call, arguments)
        return action == .allow
    }

    private static func shellChange(
        _ call: String, _ arguments: [UInt64], _ shell: Bool, _ additional: [String]
    ) -> ProfileChange? {
        guard !shell, ["memfd_create", "execveat"].contains(call) else { return nil }
        return ProfileChange(key: "process.shell", value: "true", isElement: false)
    }

    private static func texts(_ rules: SystemCallRules, _ call: String) -> [String] {
        let own = (rules.list + rules.denied).filter { $0.call == call }
        guard !rules.list.contains(where: { $0.call == call && $0.conditions.isEmpty && $0.action != .allow }) else {
            return []
        }
        let isFree = rules.list.contains { $0.call == call && $0.conditions.isEmpty }
        return own.filter { !$0.conditions.isEmpty && !(isFree && rules.list.contains($0)) }.map { rule in
            let conditions = rule.conditions.map(\.text).joined(separator: " and ")
            return switch rule.action {
            case .allow: "allowed with \(conditions)"
            case .errno(let code): "refused with \(conditions): \(Errno(code))"
            }
        }
    }
}
