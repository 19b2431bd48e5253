internal import Glibc
internal import JailCgroups
internal import JailCore

/// A jail that is stopped where it is, and goes on when it is told to. Callers hear when that is so, and not before.
///
/// Where the jail has a control group of version 2 the kernel freezes it. Elsewhere jail init stops everybody, see
/// ``Standstill``, and as long as the jail is to stand still the supervisor looks again and again whether it does.
struct JailPause {
    enum Change: Equatable {
        case paused, resumed
        /// Processes that went on by themselves, and were stopped again.
        case strayed([Int32])
    }

    /// Sends an order to init; false if it takes no more at the moment.
    typealias Order = Execs.Order
    /// Host ids of the jail's processes that do not stand still.
    typealias Look = () throws(SystemError) -> [Int32]

    /// Nanoseconds that the processes have to stop. One in the kernel's hands (a device that does not answer) takes longer.
    private let patience: Int64
    private let freezer: Freezer?
    private let findMoving: Look
    private var waiting: [SharedDescriptor] = []
    /// Monotonic nanoseconds by which the processes must have stopped, or be going on; nil: it is as it was asked for.
    private var deadline: Int64?
    /// What was asked for last. From the first moment of it nothing in the jail answers any more.
    private(set) var isPaused = false
    private var mustHold = false
    /// It was to stand still for good, and does not.
    private(set) var hasFailed = false
    private var changes: [Change] = []
    private var last = Change.resumed

    // Without a freezer:
    /// Orders that init has not answered yet.
    private var owed = 0
    /// Looks in a row that found nobody moving.
    private var quietLooks = 0
    /// Monotonic nanoseconds of the next look.
    private var nextLook: Int64?
    /// Everybody is to go on, and init could not be told yet.
    private var owesContinue = false
    private var pace = JailPause.shortestPace
    /// Pauses that somebody inside has broken in a row.
    private(set) var strays = 0

    private static let shortestPace: Int64 = 1_000_000
    private static let longestPace: Int64 = 50_000_000
    /// Between two looks at a jail that stands still.
    private static let watchPace: Int64 = 100_000_000

    /// - Parameters:
    ///   - group: nil where the jail has none.
    ///   - patience: nanoseconds that its processes have to stop.
    init(
        _ group: Cgroup?, patience: Int64 = 5_000_000_000, findMoving: @escaping Look
    ) throws(SystemError) {
        self.patience = patience
        self.findMoving = findMoving
        if let group { freezer = try Freezer(group) } else { freezer = nil }
    }

    var pollEntries: [System.PollEntry] { deadline == nil ? [] : freezer.map { [$0.pollEntry] } ?? [] }

    /// Monotonic nanoseconds at which ``handle(_:_:)`` wants to be called though nothing is ready.
    var due: Int64? { [deadline, nextLook].compactMap { $0 }.min() }

    /// It was asked for, and every process has been seen to stand still.
    var isEstablished: Bool { isPaused && deadline == nil }

    mutating func takeChanges() -> [Change] {
        defer { changes = [] }
        return changes
    }

    /// Answers once it is so, or cannot be had.
    ///
    /// - Parameters:
    ///   - caller: nil: the supervisor itself.
    ///   - mustHold: for good; a jail that cannot be stopped does not go on, see ``hasFailed``.
    mutating func ask(
        paused: Bool, for caller: SharedDescriptor?, mustHold: Bool = false, _ order: Order
    ) throws(SystemError) {
        if mustHold { self.mustHold = true }
        guard try set(paused, caller, order) else {
            hasFailed = self.mustHold
            return
        }
        // Whoever waits for the opposite will not see it.
        if paused != isPaused { abandon() }
        isPaused = paused
        if let caller { waiting.append(caller) }
        deadline = System.monotonicNanoseconds() + patience
        strays = 0
        try look(order)
    }

    private mutating func set(
        _ paused: Bool, _ caller: SharedDescriptor?, _ order: Order
    ) throws(SystemError) -> Bool {
        guard let freezer else {
            if try signal(paused, order) { return true }
            reply(
                .refused(ExitStatus.notRunning, "supervise: the jail's init does not keep up; try again"),
                to: [caller].compactMap { $0 })
            return false
        }
        do throws(SystemError) { try freezer.set(frozen: paused) } catch {
            reply(
                .refused(ExitStatus.launchFailed, JailError(.cgroup, error, path: "cgroup.freeze").description),
                to: [caller].compactMap { $0 })
            return false
        }
        return true
    }

    private mutating func signal(_ paused: Bool, _ order: Order) throws(SystemError) -> Bool {
        guard try order(ControlMessage(.signalAll, value: paused ? SIGSTOP : SIGCONT), []) else { return false }
        owed += 1
        owesContinue = false
        quietLooks = 0
        pace = Self.shortestPace
        nextLook = System.monotonicNanoseconds()
        return true
    }

    /// Init has sent a signal to everybody. Throws what it would never say.
    mutating func acknowledge(_ order: Order) throws(SystemError) {
        guard owed > 0 else { throw SystemError(.check, .invalid) }
        owed -= 1
        // Whether they stand, the next look finds out: init's answers do not drive this, its owner's pace does.
        if !isPaused { try look(order) }
    }

    private mutating func abandon() {
        reply(.refused(ExitStatus.notRunning, "supervise: somebody else has asked for the opposite"), to: waiting)
        waiting = []
    }

    /// The processes go on, for a jail that is to end.
    mutating func resume(_ order: Order) throws(SystemError) {
        guard isPaused, !mustHold else { return }
        try letGo(order)
        abandon()
        tell(.resumed)
    }

    private mutating func letGo(_ order: Order) throws(SystemError) {
        isPaused = false
        deadline = nil
        nextLook = nil
        if let freezer { try? freezer.set(frozen: false) } else { try goOn(order) }
    }

    /// An order that init has no room for is tried again.
    private mutating func goOn(_ order: Order) throws(SystemError) {
        owesContinue = try !signal(false, order)
        nextLook = owesContinue ? System.monotonicNanoseconds() + Self.longestPace : nil
    }

    /// Once: whoever asks for what is so already changes nothing.
    private mutating func tell(_ change: Change) {
        guard change != last else { return }
        last = change
        changes.append(change)
    }

    /// Looks whether it is as it was asked for, or will not be.
    mutating func handle(_ ready: System.PollResult, _ order: Order) throws(SystemError) {
        let now = System.monotonicNanoseconds()
        if let deadline, now >= deadline { return try giveUp(order) }
        if pollEntries.contains(where: { ready[$0.descriptor] != nil }) { return try look(order) }
        guard let nextLook, now >= nextLook else { return }
        if owesContinue { return try goOn(order) }
        if deadline == nil { try watch(order) } else { try look(order) }
    }

    private mutating func look(_ order: Order) throws(SystemError) {
        guard deadline != nil, try isAsAsked(order) else { return }
        deadline = nil
        nextLook = freezer == nil && isPaused ? System.monotonicNanoseconds() + Self.watchPace : nil
        tell(isPaused ? .paused : .resumed)
        reply(.done, to: waiting)
        waiting = []
    }

    private mutating func isAsAsked(_ order: Order) throws(SystemError) -> Bool {
        if let freezer { return (try? freezer.isFrozen) == isPaused }
        // Who was continued goes on, whenever it is its turn.
        guard isPaused else { return owed == 0 }
        nextLook = System.monotonicNanoseconds() + pace
        pace = min(pace * 2, Self.longestPace)
        // What cannot be seen is not said to stand still: the deadline comes.
        guard owed == 0, let moving = try? findMoving() else { return false }
        if moving.isEmpty {
            quietLooks += 1
            if quietLooks == 1 { nextLook = System.monotonicNanoseconds() + Self.shortestPace }
            return quietLooks > 1
        }
        quietLooks = 0
        // One that was ending may have let others go on, see setpgid(2) on orphaned groups.
        if pace > Self.shortestPace * 4, try order(ControlMessage(.signalAll, value: SIGSTOP), []) { owed += 1 }
        return false
    }

    /// A timer of its own, or an event at a descriptor, can send SIGCONT to a process that has asked for it.
    private mutating func watch(_ order: Order) throws(SystemError) {
        nextLook = System.monotonicNanoseconds() + Self.watchPace
        guard owed == 0 else { return }
        let moving = (try? findMoving()) ?? []
        guard !moving.isEmpty, try order(ControlMessage(.signalAll, value: SIGSTOP), []) else { return }
        owed += 1
        strays += 1
        if strays == 1 { changes.append(.strayed(moving)) }
    }

    /// A jail that is half stopped is neither: it goes on.
    private mutating func giveUp(_ order: Order) throws(SystemError) {
        if mustHold {
            hasFailed = true
            deadline = nil
            reply(
                .refused(ExitStatus.notRunning, "lockdown: its processes have not all stopped; it is killed"),
                to: waiting)
            waiting = []
            return
        }
        try letGo(order)
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
