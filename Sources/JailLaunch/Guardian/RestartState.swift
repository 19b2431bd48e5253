internal import JailCore
internal import JailPolicy

/// Whether a jail that has ended is started again, and when. Pure: time is told, nothing is asked.
struct RestartState {
    /// A start that is to come.
    struct Wait: Equatable {
        /// Among those that count, see ``RestartRules/within``; the first is 1.
        var attempt: Int
        /// Nanoseconds.
        var delay: Int64
        /// Why it ended.
        var reason: String
    }

    enum Verdict: Equatable {
        /// It stays ended. The text: why, where that is not plain from how it ended.
        case end(String?)
        case wait(Wait)
    }

    private let rules: RestartRules
    /// Ever: what has never run is not tried again.
    private var hasRun = false
    /// Somebody has asked for its end, or a rule has: nothing starts it again.
    private(set) var isFinal = false
    private var asksHealth = false
    /// Monotonic nanoseconds since which it has been healthy or, where nobody asks, up; nil: it is not.
    private var wellSince: Int64?
    /// It is being stopped because it was unhealthy.
    private var ailment: String?
    /// Nanoseconds of the next wait.
    private var delay: Int64
    /// Monotonic nanoseconds of the restarts that count.
    private var recent: [Int64] = []
    /// Restarts in all.
    private(set) var count = 0

    init(_ rules: RestartRules) {
        self.rules = rules
        delay = Self.nanoseconds(rules.delay)
    }

    /// A supervisor has been started.
    mutating func begin(asksHealth: Bool) {
        self.asksHealth = asksHealth
        wellSince = nil
        ailment = nil
    }

    mutating func refuseMore() { isFinal = true }

    /// - Returns: whether the jail is to be stopped now, to be started again.
    mutating func take(_ word: GuardianWord, now: Int64) -> Bool {
        switch word {
        case .started:
            hasRun = true
            if !asksHealth { wellSince = now }
        case .healthy: wellSince = wellSince ?? now
        case .unhealthy(let reason):
            restIfWell(now)
            wellSince = nil
            guard !isFinal, ailment == nil, rules.on == .unhealthy || rules.on == .always else { return false }
            ailment = reason
            return true
        case .final: isFinal = true
        }
        return false
    }

    /// The supervisor has ended.
    mutating func end(_ how: Termination, now: Int64) -> Verdict {
        restIfWell(now)
        guard hasRun, !isFinal else { return .end(nil) }
        if case .exited(let status) = how, Self.final.contains(status) {
            return .end("restart: status \(status) is none that another start would mend")
        }
        guard let reason = reason(how) else { return .end(nil) }
        recent.removeAll { now - $0 > Self.nanoseconds(rules.within) }
        guard recent.count < rules.most else {
            return .end(
                "restart: \(reason), and it was started again \(rules.most) times within "
                    + "\(TimeSpan.format(rules.within)) already: it stays ended")
        }
        recent.append(now)
        count += 1
        defer { delay = min(delay * 2, Self.nanoseconds(rules.longest)) }
        return .wait(Wait(attempt: recent.count, delay: delay, reason: reason))
    }

    /// Statuses of clawjail's own, and of a command that is not there: the same again.
    private static let final = [
        ExitStatus.configuration, ExitStatus.usage, ExitStatus.notExecutable, ExitStatus.notFound,
    ]

    /// Who has been well for the longest wait begins with the shortest.
    private mutating func restIfWell(_ now: Int64) {
        guard let since = wellSince, now - since >= Self.nanoseconds(rules.longest) else { return }
        delay = Self.nanoseconds(rules.delay)
    }

    /// nil: such an end is one that was to come.
    private func reason(_ how: Termination) -> String? {
        if let ailment { return "unhealthy: \(ailment)" }
        switch how {
        case .exited(0): return rules.on == .always ? "exit status 0" : nil
        case .exited(let status): return "exit status \(status)"
        case .signalled(let signal): return "its supervisor was killed by signal \(signal)"
        }
    }

    private static func nanoseconds(_ milliseconds: UInt64) -> Int64 {
        Int64(clamping: milliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
    }
}
