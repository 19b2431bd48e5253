internal import JailCore
internal import JailPolicy

extension Planner {
    /// nil: the profile lists none.
    func planCommands() throws(JailError) -> CommandsPlan? {
        guard !profile.commands.isEmpty else { return nil }
        var rules = profile.commands
        for index in rules.rules.indices where rules.rules[index].workingDirectory == nil {
            rules.rules[index].workingDirectory = workingDirectory
        }
        try checkAsking(rules)
        var places: [CommandsPlan.Place] = []
        for (index, rule) in rules.rules.enumerated() { places.append(try place(of: rule, index)) }
        return CommandsPlan(rules: rules, places: places)
    }

    /// A rule that asks, and nobody who is asked, would be a rule that allows nothing.
    private func checkAsking(_ rules: CommandRules) throws(JailError) {
        guard let index = rules.rules.firstIndex(where: \.asks), profile.approvals?.ask.contains(.command) != true
        else { return }
        throw JailError(
            .plan,
            reason: "commands[\(index)] asks a person about every call, and the profile lets nobody be asked about commands",
            hint: "approvals: { ask: [\"command\"] }, or ask: false")
    }

    private func place(of rule: CommandRule, _ index: Int) throws(JailError) -> CommandsPlan.Place {
        switch rule.place {
        case .jail: return .jail
        case .profile, .host:
            throw JailError(
                .plan, reason: "commands[\(index)]: nothing runs '\(rule.name)' outside of the jail yet",
                hint: "where: \"jail\"")
        }
    }
}
