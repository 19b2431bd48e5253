internal import JailCore
internal import JailPolicy

/// Commands that run in the jail that asks: what keeps them from whoever asks.
extension Planner {
    /// Adds what the jail's own command does not get, and digests. Changes nothing where no command runs in the jail itself.
    ///
    /// - Parameter abi: of Landlock; nil: there is none, and the profile does without.
    mutating func addInner(_ commands: inout CommandsPlan?, root: RootPlanner, abi: Int32?) throws(JailError) {
        let rules = profile.commands.rules.filter { $0.place == .jail }
        guard let first = rules.first else { return }
        try checkInner(first)
        commands?.checked = checkedPrograms(rules)
        for path in root.openCommands {
            notes.append("commands: '\(path)' is in process.programs as well: no rule binds what the jail does with it")
        }
        guard let abi else {
            notes.append(
                "commands: without Landlock nothing keeps the jail's own command from running what is listed, in any way"
            )
            return
        }
        commands?.withheld = try root.withheld(abi)
        if commands?.withheld?.scoped == false {
            notes.append(
                "commands: before Landlock ABI 6 (Linux 6.12) the jail's own command may signal what is run for it")
        }
    }

    private func checkInner(_ rule: CommandRule) throws(JailError) {
        guard case .minimal = profile.filesystem.root else {
            throw JailError(
                .plan, path: rule.program,
                reason:
                    "a command that runs in the jail itself needs filesystem.root \"minimal\": of a whole tree nothing "
                    + "can be kept from the jail's own command",
                hint: "run it in a jail of its own, with where: { profile: … }")
        }
    }

    private func checkedPrograms(_ rules: [CommandRule]) -> [CheckedProgram] {
        var checked: [CheckedProgram] = []
        for rule in rules {
            guard let digest = rule.digest,
                let program = facts.closure.commandPrograms.first(where: { $0.path == rule.program }),
                !checked.contains(where: { $0.path == program.realPath })
            else { continue }
            let isMounted = facts.closure.files.contains { $0.path == program.realPath }
            checked.append(
                CheckedProgram(
                    path: program.realPath, digest: digest, identity: isMounted ? program.identity : nil))
        }
        return checked
    }
}
