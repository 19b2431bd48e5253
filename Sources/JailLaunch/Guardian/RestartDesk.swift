internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Answers callers at a jail's socket while the jail waits to be started again.
struct RestartDesk {
    private let plan: LaunchPlan
    private let wait: RestartState.Wait
    /// Monotonic nanoseconds of the next start.
    private let until: Int64
    /// The same in milliseconds since the epoch.
    private let date: Int64
    private let restarts: Int
    private var waiting: [SharedDescriptor] = []
    private var isEnded = false
    /// Somebody has paused the jail: it is not started before they let it go on.
    private var isHeld = false

    init(_ plan: LaunchPlan, _ wait: RestartState.Wait, until: Int64, date: Int64, restarts: Int) {
        self.plan = plan
        self.wait = wait
        self.until = until
        self.date = date
        self.restarts = restarts
    }

    /// What the run directory says meanwhile.
    var stateText: String {
        var state = JailState(plan)
        state.guardian = (System.processID, restarts)
        state.waiting = ["until": .number(date), "attempt": .number(wait.attempt), "reason": .string(wait.reason)]
        return state.json.text() + "\n"
    }

    /// Whoever waits for the end of the jail.
    mutating func takeWaiting() -> [SharedDescriptor] {
        defer { waiting = [] }
        return waiting
    }

    /// - Parameters:
    ///   - hasEnded: takes the signals that have come; true if one of them ends the jail.
    ///   - record: writes to the log of the jail.
    /// - Returns: true when it is time to start; false if somebody has asked for the end.
    mutating func serve(
        _ listener: SharedDescriptor, _ signals: SharedDescriptor, hasEnded: () throws(SystemError) -> Bool,
        record: (JSON) throws(JailError) -> Void
    ) throws(SystemError) -> Bool {
        var callers = ControlSocket(listener)
        while true {
            let now = System.monotonicNanoseconds()
            if !isHeld, now >= until { return true }
            var entries = callers.pollEntries
            entries.append(.init(signals.borrowed, System.PollEvents.readable))
            let next = [isHeld ? nil : until, callers.due].compactMap(\.self).min()
            let patience = next.map { Int32(clamping: max(0, ($0 - now) / 1_000_000 + 1)) }
            try System.poll(&entries, milliseconds: patience ?? -1)
            let ready = System.PollResult(entries)
            if ready[signals.borrowed] != nil, try hasEnded() { return false }
            for (request, caller) in callers.handle(ready) { answer(request, caller, record) }
            if isEnded { return false }
        }
    }

    private mutating func answer(
        _ request: ControlRequest, _ caller: SharedDescriptor, _ record: (JSON) throws(JailError) -> Void
    ) {
        switch request {
        // There is nothing that could stand still, and nothing will be there: the caller sees the end.
        case .stop, .kill, .lockdown:
            isEnded = true
            waiting.append(caller)
        case .pause, .resume:
            isHeld = if case .pause = request { true } else { false }
            send(.done, to: caller)
        case .state:
            let state: JSON = [
                "ready": false, "execs": 0, "lastUsed": 0, "paused": .boolean(isHeld), "health": .null,
                "lockdown": false, "waiting": .boolean(true),
            ]
            send(.state(state.text()), to: caller)
        case .saved(let note):
            do throws(JailError) {
                try record(note.event)
                send(.done, to: caller)
            } catch { send(.refused(error.status, error.description), to: caller) }
        // Read anew at the next start anyway; what was done is recorded all the same.
        case .secret(let note):
            let names = (plan.network.egress?.secrets.names ?? []).filter { note.name == nil || note.name == $0 }
            let status = names.isEmpty ? ExitStatus.notThere : 0
            do throws(JailError) {
                for name in names { try record(note.event(name, "waiting", uid: nil)) }
                send(status == 0 ? .done : .refused(status, "secrets: this jail binds no such secret"), to: caller)
            } catch { send(.refused(error.status, error.description), to: caller) }
        // The listener's own, see `ControlSocket`.
        case .restrict: break
        case .execute, .signal, .plan, .fileSystems, .seal, .figures, .recent, .verified, .approvals:
            let left = UInt64(clamping: max(0, until - System.monotonicNanoseconds()) / 1_000_000_000)
            let when = isHeld ? "once it is resumed" : "in \(TimeSpan.format(left * 1000))"
            send(
                .refused(
                    ExitStatus.notRunning,
                    "supervise: jail '\(plan.name)' has ended (\(wait.reason)), and is started again \(when)"),
                to: caller)
        }
    }

    /// A caller that is gone hears nothing.
    private func send(_ reply: ControlReply, to caller: SharedDescriptor) {
        withExtendedLifetime(caller) { try? System.send(caller.borrowed, reply.bytes) }
    }
}
