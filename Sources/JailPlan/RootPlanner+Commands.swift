internal import JailCore
internal import JailPolicy

/// What stands inside for commands: a stub under each name, one for `sh`, and the socket that they ask at.
extension RootPlanner {
    /// Where programs that are not the distribution's are looked for, and before the distribution's.
    private static let usualDirectory = "/usr/local/bin"
    /// Of the jail's own in any case.
    private static let ownDirectory = "/run/clawjail/bin"

    mutating func addCommands() throws(JailError) {
        guard !profile.commands.isEmpty else { return }
        let facts = self.facts.stub ?? OwnProgramFacts(path: CommandsPlan.stubProgram, file: nil)
        let identity = try facts.checked(
            "what stands for commands inside", need: "lists commands", caller: self.facts.caller)
        let names = profile.commands.names + CommandRule.shells
        let usual = names.map { "\(Self.usualDirectory)/\($0)" }
        // All of them in one directory, which PATH begins with.
        let isTaken = usual.contains { made.contains($0) || isBelowBound($0) }
        let paths = isTaken ? names.map { "\(Self.ownDirectory)/\($0)" } : usual
        for path in paths + [try shellPath()] where !stubs.contains(path) {
            addBind(
                source: facts.path, target: path, identity: identity, isDirectory: false,
                attributes: [.readOnly, .noSetuid, .noDevices], purpose: .program)
            landlockRules.append(.init(path: path, access: .execute))
            stubs.append(path)
        }
        addParents(of: CommandsPlan.socket)
        add(.socket(path: CommandsPlan.socket))
    }

    /// `/bin/sh`, where programs look for a shell without asking PATH.
    ///
    /// - Throws: a shell, or a directory of the host's, is there. Who has that has all commands that there are.
    private func shellPath() throws(JailError) -> String {
        let bin = steps.contains { if case .symlink("/bin", "usr/bin") = $0 { true } else { false } }
        let path = bin ? "/usr/bin/sh" : "/bin/sh"
        if isBelowBound(path) {
            throw JailError(
                .plan, path: path,
                reason:
                    "the profile lists commands, and shows a directory with programs of the host's, of which a list "
                    + "binds nobody",
                hint: "filesystem: { root: \"minimal\" }, and programs by name instead of by directory")
        }
        if made.contains(path) {
            throw JailError(
                .plan, path: path,
                reason: "the profile lists commands, and shows a shell, which runs others as well",
                hint: "take it out of process.programs, or take 'commands' out of the profile")
        }
        return path
    }
}
