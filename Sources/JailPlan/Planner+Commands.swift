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
        var places: [CommandsPlan.Place] = []
        for (index, rule) in rules.rules.enumerated() { places.append(try place(of: rule, index)) }
        return CommandsPlan(rules: rules, places: places)
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
