internal import JailCore
internal import JailPolicy

/// Asks a jail how it is, again and again, in the supervisor's poll loop. Nothing that the jail does or leaves undone can
/// make the loop wait: each probe has its time, and what is late is a failure.
final class HealthWatch {
    /// What it needs of the supervisor for a probe.
    struct Means {
        /// Asks init for a socket of the jail's, see ``HealthWatch/deliver(_:)``; false if init takes no order now.
        var askForSocket: () throws(SystemError) -> Bool
        /// Executes a command in the jail; what becomes of it is told at the other end of the socket. False: the one of the
        /// last probe has not ended.
        var execute: (ExecRequest, SharedDescriptor) throws(SystemError) -> Bool
    }

    private enum Step {
        /// Waits until ``HealthState/next``.
        case idle
        /// Waits for a socket.
        case asking
        case connection(SocketProbe)
        /// Waits for a ``ControlReply``.
        case command(SharedDescriptor)
    }

    private let rules: HealthRules
    private var state: HealthState
    private var step = Step.idle
    /// Monotonic nanoseconds at which the probe's time is over.
    private var deadline: Int64 = 0
    /// Sockets that init still owes to probes which are over.
    private var owed = 0
    private var changes: [HealthState.Change] = []
    private var isOver = false
    private var isHeld = false

    /// The command has been started.
    init(_ rules: HealthRules, now: Int64 = System.monotonicNanoseconds()) {
        self.rules = rules
        state = HealthState(rules, now: now)
    }

    var condition: HealthState.Condition { state.condition }

    /// For people.
    var question: String { rules.probe.shown }

    func takeChanges() -> [HealthState.Change] {
        defer { changes = [] }
        return changes
    }

    /// The jail is being stopped: that it no longer answers says nothing.
    func end() {
        step = .idle
        isOver = true
    }

    /// A jail that stands still is not asked. Afterwards it has an interval until it is asked again.
    func hold(_ isHeld: Bool, now: Int64 = System.monotonicNanoseconds()) {
        guard isHeld != self.isHeld else { return }
        self.isHeld = isHeld
        if case .asking = step { owed += 1 }
        step = .idle
        if !isHeld { state.postpone(now: now) }
    }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        switch step {
        case .idle, .asking: []
        case .connection(let probe): probe.pollEntries
        case .command(let socket): [System.PollEntry(socket.borrowed, System.PollEvents.readable)]
        }
    }

    /// Monotonic nanoseconds at which ``handle(_:_:now:)`` wants to be called though nothing is ready.
    var due: Int64? {
        if isOver || isHeld { return nil }
        if case .idle = step { return state.next }
        return deadline
    }

    func handle(
        _ ready: System.PollResult, _ means: Means, now: Int64 = System.monotonicNanoseconds()
    ) throws(SystemError) {
        if isOver || isHeld { return }
        switch step {
        case .idle:
            if now >= state.next { try begin(means, now) }
            return
        case .asking: break
        case .connection(let probe):
            probe.handle(ready)
            conclude(probe.outcome, now)
        case .command(let socket): if ready[socket.borrowed] != nil { hear(socket, now) }
        }
        guard now >= deadline else { return }
        switch step {
        case .idle: break
        case .asking:
            owed += 1
            conclude(.failed("jail init does not answer"), now)
        case .connection, .command: conclude(.failed("no answer within \(TimeSpan.format(rules.timeout))"), now)
        }
    }

    // MARK: A probe

    private func begin(_ means: Means, _ now: Int64) throws(SystemError) {
        deadline = now + state.timeout
        if case .exec(let arguments) = rules.probe { return try begin(arguments, means, now) }
        // One that hangs is not asked for more and more.
        guard owed == 0, try means.askForSocket() else {
            return conclude(.failed("jail init does not answer"), now)
        }
        step = .asking
    }

    private func begin(_ arguments: [String], _ means: Means, _ now: Int64) throws(SystemError) {
        let ends: (first: Int32, second: Int32)
        do throws(SystemError) { ends = try System.makeSocketPair(.sequencedPacket).release() } catch {
            guard error.errno.isShortage else { throw error }
            return conclude(.failed("\(error.call.name): \(error.errno)"), now)
        }
        let ours = SharedDescriptor(OwnedDescriptor(ends.first))
        let theirs = SharedDescriptor(OwnedDescriptor(ends.second))
        try System.setNonBlocking(ours.borrowed)
        try System.setNonBlocking(theirs.borrowed)
        guard try means.execute(ExecRequest(arguments: arguments.map { Array($0.utf8) }), theirs) else {
            return conclude(.failed("the command of the last time has not ended"), now)
        }
        step = .command(ours)
    }

    /// A socket that init made, in the order in which they were asked for; nil: it has none.
    func deliver(_ socket: SharedDescriptor?, now: Int64 = System.monotonicNanoseconds()) {
        if owed > 0 {
            owed -= 1
            return
        }
        guard case .asking = step else { return }
        guard let socket = socket?.take() else {
            return conclude(.failed("the jail has no socket left"), now)
        }
        let probe =
            switch rules.probe {
            case .http(let port, let path): SocketProbe(socket, port: port, path: path)
            case .tcp(let port): SocketProbe(socket, port: port, path: nil)
            case .exec: preconditionFailure("a command has no socket")
            }
        step = .connection(probe)
        conclude(probe.outcome, now)
    }

    private func hear(_ socket: SharedDescriptor, _ now: Int64) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receive(socket.borrowed, most: ControlReply.sizeLimit).bytes
        } catch {
            if error.errno == .wouldBlock { return }
            return conclude(.failed("\(error.call.name): \(error.errno)"), now)
        }
        switch ControlReply(bytes) {
        case .ended(0): conclude(.healthy, now)
        case .ended(let status): conclude(.failed("exit status \(status)"), now)
        case .refused(_, let text): conclude(.failed(text.printable), now)
        default: conclude(.failed("it ended in an unknown way"), now)
        }
    }

    private func conclude(_ outcome: SocketProbe.Outcome, _ now: Int64) {
        let failure: String?
        switch outcome {
        case .pending: return
        case .healthy: failure = nil
        case .failed(let reason): failure = "\(rules.probe.shown): \(reason)".printable
        }
        step = .idle
        if let change = state.take(failure, now: now) { changes.append(change) }
    }
}
