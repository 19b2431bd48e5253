package import JailCore
package import JailPlan
internal import JailPolicy

extension HostFacts {
    /// Looks at the host for one launch. Reads, and never writes; reads what this profile needs and no more.
    package static func gather(_ request: HostRequest) throws(JailError) -> HostFacts {
        var facts = HostFacts()
        let profile = request.profile
        try facts.readKernel(cpuLimit: profile.limits.milliCPUs)
        let accounts = try Accounts()
        facts.caller = try CallerFacts.current()
        facts.payload = try Identity.payload(
            caller: facts.caller, user: request.user ?? profile.process.user, accounts: accounts)
        facts.groups = GroupDrop.examine(caller: facts.caller, payload: facts.payload)
        facts.cgroup = CgroupProbe.examine(
            wanting: profile.limits.controllers, outlivesCaller: request.outlivesCaller)
        if let name = profile.process.appArmor { facts.appArmor = AppArmorProbe().examine(name) }
        facts.stateDirectory = request.stateDirectory(facts.caller) { accounts }
        facts.runtimeDirectory = request.runtimeDirectory(facts.caller) { accounts }

        if facts.caller.isRoot, profile.filesystem.data?.mustEnforceSize == true {
            facts.imageMaker = ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"].first {
                System.mayAccess($0, 1) && System.mayAccess("/dev/loop-control", 6)
            }
        }

        var tree = HostTree()
        let boundaries = try facts.boundaries(request, accounts, &tree)
        let reach = Reach(payload: facts.payload, isCaller: facts.payload.uid == facts.caller.uid)
        let surroundings = ProgramResolver.Surroundings(
            searchPath: request.searchPath, workingDirectory: request.workingDirectory, reach: reach,
            boundaries: boundaries, workspace: profile.filesystem.workspace == .none ? nil : request.workspace,
            ownData: try tree.furthest(Paths.join(facts.stateDirectory, "data")))

        // What the profile names comes first: its mistakes are the ones that a person can mend.
        var probe = SourceProbe(reach: reach, boundaries: boundaries, tree: tree, granted: request.granted)
        try probe.addRules(profile.filesystem, workspace: surroundings.workspace)
        var resolver = ProgramResolver(profile: profile, surroundings: surroundings, tree: probe.tree)
        facts.closure = try resolver.resolveAll(command: request.command)
        probe.tree = resolver.hostTree
        facts.certificates = try probe.addEveryJail()
        try probe.addRoot(profile.filesystem.root, closure: facts.closure)
        if profile.hasWayOut { facts.egress = try EgressProbe.examine(accounts) }
        if !profile.commands.isEmpty { facts.stub = try OwnProgramProbe.examine(CommandsPlan.stubProgram) }
        facts.programs = try HostPrograms.find(
            for: profile, searchPath: request.searchPath, caller: facts.caller.uid, payload: facts.payload,
            stateDirectory: facts.stateDirectory)
        facts.commands = try CommandProbe.examine(
            profile, caller: facts.caller, payload: facts.payload, accounts: accounts,
            stateDirectory: facts.stateDirectory)
        facts.closure.notes += probe.notes
        facts.sources = probe.sources
        return facts
    }

    private mutating func readKernel(cpuLimit: UInt64?) throws(JailError) {
        do throws(SystemError) {
            (kernelRelease, machine) = try System.kernelName()
            landlockABI = System.landlockABI()
            hasTimeNamespaces = (try? System.status("/proc/self/ns/time", followSymlink: true)) != nil
            processors = try System.availableProcessors()
            memory = System.totalMemory()
            let limit = cpuLimit.map { ($0 + 999) / 1000 } ?? UInt64.max
            processorInfo = try ProcessorInfo.blocks(Int(min(UInt64(processors), limit)))
        } catch {
            throw JailError(.host, error, hint: "a mounted /proc and Linux 5.15 or newer are needed")
        }
    }

    func boundaries(
        _ request: HostRequest, _ accounts: Accounts, _ tree: inout HostTree
    ) throws(JailError) -> Boundaries {
        var homes: [String] = []
        for home in [request.home, accounts.user(uid: caller.uid)?.home, accounts.user(uid: payload.uid)?.home] {
            guard let home, home.utf8.first == 0x2F else { continue }
            let canonical = try tree.resolve(home)?.path ?? home
            if !homes.contains(canonical) { homes.append(canonical) }
        }
        var policy = ["/etc/clawjail", "/usr/share/clawjail"]
        for file in request.profile.files {
            policy.append(try tree.resolve(Paths.absolute(file, from: request.workingDirectory))?.path ?? file)
        }
        // One that is not there yet could be made from inside, and the next start would read it first.
        for directory in request.profileDirectories {
            policy.append(try tree.furthest(Paths.absolute(directory, from: request.workingDirectory)))
        }
        return Boundaries(
            homes: homes, policy: policy,
            ownDirectories: [stateDirectory, runtimeDirectory, ApprovalsPlan.socketDirectory])
    }
}

extension CallerFacts {
    /// The effective ids of this process and its supplementary groups.
    package static func current() throws(JailError) -> CallerFacts {
        var facts = CallerFacts()
        facts.uid = System.effectiveUserID
        facts.gid = System.effectiveGroupID
        do throws(SystemError) {
            facts.supplementaryGroups = try System.supplementaryGroups()
        } catch {
            throw JailError(.host, error)
        }
        return facts
    }
}

extension LimitRules {
    /// Of cgroups, those that these limits need.
    fileprivate var controllers: [String] {
        [memory.map { _ in "memory" }, processes.map { _ in "pids" }, milliCPUs.map { _ in "cpu" }].compactMap(\.self)
    }
}
