internal import Glibc
internal import JailCore
internal import JailPlan
internal import JailPolicy
internal import JailPrivileges

/// The process that becomes the command, from its fork to its execve.
struct CommandChild {
    let start: CommandStart
    /// Its standard descriptors.
    let streams: [Descriptor]
    /// Where it says why it did not begin, if it does not: a status, a space and a sentence.
    let report: Descriptor
    /// Its parent.
    let keeper: Int32

    /// Files that a command may have open, as a login gives it.
    private static let openFiles: UInt64 = 4096
    private static let searchPath = "/usr/local/bin:/usr/bin:/bin"

    func run() -> Never {
        var report = report
        do throws(CommandFailure) {
            try CommandStart.step { () throws(SystemError) in
                try ForkedProcess.keep([report], standard: streams)
                report = Descriptor(3)
                try System.newSession()
                if start.terminal != nil { try System.setControllingTerminal(.standardInput) }
                try System.resetSignals()
            }
            switch start.place {
            case .jail: throw CommandFailure("it runs in the jail, and not outside")
            case .host(let place): try execute(as: place)
            case .ownJail(let place): try execute(in: place)
            }
        } catch {
            // Nobody to tell if this fails; the keeper then sees the end.
            try? System.writeAll(report, "\(error.status) \(error.reason)")
            System.exitNow(error.status)
        }
    }

    /// Whoever has started this must not be gone already.
    private func dieWithKeeper() throws(SystemError) {
        try System.dieWithParent()
        guard System.parentProcessID == keeper else { throw SystemError(.check, .noProcess) }
    }

    // MARK: As a user of the host

    private func execute(as place: CommandsPlan.HostPlace) throws(CommandFailure) -> Never {
        try CommandStart.step { () throws(SystemError) in
            System.setFileModeMask(0o022)
            try System.resetScheduling()
            try System.joinAnonymousSessionKeyring()
            // While there may be the right to it.
            try Privileges.apply([
                .init(resource: .core, value: 0), .init(resource: .openFiles, value: Self.openFiles),
                .init(resource: .realtimePriority, value: 0), .init(resource: .nice, value: 0),
            ])
            if place.isOther {
                try Privileges.become(place.user.identity, groups: place.user.groups.map(\.gid))
            } else {
                guard System.effectiveUserID == place.user.identity.uid, System.effectiveUserID != 0 else {
                    throw SystemError(.check, .notPermitted)
                }
                try Privileges.keepOnly([])
            }
            try Privileges.forbidNewPrivileges()
            // A change of ids has cleared it.
            try dieWithKeeper()
        }
        // From here on with the user's rights: what that may not reach, the command does not get.
        try CommandStart.step(place.directory) { () throws(SystemError) in
            let directory = try System.open(
                place.directory, [.pathOnly, .directory], resolve: [.noSymlinks, .noMagicLinks])
            try System.changeDirectory(directory.borrowed)
        }
        try CommandPaths(start.rule).check(start.words)
        let program = try CommandProgram(place.program, user: place.user.identity.uid, digest: start.rule.digest)
        try program.execute([start.rule.name] + start.words, environment: environment(of: place.user))
    }

    /// Nothing of the caller's, and nothing of this process's.
    private func environment(of user: HostUser) -> [String] {
        var variables = [
            ("PATH", Self.searchPath), ("HOME", user.home), ("USER", user.identity.name),
            ("LOGNAME", user.identity.name), ("LANG", "C.UTF-8"),
        ]
        if start.terminal != nil { variables.append(("TERM", Self.terminalType)) }
        for variable in start.rule.environment {
            variables.removeAll { $0.0 == variable.name }
            variables.append((variable.name, variable.value))
        }
        return variables.map { "\($0.0)=\($0.1)" }
    }

    /// What the caller's terminal is, only the caller says.
    private static let terminalType = "xterm"

    // MARK: In a jail of its own

    /// Of whoever has started the jail that asks: by these clawjail finds profiles, state, and a manager for groups.
    private static let passed = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS", "CREDENTIALS_DIRECTORY",
    ]

    private func execute(in place: CommandsPlan.OwnJail) throws(CommandFailure) -> Never {
        try CommandStart.step { () throws(SystemError) in try dieWithKeeper() }
        if let workspace = place.workspace { try check(workspace) }
        if let digest = start.rule.digest { try CommandProgram.check(start.rule.program, below: place.root, digest) }
        var arguments = place.arguments
        let own = ["--name", place.jailName(start.slot)] + (start.terminal == nil ? [] : ["--tty"])
        // Behind its own name and that of the subcommand.
        arguments.insert(contentsOf: own, at: min(2, arguments.count))
        arguments += [start.rule.program] + start.words
        var environment = System.environment().filter { Self.passed.contains($0.name) }.map { "\($0.name)=\($0.value)" }
        if start.terminal != nil { environment.append("TERM=\(Self.terminalType)") }
        try CommandProgram(launcher: place.launcher, identity: place.identity)
            .execute(arguments, environment: environment)
    }

    /// The runner has held it open since before the jail began: its number is no other directory's.
    private func check(_ workspace: CommandsPlan.Directory) throws(CommandFailure) {
        let identity = try CommandStart.step(workspace.path) { () throws(SystemError) in
            let directory = try System.open(
                workspace.path, [.pathOnly, .directory], resolve: [.noSymlinks, .noMagicLinks])
            return try System.status(of: directory.borrowed).identity
        }
        guard identity == workspace.identity else {
            throw CommandFailure("the workspace is another directory than when the jail was started")
        }
    }
}
