internal import JailPolicy

/// What a person may be asked about.
extension CommandPolicy {
    /// What somebody's yes would run; nil: it is allowed without one, or nobody is asked about it.
    ///
    /// Two cases: a rule with `ask` allows it, and wants somebody to see each call; or no rule allows it, but one names its program.
    /// Then it runs as that rule says: there, in its directory, with its environment and limits. What is denied is not asked about,
    /// nor what no rule could allow, nor a program that no rule names.
    ///
    /// - Parameter unlisted: the second case is asked about as well: `approvals.ask` has `"commands"`.
    package func approvable(_ vector: [String], unlisted: Bool) -> CommandGrant? {
        switch decide(vector) {
        case .allow(let grant): return grant.rule.asks ? grant : nil
        case .deny(let denial):
            guard unlisted, denial.kind == .unlisted, let index = denial.nearest else { return nil }
            return CommandGrant(rule: rules.rules[index], index: index, arguments: Array(vector.dropFirst()))
        }
    }
}
