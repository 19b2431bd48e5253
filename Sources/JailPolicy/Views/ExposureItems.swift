/// The items of an ``Exposure``. Each is a sum of things that only permissions add to, cut off at its most.
struct ExposureItems {
    private let profile: Profile
    private let rules: [NetworkRule]
    private let abilities: NetworkReach

    init(_ profile: Profile) {
        self.profile = profile
        rules = profile.network.allow.flatMap { $0.preset?.rules ?? [$0] }
        abilities = NetworkReach(rules)
    }

    var all: [Exposure.Item] {
        [
            reach, sending, privateAddresses, published, programs, systemCalls, hostFiles, own, limits, optional,
            secrets, commands, sessions, together,
        ]
    }

    private func item(
        _ id: String, _ weight: Double, most: Double, _ reason: String, _ remedy: String
    ) -> Exposure.Item {
        Exposure.Item(id: id, weight: min(weight, most), most: most, reason: reason, remedy: remedy)
    }

    // MARK: Network

    private var reach: Exposure.Item {
        item(
            "network.reach", [0, 4, 8, 12][abilities.widest] + min(2, 0.1 * Double(abilities.hosts)), most: 14,
            abilities.widestText, "name the hosts that are needed in network.allow")
    }

    private var sending: Exposure.Item {
        item(
            "network.send", abilities.sending + min(3, 0.3 * Double(abilities.senders)), most: 15,
            "may send data out: \(abilities.senders) rules with other methods than GET and HEAD, or uninspected",
            "give such rules hosts in full, and paths")
    }

    private var privateAddresses: Exposure.Item {
        let ranges = profile.network.allowPrivate
        let delicate = SpecialAddress.table.filter { [.metadata, .loopback, .unspecified].contains($0.kind) }
        let reached = ranges.filter { range in delicate.contains { range.contains($0.range) } }
        return item(
            "network.private", 4 * Double(min(ranges.count, 1)) + Double(ranges.count) + 4 * Double(reached.count),
            most: 10, "may reach private addresses: \(ranges.count) ranges", "take out network.allowPrivate")
    }

    private var published: Exposure.Item {
        let ports = profile.network.publish
        let beyond = ports.filter { $0.hostAddress >> 24 != 127 }.count
        return item(
            "network.publish", 0.5 * Double(ports.count) + 4 * Double(beyond), most: 8,
            "is reached from outside: \(ports.count) ports, \(beyond) of them beyond this machine",
            "publish on 127.0.0.1, and only what is used")
    }

    // MARK: Programs

    private var programs: Exposure.Item {
        let listed = profile.process.programs
        if profile.filesystem.root != .minimal {
            return item(
                "process.programs", 10, most: 10, "every program of its root can be executed",
                "filesystem.root: \"minimal\", and the programs that are needed")
        }
        let families = listed.filter { ProgramFamilies.warning($0.name) != nil }.count
        let directories = listed.filter(\.isDirectory).count
        return item(
            "process.programs", 0.2 * Double(listed.count) + 1.5 * Double(families) + 7 * Double(directories), most: 10,
            "\(listed.count) programs, \(directories) whole directories, \(families) that run whatever they are given",
            "list the programs that are needed, by name")
    }

    private var systemCalls: Exposure.Item {
        let added = Double(profile.process.systemCalls.count)
        return item(
            "process.systemCalls", (profile.process.shell ? 3 : 0) + 2 * added, most: 10,
            (profile.process.shell ? "code that is in no file; " : "") + "\(Int(added)) system calls beyond the list",
            "take out process.shell and process.systemCalls")
    }

    // MARK: Files

    private var hostFiles: Exposure.Item {
        let filesystem = profile.filesystem
        var weight = 0.0
        for rule in filesystem.read { weight += self.weight(of: rule) }
        for rule in filesystem.write { weight += self.weight(of: rule) + 1.5 }
        weight += [WorkspaceAccess.none: 0, .readOnly: 1, .readWrite: 2][filesystem.workspace] ?? 0
        if filesystem.data?.source != nil { weight += 1 }
        return item(
            "filesystem.host", weight, most: 18,
            "host files: \(filesystem.read.count) readable, \(filesystem.write.count) writable, workspace "
                + filesystem.workspace.rawValue,
            "show the smallest directory that does, and read-only")
    }

    private func weight(of rule: BindRule) -> Double {
        1.5 + (ProfileFindings.isPersonal(rule.source) ? 4 : 0) + (rule.allowSpecialFiles ? 4 : 0)
    }

    private var own: Exposure.Item {
        let filesystem = profile.filesystem
        let places = [filesystem.tmp, filesystem.sharedMemory, filesystem.home].filter { $0 > 0 }.count
        return item(
            "filesystem.own",
            0.3 * Double(places) + (filesystem.data == nil ? 0 : 1) + (filesystem.executeWritable ? 4 : 0), most: 6,
            "\(places) places of its own to write to"
                + (filesystem.data == nil ? "" : ", data that outlives it")
                + (filesystem.executeWritable ? ", and what is written can be executed" : ""),
            "take out filesystem.executeWritable")
    }

    // MARK: Limits and protections

    private var limits: Exposure.Item {
        let limits = profile.limits
        func step(_ value: UInt64?, _ narrow: UInt64, _ wide: UInt64, _ none: Double) -> Double {
            guard let value else { return none }
            return value <= narrow ? 0 : value <= wide ? none / 4 : none / 2
        }
        let weight =
            step(limits.memory, 1 << 30, 4 << 30, 4) + step(limits.processes, 256, 1024, 3)
            + step(limits.milliCPUs, 2000, 8000, 1) + step(limits.openFiles, 4096, 65536, 0.5)
            + step(limits.fileSize, 1 << 30, 16 << 30, 0.4) + (limits.swap > 0 ? 0.4 : 0)
        let missing = [
            limits.memory == nil ? "memory" : nil, limits.processes == nil ? "processes" : nil,
            limits.milliCPUs == nil ? "cpus" : nil,
        ].compactMap(\.self)
        return item(
            "limits", weight, most: 10,
            missing.isEmpty ? "what it may use of the machine" : "no limit of \(missing.joined(separator: ", "))",
            "set limits.memory, limits.processes and limits.cpus")
    }

    private var optional: Exposure.Item {
        let weights: [OptionalProtection: Double] = [.landlock: 6, .groups: 3, .cgroup: 4, .time: 0.5, .apparmor: 1]
        let missing = OptionalProtection.allCases.filter(profile.optional.contains)
        return item(
            "optional", missing.reduce(0) { $0 + (weights[$1] ?? 0) }, most: 14.5,
            "starts without: \(missing.map(\.rawValue).joined(separator: ", "))",
            "take out 'optional'; clawjail doctor says what the host lacks")
    }

    // MARK: The rest

    private var secrets: Exposure.Item {
        let literal = profile.process.environment.filter(ProfileFindings.isSecret).count
        return item(
            "process.environment", 3 * Double(literal) + 0.2 * Double(profile.process.passEnvironment.count), most: 8,
            "\(literal) secrets written down, \(profile.process.passEnvironment.count) variables of the caller's",
            "pass secrets with passEnvironment, and only those that are used")
    }

    private var commands: Exposure.Item {
        let rules = profile.commands.rules
        let beyond = rules.filter { if case .host = $0.place { true } else { false } }.count
        let families = rules.filter { ProgramFamilies.warning($0.program) != nil }.count
        return item(
            "commands", 0.3 * Double(rules.count) + Double(families) + 2 * Double(beyond), most: 8,
            "\(rules.count) commands, \(families) of programs that run whatever they are given, \(beyond) on the host",
            "give each command its exact arguments, and run it in a jail")
    }

    private var sessions: Exposure.Item {
        let rules = profile.sessions
        return item(
            "sessions", rules == nil ? 0 : 1 + 0.5 * Double(rules?.workspaces.count ?? 0), most: 4,
            "may have other jails made", "take out 'sessions'")
    }

    /// What is worse together than each alone.
    private var together: Exposure.Item {
        let filesystem = profile.filesystem
        let hasNetwork = profile.hasWayOut
        let hasHost = !filesystem.read.isEmpty || !filesystem.write.isEmpty || filesystem.workspace != .none
        var parts: [(String, Double)] = []
        if hasNetwork, hasHost { parts.append(("network with host files", 3)) }
        if abilities.widest == 3, hasHost { parts.append(("every host with host files", 4)) }
        if hasNetwork, filesystem.executeWritable { parts.append(("network with code that it writes", 2)) }
        if hasNetwork, hasHost, profile.process.shell { parts.append(("shell, network and host files", 3)) }
        return item(
            "together", parts.reduce(0) { $0 + $1.1 }, most: 12,
            parts.isEmpty ? "nothing that is worse together" : parts.map(\.0).joined(separator: "; "),
            "give these to two jails")
    }
}

/// How far a profile's network rules reach, and how much they let out.
struct NetworkReach {
    /// 0 nowhere, 1 hosts in full, 2 whole domains, 3 everywhere.
    private(set) var widest = 0
    private(set) var hosts = 0
    /// Rules that let data out, and the weight of the widest of them.
    private(set) var senders = 0
    private(set) var sending = 0.0

    init(_ rules: [NetworkRule]) {
        for rule in rules {
            let width = rule.hosts.map(Self.width).max() ?? 0
            widest = max(widest, width)
            hosts += rule.hosts.count
            let isInspected = rule.handling == .inspect && !rule.websocket
            guard !isInspected || rule.methods.contains(where: { $0 != "GET" && $0 != "HEAD" }) else { continue }
            senders += 1
            let hasPaths = rule.paths != nil && isInspected
            sending = max(sending, [0, hasPaths ? 3 : 5, 8, 12][width])
        }
    }

    private static func width(_ host: HostPattern) -> Int {
        switch host {
        case .any: 3
        case .below: 2
        case .exact, .address: 1
        }
    }

    var widestText: String {
        ["no network", "hosts named in full: \(hosts)", "whole domains", "every public host"][widest]
    }
}
