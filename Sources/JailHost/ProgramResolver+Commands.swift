internal import JailCore
internal import JailPlan
internal import JailPolicy

extension ProgramResolver {
    /// Programs of `commands` that run in the jail itself, and all that they need, beside what the jail's own command needs.
    /// Last of all: what is there before is everybody's.
    mutating func addCommands() throws(JailError) {
        let rules = profile.commands.rules.filter { $0.place == .jail }
        guard !rules.isEmpty else { return }
        closure.ownFiles = finish().files
        for rule in rules where !closure.commandPrograms.contains(where: { $0.path == rule.program }) {
            guard let found = try find(rule.program) else { throw lacks(rule) }
            try refuseShellScript(found, of: rule)
            try addProgram(found, name: rule.program, depth: 0)
            closure.commandPrograms.append(
                CommandProgram(
                    path: rule.program, realPath: found.resolved.path, identity: found.resolved.status.identity))
        }
    }

    private func lacks(_ rule: CommandRule) -> JailError {
        JailError(
            .host, path: rule.program,
            reason: "command '\(rule.name)' of profile '\(profile.name.printable)' is not there, or not for the jail's "
                + "user to execute", hint: "install it, or take it out of commands")
    }

    /// `sh` inside reads command lines, and runs no scripts.
    private mutating func refuseShellScript(_ found: FoundProgram, of rule: CommandRule) throws(JailError) {
        let start = try start(of: found.resolved.path, name: rule.program)
        guard let shell = Shebang(start)?.programs.last.map(Paths.lastComponent), Self.shells.contains(shell) else {
            return
        }
        throw JailError(
            .host, path: rule.program,
            reason: "command '\(rule.name)' is a script for '\(shell)', which a jail with commands does not have",
            hint: "run it in a jail of its own, with where: { profile: \"session\" }")
    }
}
