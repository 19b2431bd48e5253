internal import JailCore
internal import JailPlan
internal import JailPolicy

extension ProgramResolver {
    /// Finds clawjail itself for a jail that asks for sessions, or for placeholders. It is shown under another path than its own; libraries,
    /// if it was built with any, come along under theirs.
    mutating func addLauncher() throws(JailError) {
        guard profile.sessions != nil || profile.process.secretProvider else { return }
        let path = try attempt(.host, "/proc/self/exe") { () throws(SystemError) in
            try System.readLink("/proc/self/exe")
        }
        guard let found = try find(path) else {
            throw JailError(
                .host, path: path,
                reason: "the jail asks for sessions or placeholders with this program, and its user may not execute it",
                hint: "install clawjail where every user can reach it, as 'make install' does")
        }
        if case .directory = profile.filesystem.root {} else { try addElf(found, name: "clawjail") }
        let usual = try tree.resolve(SessionsPlan.usualProgram)
        closure.launcher = LauncherFacts(
            path: found.resolved.path, identity: found.resolved.status.identity,
            isInUsualPlace: usual?.status.kind == .regular && usual?.symlinks.isEmpty == true)
    }
}
