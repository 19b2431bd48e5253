internal import JailAppArmor
internal import JailCgroups
internal import JailCore
internal import JailLandlock
internal import JailMounts
internal import JailNamespaces
internal import JailNetwork
internal import JailPlan
internal import JailPrivileges
internal import JailSeccomp
internal import JailTerminal

/// The order of confinement. One thread, in the clone, from the first instruction to the last wall.
///
/// A failed step ends the launch: nothing here is skipped, repeated or repaired.
struct Confinement {
    let plan: LaunchPlan
    let filters: [[UInt64]]
    private(set) var stage = Stage.session
    /// The socket to the supervisor, under the number that it has at the moment.
    private(set) var supervisor: Descriptor
    private(set) var tree: MountTree
    private var master: Int32?
    private var slave: Int32?
    private var sized: [Int32] = []
    /// RLIMIT_NOFILE of commands.
    private(set) var openFiles: UInt64?
    private var egressSockets: [Int32] = []
    private var ruleset: Int32?

    /// - Parameter control: the socket to the supervisor, descriptor 3 once everything else is closed.
    init(_ plan: LaunchPlan, filters: [[UInt64]], control: Descriptor, canaries: [String] = []) {
        self.plan = plan
        self.filters = filters
        supervisor = control
        tree = MountTree(plan.mounts, canaries: canaries)
    }

    /// Within the stage: for mounts, which step of the plan.
    var step: UInt16 { stage == .mounts ? UInt16(clamping: tree.index) : 0 }

    mutating func enter(_ streams: StandardStreams) throws(SystemError) {
        // While the supervisor makes ready what lies outside. Nothing else before it has written the id maps: until then
        // every id here is nobody's.
        stage = .clone
        try plan.namespaces.makeOwn()
        stage = .session
        let gifts = try awaitProceed()

        // Into the cgroup before anything else costs memory or makes processes: all of it counts.
        stage = .cgroup
        try Cgroup.join(gifts.tasks)
        try plan.namespaces.enterCgroupNamespace()

        // Nothing of the caller's open files, before the first descriptor of our own is opened.
        stage = .session
        if supervisor.number != Self.controlNumber {
            try System.duplicate(supervisor, to: Self.controlNumber, closeOnExec: true)
            supervisor = Self.control
        }
        try streams.enter()
        let firstUnowned = Self.controlNumber + 1
        try keep(gifts, from: firstUnowned)

        // While /proc/self is still ours (the change of ids makes it root's), and before anything forks.
        stage = .clocks
        try plan.namespaces.resetOutOfMemoryScore()
        try plan.namespaces.startClocks()

        // On the host's /proc: the jail's own will be read-only. It counts for what init executes, and init executes
        // nothing but commands; none of the walls to come has a say in it.
        stage = .apparmor
        try plan.appArmor?.apply()

        // While the ids are still those that may pass clawjail's own directory.
        stage = .mounts
        try tree.cloneData()

        // From here on with the rights of the payload's user alone, as the host sees them.
        stage = .identity
        try plan.identity.take()

        // After the ids, which clear it; and the supervisor may have died before it was set.
        stage = .session
        try System.dieWithParent()
        try confirmSupervisor()
        try startSession()

        // While there is CAP_NET_ADMIN in the namespace.
        stage = .network
        try System.bringLoopbackUp()
        if let egress = plan.network.egress { egressSockets = try egress.makeSockets() }

        // Sources as the payload's user; then the tree, while the host's /proc still allows a fresh one; then no way
        // back.
        stage = .mounts
        try tree.cloneSources()
        try tree.build()
        stage = .pivot
        try tree.enter()
        sized = try MountTree.open(plan.sizedFileSystems)

        // In the new /dev, and before Landlock, which binds what is opened after it.
        stage = .terminal
        if plan.command.terminal {
            let pair = try System.openTerminal()
            (master, slave) = pair.release()
            // Before the command can ask for it. Where standard input is no terminal there is no size to take over.
            if let size = try? System.terminalSize(.standardInput), let slave {
                try System.setTerminalSize(Descriptor(slave), size)
            }
        }

        stage = .limits
        // But for open files, which only commands are limited in.
        try Privileges.apply(plan.limits.resources.filter { $0.resource != .openFiles })
        openFiles = try Privileges.openFiles(plan.limits.resources)

        // After the last mount, which it forbids; once, for init and every command, or later ones could not see
        // earlier ones.
        stage = .landlock
        try plan.landlock?.apply()
        // For the jail's own command alone, which enters it before it begins: here, since the filter refuses what it is
        // made with.
        ruleset = try plan.commands?.withheld?.makeRuleset().release()

        // After everything that needs them.
        stage = .privileges
        try Privileges.dropCapabilities()
        try Privileges.forbidNewPrivileges()
        // Own writes to /proc are done: nobody inside reads init's memory or opens its /proc/1/exe.
        try System.setDumpable(false)

        // Last: the filter refuses most of what stands above.
        stage = .seccomp
        try SeccompPlan.apply(filters)
    }

    /// The terminal's master, if there is one, and those of the sized file systems; the caller closes them.
    mutating func takeDescriptors() -> [Int32] {
        var numbers = sized
        sized = []
        if let master { numbers.insert(master, at: 0) }
        master = nil
        return numbers
    }

    /// The sockets of the way out; the caller closes them.
    mutating func takeEgressSockets() -> [Int32] {
        defer { egressSockets = [] }
        return egressSockets
    }

    /// Where sessions and commands are asked for; the caller closes them.
    mutating func takeOwnSockets() -> [(path: String, number: Int32)] { tree.takeSockets() }

    /// The side of the terminal that the command gets; the caller closes it.
    mutating func takeSlave() -> Int32? {
        defer { slave = nil }
        return slave
    }

    /// What keeps the programs of commands from the jail's own command; the caller closes it.
    mutating func takeRuleset() -> Int32? {
        defer { ruleset = nil }
        return ruleset
    }

    private static let controlNumber: Int32 = 3
    /// The socket to the supervisor, from the moment on at which nothing else is open.
    static var control: Descriptor { Descriptor(controlNumber) }

    private struct Gifts {
        /// The `tasks` files of the cgroups to enter, on v1.
        var tasks: [Int32]
        /// The mount of `/data`, if the supervisor made one.
        var data: Int32?
        var trust: [Int32]
    }

    /// Gives what is still needed the lowest numbers, and closes everything above.
    private mutating func keep(_ gifts: Gifts, from first: Int32) throws(SystemError) {
        let kept = (gifts.data.map { [$0] } ?? []) + gifts.trust
        // Above all of those numbers first, so that none is written over before it has moved.
        let moved = try kept.map { (number) throws(SystemError) in
            try System.duplicate(Descriptor(number), atLeast: first + Int32(kept.count)).release()
        }
        for (index, number) in moved.enumerated() {
            try System.duplicate(Descriptor(number), to: first + Int32(index), closeOnExec: true)
        }
        try System.closeRange(UInt32(first) + UInt32(kept.count), .max)
        if gifts.data != nil { tree.takeData(first) }
        let firstTrust = first + (gifts.data == nil ? 0 : 1)
        if !gifts.trust.isEmpty {
            var files: [TrustFile: Int32] = [:]
            for (index, file) in TrustFile.allCases.enumerated() { files[file] = firstTrust + Int32(index) }
            tree.takeTrust(files)
        }
    }

    private func awaitProceed() throws(SystemError) -> Gifts {
        let received = try System.receive(supervisor, most: ControlMessage.size, descriptors: 8)
        // The supervisor gave up: nothing to report, and nobody to report to.
        guard let message = ControlMessage(received.bytes), message.kind == .proceed,
            received.descriptors.count >= message.detail
        else { System.exitNow(ExitStatus.launchFailed) }
        let tasks = Array(received.descriptors.prefix(Int(message.detail)))
        var rest = received.descriptors.dropFirst(tasks.count)
        let data = message.index & 1 == 0 ? nil : rest.popFirst()
        let trust = message.index & 2 == 0 ? [] : Array(rest)
        guard trust.isEmpty || trust.count == TrustFile.allCases.count else { throw SystemError(.check, .invalid) }
        return Gifts(tasks: tasks, data: data, trust: trust)
    }

    private func confirmSupervisor() throws(SystemError) {
        if try System.pollNow(supervisor) != 0 { System.exitNow(ExitStatus.launchFailed) }
    }

    /// Nothing of the caller's session: terminal, keyring, scheduling, file mode mask, name of the host.
    private func startSession() throws(SystemError) {
        try System.newSession()
        try System.joinAnonymousSessionKeyring()
        try System.resetScheduling()
        System.setFileModeMask(plan.command.fileModeMask)
        try plan.namespaces.nameHost()
        try System.setProcessName("jail-init")
    }
}
