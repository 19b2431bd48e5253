internal import JailCgroups
internal import JailCore

/// A jail that is stopped where it is, and goes on when it is told to. Callers hear when that is so, and not before.
struct JailPause {
    enum Change { case paused, resumed }

    /// Nanoseconds that the processes have to stop. One in the kernel's hands (a device that does not answer) takes longer.
    private let patience: Int64

    private let freezer: Freezer?
    private var waiting: [SharedDescriptor] = []
    /// Monotonic nanoseconds by which the processes must have stopped, or be going on; nil: it is as it was asked for.
    private(set) var due: Int64?
    /// What was asked for last. From the first moment of it nothing in the jail answers any more.
    private(set) var isPaused = false
    private var changes: [Change] = []
    private var last = Change.resumed

    /// - Parameters:
    ///   - group: nil where the jail has none.
    ///   - patience: nanoseconds that its processes have to stop.
    init(_ group: Cgroup?, patience: Int64 = 5_000_000_000) throws(SystemError) {
        self.patience = patience
        if let group { freezer = try Freezer(group) } else { freezer = nil }
    }

    var pollEntries: [System.PollEntry] { due == nil ? [] : freezer.map { [$0.pollEntry] } ?? [] }

    /// Whether the jail can stand still at all.
    var isPossible: Bool { freezer != nil }

    mutating func takeChanges() -> [Change] {
        defer { changes = [] }
        return changes
    }

    /// Answers once it is so, or cannot be had.
    ///
    /// - Parameter caller: nil: the supervisor itself.
    mutating func ask(paused: Bool, for caller: SharedDescriptor?) {
        guard let freezer else {
            return reply(
                .refused(
                    ExitStatus.configuration,
                    "cgroup: this jail cannot be paused: that takes a control group of version 2, and it has none"),
                to: [caller].compactMap { $0 })
        }
        do throws(SystemError) { try freezer.set(frozen: paused) } catch {
            return reply(
                .refused(ExitStatus.launchFailed, JailError(.cgroup, error, path: "cgroup.freeze").description),
                to: [caller].compactMap { $0 })
        }
        // Whoever waits for the opposite will not see it.
        if paused != isPaused { abandon() }
        isPaused = paused
        if let caller { waiting.append(caller) }
        due = System.monotonicNanoseconds() + patience
        look()
    }

    private mutating func abandon() {
        reply(.refused(ExitStatus.notRunning, "supervise: somebody else has asked for the opposite"), to: waiting)
        waiting = []
    }

    /// The processes go on, for a jail that is to end.
    mutating func resume() {
        guard isPaused else { return }
        try? freezer?.set(frozen: false)
        isPaused = false
        due = nil
        abandon()
        tell(.resumed)
    }

    /// Once: whoever asks for what is so already changes nothing.
    private mutating func tell(_ change: Change) {
        guard change != last else { return }
        last = change
        changes.append(change)
    }

    /// Looks whether it is as it was asked for, or will not be.
    mutating func handle(_ ready: System.PollResult) {
        if let due, System.monotonicNanoseconds() >= due { return giveUp() }
        if pollEntries.contains(where: { ready[$0.descriptor] != nil }) { look() }
    }

    private mutating func look() {
        guard due != nil, let freezer, (try? freezer.isFrozen) == isPaused else { return }
        due = nil
        tell(isPaused ? .paused : .resumed)
        reply(.done, to: waiting)
        waiting = []
    }

    /// A jail that is half stopped is neither: it goes on.
    private mutating func giveUp() {
        try? freezer?.set(frozen: false)
        due = nil
        isPaused = false
        reply(
            .refused(
                ExitStatus.notRunning,
                "cgroup: its processes have not all stopped within \(patience / 1_000_000_000) s, and go on; try again"
            ),
            to: waiting)
        waiting = []
    }

    /// Who has gone away meanwhile hears nothing.
    private func reply(_ reply: ControlReply, to callers: [SharedDescriptor]) {
        for caller in callers {
            withExtendedLifetime(caller) { try? System.send(caller.borrowed, reply.bytes) }
        }
    }
}
