internal import JailCore
internal import JailNamespaces
internal import JailPlan

/// The way out's processes, as whoever started them holds them: `egress-init`, and the gateway below it.
final class EgressProcess: EgressSource {
    private let pidfd: SharedDescriptor
    private let control: SharedDescriptor
    /// What the gateway writes to standard error: texts of a runtime that gives up.
    private let pipe: SharedDescriptor
    private let pid: Int32
    private var output = EgressOutput()
    private var controlEnded = false
    private var isEnded = false

    /// Messages for each turn of the loop: whoever floods it must not keep it from its clock.
    private static let mostMessages = 64

    /// Opens the program, clones, writes the id maps, and lets `egress-init` begin: its start overlaps with what follows.
    init(_ plan: LaunchPlan, _ egress: EgressPlan) throws(JailError) {
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
        pipe = output
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

    /// Has a gateway started, which waits on its channel for its first order.
    func ask() throws(SystemError) -> SharedDescriptor? {
        let (outer, inner) = try Self.makeChannel()
        try withExtendedLifetime(inner) { () throws(SystemError) in
            try System.send(control.borrowed, ControlMessage(.startGateway).bytes, descriptors: [inner.borrowed])
        }
        return outer
    }

    /// A jail's channel: the supervisor's end, and the gateway's.
    static func makeChannel() throws(SystemError) -> (outer: SharedDescriptor, inner: SharedDescriptor) {
        let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
        let outer = SharedDescriptor(OwnedDescriptor(ours))
        let inner = SharedDescriptor(OwnedDescriptor(theirs))
        for end in [outer, inner] { try System.setNonBlocking(end.borrowed) }
        return (outer, inner)
    }

    // MARK: News

    var pollEntries: [System.PollEntry] {
        guard !isEnded else { return [] }
        var entries = [System.PollEntry(pidfd.borrowed, System.PollEvents.readable)]
        if !controlEnded { entries.append(.init(control.borrowed, System.PollEvents.readable)) }
        if !output.isFinished { entries.append(.init(pipe.borrowed, System.PollEvents.readable)) }
        return entries
    }

    var due: Int64? { nil }

    func news(_ ready: System.PollResult) throws(SystemError) -> [EgressNews] {
        guard !isEnded else { return [] }
        var news: [EgressNews] = []
        if ready[pipe.borrowed] != nil { hear(&news) }
        let hasEnded = ready[pidfd.borrowed] != nil
        // What it had to say before.
        if hasEnded || ready[control.borrowed] != nil { try readControl(&news) }
        if hasEnded { news.append(.ended("with its init", why: nil, mayRestart: false)) }
        return news
    }

    /// The first line says what it is; what follows are addresses.
    private func hear(_ news: inout [EgressNews]) {
        if let line = output.read(pipe.borrowed).first { news.append(.word(line)) }
    }

    private func readControl(_ news: inout [EgressNews]) throws(SystemError) {
        for _ in 0..<Self.mostMessages where !controlEnded {
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try System.receive(control.borrowed, most: ControlMessage.size).bytes
            } catch {
                if error.errno == .wouldBlock { return }
                controlEnded = true
                guard error.errno == .connectionReset else { throw error }
                return
            }
            guard !bytes.isEmpty else {
                controlEnded = true
                return
            }
            take(ControlMessage(bytes), &news)
        }
    }

    private func take(_ message: ControlMessage?, _ news: inout [EgressNews]) {
        switch message?.kind {
        case .started: return
        case .failed:
            let why = message?.failure.map { "\($0.error.call.name): \($0.error.errno)" }
            news.append(.ended("itself", why: why, mayRestart: false))
        case .exited, .signalled:
            hear(&news)
            let how = message?.kind == .exited ? "with status" : "by signal"
            news.append(.ended("\(how) \(message?.value ?? 0)", why: nil, mayRestart: true))
        default:
            news.append(.ended("by clawjail", why: "its init said what it never would", mayRestart: false))
        }
    }

    /// Its end is told by `egress-init`.
    func channelEnded() {}

    /// It is this jail's alone, and killed next.
    func distrust() {}

    /// Ends both processes, and waits for them: PID 1 takes the namespace with it.
    func kill() {
        guard !isEnded else { return }
        isEnded = true
        // Where the descriptor fails, by number: as long as nobody has reaped it, it is nobody else's.
        do { try System.send(signal: 9, to: pidfd.borrowed) } catch  where error.errno != .noProcess {
            try? System.kill(pid, 9)
        } catch {
        }
        _ = try? System.wait(for: pidfd.borrowed)
    }

    deinit { kill() }
}
