package import JailCore
package import JailPolicy

/// What the caller asks for, besides profile and host.
package struct LaunchRequest: Equatable, Sendable {
    package var name: String
    /// The command's arguments, the program's name first; empty: a jail that waits for what is executed in it.
    package var arguments: [String]
    package var terminal = false
    /// The next jail of the same kind has the same name.
    package var isNamed = true
    package var session: SessionPlan?
    /// Of the caller; only what the profile passes on is taken from it.
    package var environment: [EnvironmentVariable] = []
    /// Shown as /proc/sys/kernel/random/boot_id inside.
    package var bootID: String
    /// The jail that has this one made, if one has. Names of its sessions are its own.
    package var gateway: String?
    /// The one that the profile's `sessions` names, loaded.
    package var sessionProfile: Profile?
    /// Those that `commands[].where` names, loaded, by the name there.
    package var commandProfiles: [String: Profile] = [:]
    /// Of the jails that share one process for their ways out; nil: this one has its own.
    package var egressGroup: String?
    /// What models cost, for a profile that limits what may be spent.
    package var prices: PriceTable?

    package init(name: String, arguments: [String], bootID: String) {
        self.name = name
        self.arguments = arguments
        self.bootID = bootID
    }
}

/// Profile + host facts → plan. Pure: the same input gives the same plan.
package struct Planner {
    let profile: Profile
    let facts: HostFacts
    let request: LaunchRequest
    var leftOut: [LeftOut] = []
    var notes: [String] = []

    package static func plan(
        _ profile: Profile, on facts: HostFacts, for request: LaunchRequest
    ) throws(JailError) -> LaunchPlan {
        var planner = Planner(profile: profile, facts: facts, request: request)
        return try planner.make()
    }

    private mutating func make() throws(JailError) -> LaunchPlan {
        guard JailName.isValid(request.name) else {
            throw JailError(
                .plan, reason: "'\(request.name.printable)' is not a name for a jail",
                hint: "use up to 48 of a-z, 0-9, '-' and '_', starting with a letter or digit")
        }
        if let gateway = request.gateway, !JailName.isValid(gateway) {
            throw JailError(.plan, reason: "'\(gateway.printable)' is not a name of a jail")
        }
        // What serves a jail's sessions would serve the jail as well.
        if profile.sessions != nil, request.egressGroup == request.name {
            throw JailError(
                .usage, reason: "--egress-group is the jail's own name, which its sessions have for a group",
                hint: "name another group")
        }
        try checkToken()
        let identity = try planIdentity()
        let data = try planData()
        let walls = try landlockABI()
        let egress = try EgressPlanner(
            profile: profile, facts: facts, groups: identity.groups, landlockABI: walls, group: request.egressGroup,
            prices: request.prices, ledger: "\(facts.stateDirectory)/\(LaunchPlan.spendDirectory)/\(fileName).json"
        ).plan()
        let review = try planReview()
        var commands = try planCommands()
        var root = RootPlanner(
            profile: profile, facts: facts, request: request, data: data, review: review, egress: egress)
        let mounts = try root.make()
        commands?.stubs = root.stubs
        if commands != nil { try addInner(&commands, root: root, abi: walls) }
        let sessions = try planSessions(root, mounts, data)
        let landlock = planLandlock(root, walls)
        let cgroup = try planCgroup()
        let time = try planTimeNamespace()
        let appArmor = try planAppArmor()
        notes += facts.closure.notes
        for missing in facts.closure.missing { notes.append("'\(missing)' is not installed on this host") }
        if let egress, egress.trust == nil {
            notes.append("this host has no trusted CA certificates: nothing outside can be reached by HTTPS")
        }
        notes += NetworkPolicy(profile.network).notes
        let alerts = try planAlerts()
        if !profile.canaries.isEmpty, alerts?.watches(.canary) != true {
            notes.append("canaries: no rule of alerts watches them: one that is seen goes to the log alone")
        }
        if profile.process.shell, profile.hasWayOut, profile.filesystem.writesToHost {
            notes.append(
                "a shell, a way out and a directory of the host's to write to: whoever can talk the agent into a command has all "
                    + "three; for staging only")
        }
        for port in profile.network.publish where port.hostAddress != 0x7F00_0001 {
            notes.append("port \(port.hostPort) is published beyond 127.0.0.1: whoever reaches this host reaches it")
        }
        return LaunchPlan(
            name: request.name,
            gateway: request.gateway,
            profile: profile.name,
            profileFiles: profile.files,
            command: planCommand(egress, trustFiles: root.trustFiles, sessions, commands),
            identity: identity,
            namespaces: NamespacePlan(time: time, hostName: profile.process.hostName),
            mounts: mounts,
            limits: LimitPlan(resources: planResources(cgroup), cgroup: cgroup),
            landlock: landlock,
            access: root.landlockRules,
            appArmor: appArmor,
            seccomp: SeccompPlan(
                variant: profile.process.shell ? .shell : .strict, additional: profile.process.systemCalls),
            selfTest: profile.process.selfTest,
            network: NetworkPlan(publish: try publishedPorts(), egress: egress),
            data: data,
            review: review,
            sessions: sessions,
            session: request.session,
            // A jail that waits for commands has nothing in it that could be asked.
            health: request.arguments.isEmpty ? nil : profile.health,
            // One that another jail has made ends with that; one without a command is not there to do something.
            restart: request.arguments.isEmpty || request.gateway != nil || profile.restart.on == .never
                ? nil : profile.restart,
            audit: try planAudit(),
            alerts: alerts,
            canaries: root.canaries,
            approvals: try ApprovalsPlan.make(profile, facts),
            commands: commands,
            leftOut: leftOut,
            notes: notes,
            stopGrace: profile.process.stopGrace,
            runtimeDirectory: request.gateway.map { "\(facts.runtimeDirectory)/\($0)/sessions" }
                ?? facts.runtimeDirectory,
            stateDirectory: facts.stateDirectory)
    }

    /// Of what belongs to the jail where all jails' lie side by side. No name has a dot in it.
    private var fileName: String { request.gateway.map { "\($0).\(request.name)" } ?? request.name }

    /// Beside one another as the run directories are: that of a session below the jail's that has it made.
    private func planAudit() throws(JailError) -> AuditPlan {
        let base = "\(facts.stateDirectory)/audit"
        var plan = AuditPlan(
            directory: request.gateway.map { "\(base)/\($0)/sessions/\(request.name)" } ?? "\(base)/\(request.name)",
            rules: profile.audit, headFile: facts.caller.isRoot ? "\(base)/heads" : nil)
        for (key, words) in profile.audit.namedAnchors {
            guard let path = facts.programs[words[0]] else {
                throw JailError(
                    .plan, path: words[0], reason: "\(key) needs it, and it was not looked for on this host")
            }
            plan.anchors.append(HostCommandPlan(purpose: key, path: path, arguments: words))
        }
        return plan
    }

    private mutating func planAlerts() throws(JailError) -> AlertsPlan? {
        guard let rules = profile.alerts else { return nil }
        notes += rules.notes(for: profile)
        if request.terminal, rules.all.contains(where: { $0.watch == .stderr }) {
            notes.append("alerts.rules: standard error is not watched: with a terminal of its own the command has none")
        }
        // What was learned under a name that nobody will use again is of no use to anybody.
        let name = request.isNamed && request.session == nil ? fileName : profile.name
        return try AlertsPlanner(rules: rules, programs: facts.programs).plan(
            baseline: "\(facts.stateDirectory)/baselines/\(name).json")
    }

    // MARK: Who

    private mutating func planIdentity() throws(JailError) -> IdentityPlan {
        var groups = facts.groups
        if case .impossible(let reason) = groups {
            try leaveOut(.groups, reason: reason)
            groups = .notNeeded
        }
        guard facts.payload.uid != 0, facts.payload.gid != 0 else {
            throw JailError(
                .plan, reason: "the payload would be root on the host",
                hint: "name another user: --user NAME, or process: { user: \"NAME\" } in the profile")
        }
        return IdentityPlan(
            host: facts.payload, inside: profile.process.inside, startedByRoot: facts.caller.isRoot, groups: groups)
    }

    // MARK: What

    private func planSessions(
        _ root: RootPlanner, _ mounts: [MountStep], _ data: DataPlan?
    ) throws(JailError) -> SessionsPlan? {
        guard let rules = profile.sessions, let program = root.launcher else { return nil }
        return try SessionsPlanner(
            rules: rules, profile: request.sessionProfile, mounts: mounts, data: data, program: program
        ).plan()
    }

    private func planCommand(
        _ egress: EgressPlan?, trustFiles: [TrustFile: String], _ sessions: SessionsPlan?, _ commands: CommandsPlan?
    ) -> CommandPlan {
        let inside = profile.process.inside
        var variables: [EnvironmentVariable] = [
            EnvironmentVariable(name: "PATH", value: searchPath(sessions, commands)),
            EnvironmentVariable(name: "HOME", value: inside.home),
            EnvironmentVariable(name: "USER", value: inside.user),
            EnvironmentVariable(name: "LOGNAME", value: inside.user),
        ]
        if request.terminal, let term = request.environment.first(where: { $0.name == "TERM" }) {
            variables.append(term)
        }
        if let egress { variables += egress.environment(trustFiles) }
        for name in profile.process.passEnvironment where !(hasToken && name == NetworkPlan.tokenVariable) {
            if let passed = request.environment.first(where: { $0.name == name }) { variables.replace(passed) }
        }
        for variable in profile.process.environment { variables.replace(variable) }
        return CommandPlan(
            path: facts.closure.commandPath,
            root: facts.closure.commandRoot,
            interpreters: facts.closure.commandInterpreters,
            arguments: request.arguments.isEmpty ? [] : [request.arguments[0]] + facts.closure.commandArguments,
            environment: variables.map { "\($0.name)=\($0.value)" },
            workingDirectory: workingDirectory,
            terminal: request.terminal)
    }

    /// Of the jail's own command, and of those whose rules say nothing else.
    var workingDirectory: String {
        profile.process.workingDirectory
            ?? (profile.filesystem.data?.target ?? (profile.filesystem.workspaceSource == nil ? nil : "/workspace")
                ?? "/")
    }

    /// Nobody is to log in to a jail that looks like the page to decide on.
    private func publishedPorts() throws(JailError) -> [PublishedPort] {
        if let port = profile.network.publish.first(where: { PagePorts.contains($0.hostPort) }) {
            throw JailError(
                .plan, reason: "port \(port.hostPort) of the host is kept for 'clawjail approvals serve'",
                hint: "publish it at another one than \(PagePorts.text)")
        }
        return profile.network.publish
    }

    private var hasToken: Bool { profile.network.publish.contains { $0.token != nil } }

    /// A value of the profile's own would be the real token, or one that no port takes. The caller's is not passed on.
    private func checkToken() throws(JailError) {
        let variable = NetworkPlan.tokenVariable
        guard hasToken,
            profile.process.environment.contains(where: { $0.name == variable })
                || profile.secrets.variables.contains(where: { $0.variable == variable })
        else { return }
        throw JailError(
            .plan, reason: "a port is published with a token, of which \(variable) will be a placeholder",
            hint: "take \(variable) out of process.environment and secrets")
    }

    /// The directories that programs are in, the usual ones first; nothing from the caller's PATH but these. Before all of
    /// them that of the stubs, or a program would be found in the place of its command.
    private func searchPath(_ sessions: SessionsPlan?, _ commands: CommandsPlan?) -> String {
        var directories = commands?.stubs.first.map { [$0.parentPath] } ?? []
        for usual in ["/usr/local/bin", "/usr/bin", "/bin"] where !directories.contains(usual) {
            directories.append(usual)
        }
        for program in facts.closure.programs.map(\.path) + (sessions.map { [$0.program] } ?? []) {
            let directory = program.parentPath
            if !directories.contains(directory) { directories.append(directory) }
        }
        return directories.joined(separator: ":")
    }

    // MARK: How much

    private func planResources(_ cgroup: CgroupPlan?) -> [LimitPlan.Entry] {
        let limits = profile.limits
        var entries = [
            LimitPlan.Entry(resource: .core, value: 0),
            LimitPlan.Entry(resource: .openFiles, value: limits.openFiles),
            LimitPlan.Entry(resource: .realtimePriority, value: 0),
            // Zero in the kernel's encoding, 20 - N, is the nicest: a process can only make itself nicer.
            LimitPlan.Entry(resource: .nice, value: 0),
        ]
        if let size = limits.fileSize { entries.append(.init(resource: .fileSize, value: size)) }
        if let processes = limits.processes {
            // It counts init as well. Beside a cgroup it is the second wall, and stands a little behind: the cgroup's
            // limit is the one that tells when it was reached.
            entries.append(.init(resource: .processes, value: processes + (cgroup?.processes == nil ? 1 : 16)))
        }
        return entries
    }

    private mutating func planCgroup() throws(JailError) -> CgroupPlan? {
        let limits = profile.limits
        guard limits.memory != nil || limits.processes != nil || limits.milliCPUs != nil else { return nil }
        var needed: [CgroupPlan.Controller] = []
        if limits.memory != nil { needed.append(.memory) }
        if limits.processes != nil { needed.append(.pids) }
        if limits.milliCPUs != nil { needed.append(.cpu) }
        if let memory = limits.memory, facts.memory > 0, memory > facts.memory {
            throw JailError(
                .plan,
                reason: "limits.memory is \(ByteCount.text(memory)), and the host has \(ByteCount.text(facts.memory))",
                hint: "give less")
        }
        if let cpus = limits.milliCPUs, cpus > UInt64(facts.processors) * 1000 {
            notes.append("limits.cpus is more than the host's \(facts.processors) processors, and so no limit")
        }
        let place: CgroupPlan.Place
        switch facts.cgroup {
        case .unavailable(let reason):
            try leaveOut(.cgroup, reason: reason)
            return nil
        case .v2(let directory, let controllers):
            if let missing = Self.missing(needed, controllers) {
                try leaveOut(.cgroup, reason: "\(missing) not delegated to \(directory)")
                return nil
            }
            place = .v2(parent: directory)
        case .scope(let offer):
            if let missing = Self.missing(needed, offer.controllers) {
                try leaveOut(.cgroup, reason: "\(missing) not delegated to the \(offer.manager) service manager")
                return nil
            }
            place = .scope(
                ScopePlan(
                    manager: offer.manager, socket: offer.socket, prefix: "clawjail-\(fileName)",
                    description: "clawjail: jail '\(request.name)'"))
        case .v1(let directories):
            var parents: [CgroupPlan.Controller: String] = [:]
            for controller in needed {
                guard let directory = directories[controller.rawValue] else {
                    try leaveOut(
                        .cgroup, reason: "the controller '\(controller.rawValue)' is not mounted, or not ours to use")
                    return nil
                }
                parents[controller] = directory
            }
            place = .v1(parents: parents)
        }
        return CgroupPlan(
            place: place, name: "clawjail-\(fileName)", memory: limits.memory, swap: limits.swap,
            // Jail init is a process as well, and not one of the payload's.
            processes: limits.processes.map { $0 + 1 }, milliCPUs: limits.milliCPUs)
    }

    /// The beginning of a sentence about controllers that are not there; nil: all are.
    private static func missing(_ needed: [CgroupPlan.Controller], _ there: Set<String>) -> String? {
        let names = needed.map(\.rawValue).filter { !there.contains($0) }.map { "'\($0)'" }
        guard let first = names.first else { return nil }
        return names.count == 1 ? "the controller \(first) is" : "the controllers \(names.joined(separator: ", ")) are"
    }

    // MARK: Walls

    /// nil: there is none to speak of, and the profile may do without.
    private mutating func landlockABI() throws(JailError) -> Int32? {
        guard facts.landlockABI >= LandlockPlan.leastABI else {
            let reason =
                facts.landlockABI == 0
                ? "the kernel has no Landlock"
                : "the host has Landlock ABI \(facts.landlockABI), and \(LandlockPlan.leastABI) is needed"
            try leaveOut(.landlock, reason: reason)
            return nil
        }
        if profile.network.listen != nil, facts.landlockABI < 4 {
            try leaveOut(
                .landlock, reason: "network.listen needs Landlock ABI 4, and the host has \(facts.landlockABI)")
        }
        return min(facts.landlockABI, LandlockPlan.mostABI)
    }

    private func planLandlock(_ root: RootPlanner, _ abi: Int32?) -> LandlockPlan? {
        abi.map {
            LandlockPlan(
                abi: $0, rules: root.landlockRules, bindPorts: $0 >= 4 ? profile.network.listen : nil, scoped: $0 >= 6)
        }
    }

    private mutating func planAppArmor() throws(JailError) -> AppArmorPlan? {
        guard let name = profile.process.appArmor else { return nil }
        switch facts.appArmor {
        case .unavailable(let reason, let remedy):
            try leaveOut(.apparmor, reason: reason, remedy: remedy)
            return nil
        case .available(let confinement): return AppArmorPlan(profile: name, confinement: confinement)
        }
    }

    private mutating func planTimeNamespace() throws(JailError) -> Bool {
        if facts.hasTimeNamespaces { return true }
        try leaveOut(.time, reason: "the kernel has no time namespaces")
        return false
    }

    private func planData() throws(JailError) -> DataPlan? {
        guard let rule = profile.filesystem.data else { return nil }
        let own = "\(facts.stateDirectory)/data/\(fileName)"
        guard rule.mustEnforceSize else {
            return DataPlan(
                source: rule.source ?? own, target: rule.target, size: rule.size, isOwn: rule.source == nil)
        }
        guard rule.source == nil, let mkfs = facts.imageMaker else {
            throw JailError(
                .host, reason: "the size of \(rule.target) can only be watched here, and the profile wants it enforced",
                hint: rule.source == nil
                    ? "start as root, on a host with mkfs.ext4 and loop devices; or take mustEnforceSize out"
                    : "take filesystem.data.source out, so that clawjail makes an image; or mustEnforceSize")
        }
        return DataPlan(
            source: own + ".img", target: rule.target, size: rule.size, enforcement: .image(mkfs: mkfs), isOwn: true)
    }

    private func planReview() throws(JailError) -> ReviewPlan? {
        guard profile.filesystem.hasReview, let source = profile.filesystem.workspaceSource else { return nil }
        // Nobody would find again what was changed in it.
        guard request.gateway == nil else {
            throw JailError(.plan, reason: "a session of a jail's cannot have a workspace of mode \"review\"")
        }
        return ReviewPlan(
            source: source, target: "/workspace",
            directory: "\(facts.stateDirectory)/\(ReviewPlan.directoryName)/\(fileName)",
            size: profile.filesystem.reviewSize)
    }

    /// Fails closed: what the profile does not call optional ends the launch here.
    private mutating func leaveOut(
        _ protection: OptionalProtection, reason: String, remedy: String? = nil
    ) throws(JailError) {
        guard profile.optional.contains(protection) else {
            throw JailError(
                .host, reason: reason,
                hint:
                    "\(remedy ?? "'clawjail doctor' says what mends it"); to do without, add optional: [\"\(protection.rawValue)\"] "
                    + "to the profile")
        }
        leftOut.append(LeftOut(protection: protection, reason: reason))
    }
}

extension LandlockPlan {
    /// ABI 1 cannot let files be renamed from one directory to another, which breaks real programs.
    package static let leastABI: Int32 = 2
    /// The newest whose rights are known here.
    package static let mostABI: Int32 = 7
}

/// Names of jails: they become file and cgroup names.
package enum JailName {
    package static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 48, first != 0x2D, first != 0x5F else { return false }
        return bytes.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
        }
    }
}

extension [EnvironmentVariable] {
    fileprivate mutating func replace(_ variable: EnvironmentVariable) {
        removeAll { $0.name == variable.name }
        append(variable)
    }
}

/// Bytes for people: `512M`, `1.5G`.
package enum ByteCount {
    package static func text(_ bytes: UInt64) -> String {
        let units: [(String, UInt64)] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
        for (name, size) in units where bytes >= size {
            let tenths = bytes / (size / 10)
            return tenths % 10 == 0 || bytes % size == 0
                ? "\(bytes / size)\(name)" : "\(tenths / 10).\(tenths % 10)\(name)"
        }
        return "\(bytes)"
    }
}
