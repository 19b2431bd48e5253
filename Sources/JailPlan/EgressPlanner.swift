internal import JailCore
internal import JailPolicy

/// Which way out the jail of a profile gets.
struct EgressPlanner {
    let profile: Profile
    let facts: HostFacts
    let groups: GroupDrop
    let landlockABI: Int32?
    let group: String?
    let prices: PriceTable?
    /// Of what a jail has spent.
    let ledger: String

    /// nil: the profile allows nothing outside, and no process is started.
    func plan() throws(JailError) -> EgressPlan? {
        guard profile.hasWayOut else { return nil }
        if let group, !JailName.isValid(group) {
            throw JailError(
                .plan, reason: "'\(group.printable)' is not a name for a group of jails",
                hint: "use up to 48 of a-z, 0-9, '-' and '_', starting with a letter or digit")
        }
        let program = try checkedProgram()
        let ports = try listenedPorts()
        let taken = Set(ports + profile.network.publish.map(\.jailPort) + [EgressPlan.dnsPort])
        guard let proxy = (3128...3328).first(where: { !taken.contains($0) }) else {
            throw JailError(.plan, reason: "network.allow leaves no port for the proxy")
        }
        return EgressPlan(
            rules: profile.network, ports: ports, proxyPort: proxy, onExit: profile.network.onGatewayExit,
            program: program.path, programIdentity: program.identity,
            trust: profile.network.upstream.trust ?? facts.certificates,
            wantsJavaTrustStore: facts.closure.programs.contains { $0.realPath.hasSuffix("/java") },
            identity: identity(program.freeID),
            landlockABI: landlockABI,
            resources: Self.resources(isShared: group != nil),
            group: group,
            spend: try spend(),
            secrets: try secrets(), asks: profile.asksForNetwork ? profile.approvals?.timeout : nil)
    }

    /// What is said of the network on the command line counts as well.
    private func spend() throws(JailError) -> SpendPlan? {
        guard let rules = profile.spend else { return nil }
        try rules.check(profile.network)
        guard let prices else { throw JailError(.plan, reason: "'spend' needs a table of prices") }
        return SpendPlan(rules: rules, prices: prices, ledger: ledger)
    }

    /// Likewise: a variable that is set on the command line is the caller's own.
    private func secrets() throws(JailError) -> SecretRules {
        do throws(SecretRuleError) { try profile.secrets.check(profile.network, profile.process) } catch {
            throw JailError(.plan, reason: "secrets[\(error.index)] \(error.reason)")
        }
        return profile.secrets
    }

    /// A process of one jail has room for whatever its budgets allow. For each of those that share one it is 1,024 files
    /// (70 of its own, and two for each of 256 connections are 582) and 64 MiB.
    private static func resources(isShared: Bool) -> [LimitPlan.Entry] {
        let most = UInt64(EgressPlan.mostSharing)
        return [
            .init(resource: .core, value: 0),
            .init(resource: .openFiles, value: isShared ? most * 1024 : 8192),
            // Heap, stacks and buffers; the programs themselves count as well, so it is no figure to be reached.
            .init(resource: .data, value: isShared ? most * (64 << 20) : 1 << 30),
            // Files in memory are the only ones it can write.
            .init(resource: .fileSize, value: 64 << 20),
            // Threads, and the process above it.
            .init(resource: .processes, value: 32),
            .init(resource: .realtimePriority, value: 0), .init(resource: .nice, value: 0),
        ]
    }

    private func listenedPorts() throws(JailError) -> [UInt16] {
        var policy = NetworkPolicy(profile.network)
        policy.asks = profile.asksForNetwork
        let ports = policy.askedPorts
        guard ports.count <= EgressPlan.mostPorts else {
            throw JailError(
                .plan, reason: "network.allow names \(ports.count) ports, and \(EgressPlan.mostPorts) can be served",
                hint: "name fewer")
        }
        if let port = profile.network.publish.map(\.jailPort).first(where: ports.contains) {
            throw JailError(
                .plan, reason: "port \(port) is published, and network.allow names it as a port outside",
                hint: "let the program inside listen on another one")
        }
        guard !ports.contains(EgressPlan.dnsPort) else {
            throw JailError(
                .plan, reason: "network.allow names port 53, where the jail's own name server listens",
                hint: "programs inside ask that one: no rule is needed")
        }
        return ports
    }

    private func checkedProgram() throws(JailError) -> (path: String, identity: FileIdentity, freeID: UInt32) {
        let egress = facts.egress ?? EgressFacts(program: "clawjail-egress", file: nil, freeID: 0)
        let program = OwnProgramFacts(path: egress.program, file: egress.file)
        let identity = try program.checked(
            "the program of the way out", need: "allows hosts outside", caller: facts.caller)
        return (egress.program, identity, egress.freeID)
    }

    private func identity(_ freeID: UInt32) -> IdentityPlan {
        let inside = InsideIdentity()
        guard facts.caller.isRoot else {
            return IdentityPlan(
                host: HostIdentity(name: "the caller", uid: facts.caller.uid, gid: facts.caller.gid), inside: inside,
                startedByRoot: false, groups: groups)
        }
        // Not root, and not the payload's user either: the one could do anything, and the other's processes could be
        // reached by whatever escaped from the jail.
        return IdentityPlan(
            host: HostIdentity(name: "nobody's", uid: freeID, gid: freeID), inside: inside, startedByRoot: true,
            groups: .byRoot)
    }
}
