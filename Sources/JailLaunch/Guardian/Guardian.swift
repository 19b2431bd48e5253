internal import Glibc
package import JailCore
package import JailPlan
internal import JailPolicy
internal import JailScope

/// The process above the supervisors of a jail that is started again when it has ended. Only a jail whose profile asks for
/// that has one.
///
/// It holds the jail's name and its socket from the first start to the last end; supervisors inherit both, and end with it.
/// Single-threaded. It keeps the rights that a launch needs and hears nobody but its supervisor and, while none is there, the
/// callers at the socket: nothing of the jail's reaches it.
package final class Guardian<Starter: GuardedStarter> {
    private let plan: LaunchPlan
    private let starter: Starter
    private let signals: SharedDescriptor
    private let listener: SharedDescriptor
    /// The caller ignored SIGHUP, as nohup(1) does.
    private let ignoresHangUp: Bool
    private var state: RestartState
    /// The caller's terminal, for one that its supervisor did not put back; nil: the jail has none of its own beside it.
    private let terminal: TerminalState?
    /// Whoever waits for the end of the jail: closing is the answer, and that comes with the end of this process.
    private var waiting: [SharedDescriptor] = []

    /// Callers that a supervisor may hand over; those beyond that see their connection end early.
    private static var mostWaiting: Int { 256 }
    private static var endingSignals: [Int32] { [SIGTERM, SIGHUP, SIGINT, SIGQUIT] }

    /// - Returns: the status of the last supervisor, which is the command's.
    /// - Throws: what kept it from watching. Nothing is left behind then.
    package static func run(
        _ plan: LaunchPlan, _ starter: Starter, reporter: inout Starter.Reporter
    ) throws(JailError) -> Int32 {
        var plan = plan
        try LockdownMarker.check(plan)
        try Supervisor.checkProcess()
        let ignoresHangUp = System.isIgnored(SIGHUP)
        try attempt(.supervise) { () throws(SystemError) in try System.resetSignals() }
        // Once for all supervisors: those after the first find themselves in it.
        if let cgroup = plan.limits.cgroup, case .scope(let scope) = cgroup.place {
            plan.limits.cgroup?.place = .v2(parent: try scope.enter(needing: cgroup.controllers))
        }
        let directory = try RunDirectory.reserve(plan.name, in: plan.runtimeDirectory)
        do throws(JailError) {
            try attempt(.supervise) { () throws(SystemError) in
                // Whatever comes now waits until somebody knows what there is to end.
                try System.block(JailWatch.signals)
                try System.setDumpable(false)
                try System.setProcessName("clawjail-guard")
            }
            let signals = try attempt(.supervise) { () throws(SystemError) in
                SharedDescriptor(try System.signalDescriptor(JailWatch.handledSignals))
            }
            let guardian = Guardian(
                plan, starter, signals, listener: SharedDescriptor(try directory.makeSocket()), ignoresHangUp)
            let status = try guardian.guardJail(in: directory, &reporter)
            clear(directory)
            withExtendedLifetime(guardian) {}
            return status
        } catch {
            clear(directory)
            throw error
        }
    }

    private init(
        _ plan: LaunchPlan, _ starter: Starter, _ signals: SharedDescriptor, listener: SharedDescriptor,
        _ ignoresHangUp: Bool
    ) {
        self.plan = plan
        self.starter = starter
        self.signals = signals
        self.listener = listener
        self.ignoresHangUp = ignoresHangUp
        terminal = plan.command.terminal ? try? System.terminalState(.standardInput) : nil
        state = RestartState(plan.restart ?? RestartRules())
    }

    /// What cannot be cleared yet keeps its directory, which tells the next start of it.
    private static func clear(_ directory: consuming RunDirectory) {
        if directory.clearLeftovers(removing: JailState.removeCgroups) { directory.remove() }
    }

    private func guardJail(
        in directory: borrowing RunDirectory, _ reporter: inout Starter.Reporter
    ) throws(JailError) -> Int32 {
        var first: LaunchPlan? = plan
        while true {
            let end = try attempt(.supervise) { () throws(SystemError) in
                try superviseOnce(first, in: directory, &reporter)
            }
            first = nil
            if let terminal, case .signalled = end { try? System.restore(.standardInput, terminal) }
            switch state.end(end, now: System.monotonicNanoseconds()) {
            case .end(let reason):
                if let reason {
                    reporter.note(reason)
                    record(["event": "restart-ended", "message": .string(reason)], &reporter)
                }
                return end.status
            case .wait(let wait):
                // Of a supervisor that was killed something is left, and its processes may still be on their way out.
                _ = directory.clearLeftovers(removing: JailState.removeCgroups)
                guard try self.wait(wait, in: directory, &reporter) else { return end.status }
            }
        }
    }

    // MARK: A supervisor

    private func superviseOnce(
        _ first: LaunchPlan?, in directory: borrowing RunDirectory, _ reporter: inout Starter.Reporter
    ) throws(SystemError) -> Termination {
        let ends = try System.makeSocketPair(.sequencedPacket).release()
        let pid = try System.fork()
        if pid == 0 {
            // Whoever holds both ends of a socket never sees it end.
            System.close(ends.first)
            become(first, channel: ends.second, directory, &reporter)
        }
        System.close(ends.second)
        let channel = SharedDescriptor(OwnedDescriptor(ends.first))
        starter.letGo(&reporter)
        state.begin(asksHealth: plan.health != nil)
        do throws(SystemError) {
            let pidfd = SharedDescriptor(try System.openProcess(pid))
            try System.setNonBlocking(channel.borrowed)
            return try watch(pidfd, channel)
        } catch {
            // A child of this process's that nobody has waited for: its number is nobody else's.
            try? System.kill(pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
            throw error
        }
    }

    /// The forked child's whole life.
    private func become(
        _ first: LaunchPlan?, channel: Int32, _ directory: borrowing RunDirectory, _ reporter: inout Starter.Reporter
    ) -> Never {
        let guardian = System.parentProcessID
        do throws(JailError) {
            let link = GuardianLink(
                guardian: guardian, restarts: state.count, channel: SharedDescriptor(OwnedDescriptor(channel)),
                directory: try directory.duplicate(), listener: listener)
            try attempt(.supervise) { () throws(SystemError) in
                System.close(signals.take().release())
                try System.setNonBlocking(link.channel.borrowed)
                // Or it could not write the id maps of what it clones.
                try System.setDumpable(true)
                try System.setProcessName("clawjail")
            }
            starter.supervise(first, link, &reporter)
        } catch {
            reporter.note(error.description)
            System.exitNow(error.status)
        }
    }

    private func watch(_ pidfd: SharedDescriptor, _ channel: SharedDescriptor) throws(SystemError) -> Termination {
        var isOpen = true
        while true {
            var entries = [
                System.PollEntry(pidfd.borrowed, System.PollEvents.readable),
                System.PollEntry(signals.borrowed, System.PollEvents.readable),
            ]
            if isOpen { entries.append(.init(channel.borrowed, System.PollEvents.readable)) }
            try System.poll(&entries, milliseconds: -1)
            let ready = System.PollResult(entries)
            if isOpen, ready[channel.borrowed] != nil { isOpen = try hear(channel) }
            if ready[signals.borrowed] != nil { try passSignals(to: channel) }
            guard ready[pidfd.borrowed] != nil else { continue }
            // What it said last comes before its end.
            if isOpen { isOpen = try hear(channel) }
            if let end = try System.reapIfEnded(pidfd.borrowed) { return end }
        }
    }

    /// - Returns: false once the supervisor has said its last word.
    private func hear(_ channel: SharedDescriptor) throws(SystemError) -> Bool {
        while true {
            let received: (bytes: [UInt8], descriptors: [Int32])
            do throws(SystemError) {
                received = try System.receiveUpToEnd(channel.borrowed, most: GuardianWord.sizeLimit, descriptors: 1)
            } catch {
                if error.errno == .wouldBlock { return true }
                throw error
            }
            let callers = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
            guard !received.bytes.isEmpty else { return false }
            guard let word = GuardianWord(received.bytes) else { throw SystemError(.check, .invalid) }
            if waiting.count < Self.mostWaiting { waiting += callers }
            if state.take(word, now: System.monotonicNanoseconds()) { order(.restart, channel) }
        }
    }

    /// A supervisor that is gone is seen to end; one that has not read hundreds of orders does not read this one either.
    private func order(_ order: GuardianOrder, _ channel: SharedDescriptor) {
        try? System.send(channel.borrowed, order.bytes)
    }

    private func passSignals(to channel: SharedDescriptor) throws(SystemError) {
        while let signal = try takeSignal() {
            // The terminal tells the supervisor itself of its size.
            if signal != SIGWINCH { order(.signal(signal), channel) }
        }
    }

    /// The next signal that means something here; one that is to end the jail ends it for good.
    private func takeSignal() throws(SystemError) -> Int32? {
        while let signal = try System.nextSignal(signals.borrowed) {
            if signal == SIGHUP, ignoresHangUp { continue }
            if Self.endingSignals.contains(signal) { state.refuseMore() }
            return signal
        }
        return nil
    }

    // MARK: Between two

    /// Answers for the jail until it is time.
    ///
    /// - Returns: false if it stays ended.
    private func wait(
        _ wait: RestartState.Wait, in directory: borrowing RunDirectory, _ reporter: inout Starter.Reporter
    ) throws(JailError) -> Bool {
        let until = System.monotonicNanoseconds() + wait.delay
        let milliseconds = wait.delay / 1_000_000
        let time = TimeSpan.format(UInt64(clamping: milliseconds))
        reporter.note("restart: \(wait.reason); it is started again in \(time), number \(wait.attempt)")
        var desk = RestartDesk(
            plan, wait, until: until, date: System.realtimeMilliseconds() + milliseconds, restarts: state.count)
        try directory.write(desk.stateText, to: RunDirectory.stateFile)
        record(
            [
                "event": "restarting", "reason": .string(wait.reason), "attempt": .number(wait.attempt),
                "delayMilliseconds": .number(milliseconds),
            ], &reporter)
        let isDue = try attempt(.supervise) { () throws(SystemError) in
            // Whoever connects from now on hears that this process is behind the socket.
            try System.listen(listener.borrowed)
            return try desk.serve(
                listener, signals,
                hasEnded: { () throws(SystemError) in
                    while try self.takeSignal() != nil {}
                    return self.state.isFinal
                }, record: { (event) throws(JailError) in try self.write(event, &reporter) })
        }
        waiting += desk.takeWaiting()
        return isDue
    }

    /// In the log of the jail, which nobody else writes now. One that cannot be written keeps the next start from happening.
    private func record(_ event: JSON, _ reporter: inout Starter.Reporter) {
        reporter.event(event)
        do throws(JailError) { try write(event, &reporter) } catch { reporter.note(error.description) }
    }

    private func write(_ event: JSON, _ reporter: inout Starter.Reporter) throws(JailError) {
        let audit = try Audit(plan)
        audit.record(event)
        try Supervisor.end(audit, &reporter)
    }
}
