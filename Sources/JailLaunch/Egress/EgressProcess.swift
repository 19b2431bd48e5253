internal import EgressControl
internal import JailCore
internal import JailNamespaces
internal import JailPlan
internal import JailPolicy

/// The way out's processes, as the supervisor holds them: `egress-init`, and the gateway below it.
final class EgressProcess {
    private let plan: LaunchPlan
    private let egress: EgressPlan
    private let tellsAllowed: Bool
    let pid: Int32
    let pidfd: SharedDescriptor
    let control: SharedDescriptor
    /// What the gateway writes to standard error: texts of a runtime that gives up.
    let output: SharedDescriptor
    /// The gateway's, as long as there is one.
    private(set) var channel: SharedDescriptor?
    private var isEnded = false

    /// Opens the program, and clones. The id maps are written next, see ``proceed()``.
    init(_ plan: LaunchPlan, _ egress: EgressPlan, tellsAllowed: Bool) throws(JailError) {
        self.tellsAllowed = tellsAllowed
        self.plan = plan
        self.egress = egress
        let program = try Self.open(egress)
        let (ours, theirs) = try attempt(.egress) { () throws(SystemError) in
            try System.makeSocketPair(.sequencedPacket).release()
        }
        let control = SharedDescriptor(OwnedDescriptor(ours))
        let inner = SharedDescriptor(OwnedDescriptor(theirs))
        let (reading, writing) = try attempt(.egress) { () throws(SystemError) in try System.pipe().release() }
        let output = SharedDescriptor(OwnedDescriptor(reading))
        let innerOutput = SharedDescriptor(OwnedDescriptor(writing))
        let cloned = try attempt(.egress) { () throws(SystemError) in try System.clone(EgressPlan.cloned, into: nil) }
        pid = cloned.pid
        if pid == 0 {
            // Whoever holds both ends of a socket never sees it end.
            System.close(ours)
            // Numbers that nobody closes any more: it moves them about, and ends by `_exit`.
            EgressInit.run(
                plan, egress,
                .init(
                    control: Descriptor(inner.take().release()), program: Descriptor(program.take().release()),
                    output: Descriptor(innerOutput.take().release())))
        }
        pidfd = SharedDescriptor(cloned.takeDescriptor())
        self.control = control
        self.output = output
        do throws(JailError) {
            try attempt(.egress) { () throws(SystemError) in
                try System.setNonBlocking(control.borrowed)
                try System.setNonBlocking(output.borrowed)
            }
            try egress.identity.writeMaps(of: pid)
            try attempt(.egress) { () throws(SystemError) in
                try System.send(control.borrowed, ControlMessage(.proceed).bytes)
            }
        } catch {
            kill()
            throw error
        }
    }

    /// The file that the plan is about, and no other.
    private static func open(_ egress: EgressPlan) throws(JailError) -> SharedDescriptor {
        try attempt(.egress, egress.program) { () throws(SystemError) in
            let program = try System.open(egress.program, [.readOnly, .noFollow])
            guard try System.status(of: program.borrowed).identity == egress.programIdentity else {
                throw SystemError(.check, .stale)
            }
            return SharedDescriptor(program)
        }
    }

    /// Starts a gateway, which finds its setup waiting.
    func start(_ texts: EgressTexts, names: Descriptor, state: Descriptor?) throws(SystemError) {
        let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
        let outer = SharedDescriptor(OwnedDescriptor(ours))
        let inner = SharedDescriptor(OwnedDescriptor(theirs))
        try System.setNonBlocking(outer.borrowed)
        try System.setNonBlocking(inner.borrowed)
        let files = [
            try Self.file("policy", Array(egress.rules.json.text().utf8)), try Self.file("trust", texts.trust),
            try Self.file("resolv.conf", texts.resolver.resolvConf), try Self.file("hosts", texts.resolver.hosts),
        ]
        let setup = EgressMessage.setup(
            jail: plan.name, profile: plan.profile, wantsJavaTrustStore: egress.wantsJavaTrustStore,
            tellsAllowed: tellsAllowed)
        // A descriptor lives as long as its owner, and an owner no longer than it is asked for.
        try withExtendedLifetime((files, inner)) { () throws(SystemError) in
            try System.send(
                outer.borrowed, setup.bytes, descriptors: files.map(\.borrowed) + [names] + (state.map { [$0] } ?? []))
            try System.send(
                control.borrowed, ControlMessage(.startGateway).bytes, descriptors: [inner.borrowed])
        }
        channel = outer
    }

    func closeChannel() { channel = nil }

    /// The host's files as they are now; false if the channel is full.
    func send(_ resolver: ResolverFiles) throws(SystemError) -> Bool {
        let files = [try Self.file("resolv.conf", resolver.resolvConf), try Self.file("hosts", resolver.hosts)]
        return try withExtendedLifetime(files) { () throws(SystemError) in
            try send(EgressMessage.resolver, files.map(\.borrowed))
        }
    }

    func send(_ sockets: [SharedDescriptor]) throws(SystemError) -> Bool {
        try send(EgressMessage.sockets(proxy: egress.proxyPort, ports: egress.ports), sockets.map(\.borrowed))
    }

    private func send(
        _ packet: EgressMessage.Packet, _ descriptors: [Descriptor]
    ) throws(SystemError) -> Bool {
        guard let channel else { return false }
        do throws(SystemError) {
            try System.send(channel.borrowed, packet.bytes, descriptors: descriptors)
            return true
        } catch {
            // Its end is seen by itself.
            guard [.wouldBlock, .brokenPipe, .connectionReset].contains(error.errno) else { throw error }
            return false
        }
    }

    private static func file(_ name: String, _ content: [UInt8]) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try System.makeMemoryFile(name, content))
    }

    /// Ends both processes, and waits for them: PID 1 takes the namespace with it. A second time does nothing.
    func kill() {
        guard !isEnded else { return }
        isEnded = true
        // Where the descriptor fails, by number: as long as nobody has reaped it, it is nobody else's.
        do { try System.send(signal: 9, to: pidfd.borrowed) } catch  where error.errno != .noProcess {
            try? System.kill(pid, 9)
        } catch {
        }
        _ = try? System.wait(for: pidfd.borrowed)
        channel = nil
    }

    deinit { kill() }
}
