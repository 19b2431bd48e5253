package import JailCore
package import JailPlan
package import JailPolicy

/// Looks up what commands need that run elsewhere than in the jail which asks for them: users, their programs and directories.
package struct CommandProbe {
    private let profile: Profile
    private let caller: CallerFacts
    private let payload: HostIdentity
    private let accounts: Accounts
    private let stateDirectory: String
    private var tree = HostTree()
    private var facts = CommandFacts()

    private init(
        _ profile: Profile, _ caller: CallerFacts, _ payload: HostIdentity, _ accounts: Accounts,
        stateDirectory: String
    ) {
        self.profile = profile
        self.caller = caller
        self.payload = payload
        self.accounts = accounts
        self.stateDirectory = stateDirectory
    }

    package static func examine(
        _ profile: Profile, caller: CallerFacts, payload: HostIdentity, accounts: Accounts, stateDirectory: String
    ) throws(JailError) -> CommandFacts {
        var probe = CommandProbe(profile, caller, payload, accounts, stateDirectory: stateDirectory)
        for (index, rule) in profile.commands.rules.enumerated() {
            switch rule.place {
            case .jail: break
            case .profile: try probe.addLauncher()
            case .host(let name): try probe.addHost(rule, "commands[\(index)]", name)
            }
        }
        return probe.facts
    }

    private mutating func addLauncher() throws(JailError) {
        guard facts.launcher == nil else { return }
        let (path, identity) = try attempt(.host, "/proc/self/exe") { () throws(SystemError) in
            (
                try System.readLink("/proc/self/exe"),
                try System.status("/proc/self/exe", followSymlink: true).identity
            )
        }
        facts.launcher = LauncherFacts(path: path, identity: identity, isInUsualPlace: false)
    }

    private mutating func addHost(_ rule: CommandRule, _ key: String, _ name: String) throws(JailError) {
        // Whoever is nobody is refused when the plan is made, with all that is said of users.
        guard let user = try user(name) else { return }
        facts.users[name] = user
        var programs = try HostPrograms(
            profile, searchPath: nil, caller: user.identity.uid, payload: payload, stateDirectory: stateDirectory)
        facts.programs[rule.program] = try programs.find(rule.program, key: key)
        let directory = rule.workingDirectory ?? "/"
        guard let found = try tree.resolve(directory), found.status.isDirectory else {
            throw JailError(
                .host, path: directory, reason: "\(key) runs there, and there is no such directory",
                hint: "make it, or name another workingDirectory")
        }
        facts.directories[directory] = found.path
        for root in rule.roots { try check(root: root, key) }
    }

    /// Words are compared with a root as it is written, and what they lead to is looked for below it.
    private mutating func check(root: String, _ key: String) throws(JailError) {
        let furthest = try tree.furthest(root)
        guard furthest != root else { return }
        throw JailError(
            .host, path: root, reason: "\(key) takes paths below it, and a symlink leads from it to '\(furthest)'",
            hint: "write that path")
    }

    private func user(_ name: String) throws(JailError) -> HostUser? {
        if let found = accounts.user(name) {
            return HostUser(identity: found.identity, groups: try groups(of: found), home: found.home)
        }
        // Users from a directory service are not in the file; their own number serves.
        guard !caller.isRoot, name == String(caller.uid) else { return nil }
        return HostUser(
            identity: HostIdentity(name: name, uid: caller.uid, gid: caller.gid), groups: [], home: "/")
    }

    /// For a user that is taken on, what the files say; for the caller, what it has.
    private func groups(of user: Accounts.User) throws(JailError) -> [HostUser.Group] {
        let groups = try Groups()
        guard user.uid == caller.uid else { return groups.supplementary(of: user) }
        return caller.supplementaryGroups.map { gid in
            HostUser.Group(name: groups.name(of: gid) ?? String(gid), gid: gid)
        }
    }
}

extension CommandRule {
    /// Directories that paths among its words lie below.
    fileprivate var roots: [String] {
        (arguments.map(\.shape) + flags.compactMap(\.value)).compactMap { shape in
            if case .below(let root) = shape { root } else { nil }
        }
    }
}
