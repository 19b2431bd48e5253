internal import JailCgroups
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The rules of alerts in the supervisor's poll loop: what it sees goes to ``AlertState``, and what comes of it is told.
final class AlertWatch {
    private let plan: AlertsPlan
    private var state: AlertState
    private let group: Cgroup?
    private let file: BaselineFile?
    private let journal = JournalSocket.forAlerts
    private var notices: [JailNotice] = []
    /// Monotonic nanoseconds at which the memory in use is looked at, and at which what was learned is kept.
    private var nextLook: Int64?
    private var nextSave: Int64?
    private var saved: Baseline?
    /// Of what is told once.
    private var hasFailed: Set<String> = []
    /// Waits for a jail to stand still, see ``JailPause``.
    private(set) var pausing: SharedDescriptor?

    /// Nanoseconds.
    private static let lookInterval: Int64 = 5_000_000_000
    private static let saveInterval: Int64 = 600_000_000_000

    /// - Parameter group: nil where the jail has none.
    init(_ plan: AlertsPlan, group: Cgroup?) {
        self.plan = plan
        self.group = group
        let now = System.monotonicNanoseconds()
        file = plan.baseline.map { BaselineFile(path: $0) }
        if let file {
            let (baseline, refusal) = file.read(wall: System.realtimeSeconds())
            state = AlertState(plan.rules, baseline: baseline)
            saved = baseline
            nextSave = now + Self.saveInterval
            if let refusal {
                tellOnce("baseline", "'\(file.path.printable)' is not read: \(refusal); it is learned anew")
            }
        } else {
            state = AlertState(plan.rules)
        }
        if plan.watches(.memory), group != nil { nextLook = now + Self.lookInterval }
    }

    // MARK: What happens

    func see(_ event: JSON) {
        guard let facts = AlertFacts(event) else {
            if event.isResumed { state.resumed() }
            return
        }
        state.see(facts, now: System.monotonicNanoseconds(), wall: System.realtimeSeconds())
    }

    /// Bytes that the command has written to its standard error.
    func see(errorBytes: Int) {
        guard errorBytes > 0 else { return }
        state.count(.stderr, UInt64(errorBytes), now: System.monotonicNanoseconds())
    }

    /// Monotonic nanoseconds at which ``work(now:)`` wants to be called.
    var due: Int64? { [state.due, nextLook, nextSave].compactMap(\.self).min() }

    func work(now: Int64 = System.monotonicNanoseconds()) {
        if let next = nextLook, now >= next {
            nextLook = now + Self.lookInterval
            if let memory = group?.memoryInUse { state.see(memory: memory, now: now) }
        }
        if let next = nextSave, now >= next {
            nextSave = now + Self.saveInterval
            save()
        }
        if let due = state.due, now >= due { state.tick(now: now) }
    }

    /// The jail has ended.
    func finish() {
        pausing = nil
        state.finish(now: System.monotonicNanoseconds())
        save()
    }

    func takeAlerts() -> [Alert] { state.takeAlerts() }

    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    private func save() {
        guard let file, let baseline = state.baseline, baseline != saved else { return }
        do throws(JailError) {
            try file.write(baseline)
            saved = baseline
        } catch { tellOnce("baseline", "what is usual for this jail is not kept: \(error)") }
    }

    private func tellOnce(_ what: String, _ text: String) {
        guard hasFailed.insert(what).inserted else { return }
        notices.append(.note("alerts: \(text)"))
        notices.append(.event(["event": "alerts", "failed": .string(what), "message": .string(text)]))
    }

    // MARK: Actions

    func writeJournal(_ alert: Alert, jail: String) {
        do throws(SystemError) {
            try journal.send(alert, jail: jail)
        } catch { tellOnce("journal", "the host's log takes nothing: \(error.call.name): \(error.errno)") }
    }

    /// What an action starts on the host, and what that reads; nil: it starts nothing.
    func program(_ action: AlertAction, _ alert: Alert, jail: String) -> (command: HostCommandPlan, input: [UInt8])? {
        AlertPrograms.prepare(action, alert, of: plan, jail: jail)
    }

    /// The end of a connection at which what becomes of the pause is heard.
    func awaitPause(_ reply: SharedDescriptor) { pausing = reply }

    /// What has become of it; nil: nothing yet. It is told once.
    func takePause(_ ready: System.PollResult) -> ControlReply? {
        guard let reply = pausing, ready[reply.borrowed] != nil else { return nil }
        do throws(SystemError) {
            let bytes = try System.receive(reply.borrowed, most: ControlReply.sizeLimit).bytes
            pausing = nil
            return ControlReply(bytes) ?? .refused(ExitStatus.launchFailed, "nobody answers")
        } catch {
            if error.errno == .wouldBlock { return nil }
            pausing = nil
            return .refused(ExitStatus.launchFailed, "\(error.call.name): \(error.errno)")
        }
    }

    func tellUnpaused(_ reason: String) {
        let text = "the jail cannot be paused, and is stopped instead: \(reason)"
        notices.append(.note("alerts: \(text.printable)"))
        notices.append(.event(["event": "alerts", "failed": "pause", "message": .string(text.printable)]))
    }
}

extension JSON {
    fileprivate var isResumed: Bool {
        guard case .object(let members) = self, case .string("resumed")? = members.first?.1 else { return false }
        return true
    }
}
