internal import JailCore
internal import JailPolicy

/// Where the commands of a profile run.
extension Planner {
    /// nil: the profile lists none.
    mutating func planCommands() throws(JailError) -> CommandsPlan? {
        guard !profile.commands.isEmpty else { return nil }
        var rules = profile.commands
        var places: [CommandsPlan.Place] = []
        for (index, rule) in rules.rules.enumerated() {
            switch rule.place {
            case .jail:
                if rule.workingDirectory == nil { rules.rules[index].workingDirectory = workingDirectory }
                places.append(.jail)
            case .profile(let name): places.append(.ownJail(try planOwnJail(rule, index, name)))
            case .host(let user): places.append(.host(try planHost(rule, index, user)))
            }
        }
        return CommandsPlan(rules: rules, places: places)
    }

    // MARK: As a user of the host

    private mutating func planHost(
        _ rule: CommandRule, _ index: Int, _ name: String
    ) throws(JailError) -> CommandsPlan.HostPlace {
        let key = "commands[\(index)].where"
        guard let user = facts.commands.users[name] else {
            throw JailError(
                .plan, reason: "\(key) names the user '\(name.printable)', who is not in /etc/passwd",
                hint: "make it with 'useradd --system', or name a user that is there")
        }
        // By its number or another name of it, root is root.
        guard user.identity.uid != 0, user.identity.gid != 0, !user.groups.contains(where: { $0.gid == 0 }) else {
            throw JailError(
                .plan, reason: "\(key) names '\(name.printable)', who is root or in root's group",
                hint: "name an ordinary user, made for this purpose")
        }
        guard facts.caller.isRoot || user.identity.uid == facts.caller.uid else {
            throw JailError(
                .plan,
                reason: "\(key) names '\(name.printable)', and only root can start something as somebody else",
                hint: "start the jail as root, or name yourself")
        }
        guard let program = facts.commands.programs[rule.program],
            let directory = facts.commands.directories[rule.workingDirectory ?? "/"]
        else { throw JailError(.plan, path: rule.program, reason: "\(key): it was not looked for on this host") }
        noteGroups(of: user, key)
        return CommandsPlan.HostPlace(
            user: user, program: program, directory: directory, isOther: user.identity.uid != facts.caller.uid)
    }

    /// Groups that are as good as root, or read what only root should.
    private static let mightyGroups = [
        "admin", "disk", "docker", "incus-admin", "kmem", "libvirt", "lxd", "podman", "root", "shadow",
        "sudo", "wheel",
    ]

    private mutating func noteGroups(of user: HostUser, _ key: String) {
        let mighty = user.groups.map(\.name).filter(Self.mightyGroups.contains)
        guard !mighty.isEmpty else { return }
        let note =
            "\(key): '\(user.identity.name)' is in \(mighty.joined(separator: ", ")), which means much more than one "
            + "command: a user made for this purpose has no such group"
        if !notes.contains(note) { notes.append(note) }
    }

    // MARK: In a jail of its own

    private func planOwnJail(
        _ rule: CommandRule, _ index: Int, _ name: String
    ) throws(JailError) -> CommandsPlan.OwnJail {
        let key = "commands[\(index)].where"
        guard let own = request.commandProfiles[name] else {
            throw JailError(.plan, reason: "\(key) names the profile '\(name.printable)', which was not loaded")
        }
        guard let launcher = facts.commands.launcher else {
            throw JailError(.host, path: "/proc/self/exe", reason: "clawjail does not find itself")
        }
        try check(own, key)
        let workspace = try planWorkspace(rule, own, key)
        var arguments = ["clawjail", "run", "--profile", name]
        if facts.caller.isRoot, own.process.user == nil { arguments += ["--user", facts.payload.name] }
        if let workspace { arguments += ["--workspace", workspace.path] }
        if let directory = rule.workingDirectory { arguments += ["--directory", directory] }
        for variable in rule.environment { arguments += ["--env", "\(variable.name)=\(variable.value)"] }
        var place = CommandsPlan.OwnJail(
            profile: own.name, launcher: launcher.path, identity: launcher.identity, arguments: arguments + ["--"],
            name: Self.jailName(request.gateway.map { "\($0)-\(request.name)" } ?? request.name, rule.name),
            workspace: workspace)
        if case .directory(let root) = own.filesystem.root { place.root = root }
        return place
    }

    /// A jail for one command is there for that command, and makes no further ones.
    private func check(_ own: Profile, _ key: String) throws(JailError) {
        let (problem, remedy): (String, String)
        if !own.commands.isEmpty {
            (problem, remedy) = ("has 'commands' itself", "name a profile without that key")
        } else if own.sessions != nil {
            (problem, remedy) = ("has 'sessions'", "name a profile without that key")
        } else if own.restart.on != .never {
            (problem, remedy) = ("has 'restart', and a command is run once", "name a profile without that key")
        } else if !own.network.publish.isEmpty {
            (problem, remedy) = ("publishes ports, which one jail at a time can have", "name a profile without them")
        } else {
            return
        }
        throw JailError(.plan, reason: "\(key) names the profile '\(own.name)', which \(problem)", hint: remedy)
    }

    /// What the jail that asks has at /workspace, where the command is to run there and its profile leaves open what that is.
    private func planWorkspace(
        _ rule: CommandRule, _ own: Profile, _ key: String
    ) throws(JailError) -> CommandsPlan.Directory? {
        guard let directory = rule.workingDirectory, directory.isInside("/workspace"),
            own.filesystem.workspaceSource == nil, own.filesystem.data?.target != "/workspace"
        else { return nil }
        func refusal(_ reason: String, _ hint: String) -> JailError {
            JailError(.plan, reason: "\(key): \(reason)", hint: hint)
        }
        guard let source = profile.filesystem.workspaceSource else {
            throw refusal(
                "the command runs in '\(directory)', and this jail has no workspace",
                "give one with --workspace, or another workingDirectory")
        }
        let given = profile.filesystem.workspace
        switch own.filesystem.workspace {
        case .none:
            throw refusal(
                "profile '\(own.name)' has no workspace",
                "filesystem: { workspace: \"\(given == .readWrite ? "readWrite" : "readOnly")\" } in it")
        case .review:
            throw refusal(
                "the workspace of profile '\(own.name)' is to be reviewed, which that of one command cannot be",
                "\"readOnly\" or \"readWrite\" in a profile for commands")
        case .readOnly, .readWrite: break
        }
        if given == .review {
            throw refusal(
                "this jail's workspace is to be reviewed: what was changed in it, nobody else sees",
                "take the command out, or run it in this jail")
        }
        // What one may only read, one cannot have written by another.
        if given == .readOnly, own.filesystem.workspace == .readWrite {
            throw refusal(
                "this jail may only read its workspace, and profile '\(own.name)' writes to it",
                "name a profile whose workspace is \"readOnly\"")
        }
        guard let facts = facts.sources[source] else {
            throw JailError(.plan, path: source, reason: "the workspace was not looked at")
        }
        return CommandsPlan.Directory(path: source, identity: facts.identity)
    }

    /// Of a jail for a command: it is unique among those that run by the number behind it, of at most three characters.
    static func jailName(_ jail: String, _ command: String) -> String {
        let whole = "\(jail)-\(command)"
        let bytes = whole.utf8.map { (byte) -> UInt8 in
            switch byte {
            case 0x41...0x5A: byte + 0x20
            case 0x61...0x7A, 0x30...0x39, 0x2D, 0x5F: byte
            default: 0x2D
            }
        }
        let name = String(decoding: bytes, as: UTF8.self)
        guard bytes.count > longestName || name != whole else { return name }
        // FNV-1a: two that look alike when they are cut or spelt otherwise are told apart, as long as nobody wants them not to.
        let hash = whole.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        return "\(name.prefix(longestName - 9))-\(String(repeating: "0", count: 8 - digits.count))\(digits)"
    }

    /// A name has 48 bytes.
    private static let longestName = 44
}
