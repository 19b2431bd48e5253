internal import JailPolicy

/// What is thought of a jail's health, from what its probes found. Pure: time is told, nothing is asked.
struct HealthState {
    enum Condition: String {
        /// Since the command's start, until the first success or the end of the start period.
        case starting
        case healthy, unhealthy
    }

    struct Change: Equatable {
        var condition: Condition
        /// Why it is unhealthy.
        var reason: String?
        /// It was unhealthy, or failed, before.
        var isAgain = false
    }

    private let rules: HealthRules
    private let began: Int64
    private(set) var condition = Condition.starting
    /// In a row.
    private var failures: UInt64 = 0
    private var pause = Self.firstPause
    /// Monotonic nanoseconds at which the next probe is due.
    private(set) var next: Int64

    /// Nanoseconds. A command that is over before has never been asked.
    private static let firstPause: Int64 = 250_000_000
    /// While it starts, it is asked at least so often.
    private static let longestPause: Int64 = 1_000_000_000

    /// - Parameter now: monotonic nanoseconds at which the command was started.
    init(_ rules: HealthRules, now: Int64) {
        self.rules = rules
        began = now
        next = now + min(Self.firstPause, Self.nanoseconds(rules.interval))
    }

    /// Nanoseconds that one probe may take.
    var timeout: Int64 { Self.nanoseconds(rules.timeout) }

    /// - Parameter failure: nil: the probe succeeded.
    /// - Returns: what is thought otherwise now than before.
    mutating func take(_ failure: String?, now: Int64) -> Change? {
        defer { next = now + waitTime() }
        guard let failure else {
            failures = 0
            defer { condition = .healthy }
            return condition == .healthy
                ? nil : Change(condition: .healthy, isAgain: condition == .unhealthy)
        }
        switch condition {
        case .unhealthy: return nil
        case .starting:
            guard now - began >= Self.nanoseconds(rules.startPeriod) else { return nil }
            condition = .unhealthy
            return Change(
                condition: .unhealthy,
                reason: "not healthy within \(TimeSpan.format(rules.startPeriod)) of its start: \(failure)")
        case .healthy:
            failures += 1
            guard failures >= rules.retries else { return nil }
            condition = .unhealthy
            return Change(
                condition: .unhealthy, reason: failures == 1 ? failure : "\(failures) times in a row: \(failure)")
        }
    }

    /// What was found before counts no more; the next probe is an interval away.
    mutating func postpone(now: Int64) {
        failures = 0
        next = now + Self.nanoseconds(rules.interval)
    }

    private mutating func waitTime() -> Int64 {
        let interval = Self.nanoseconds(rules.interval)
        guard condition == .starting else { return interval }
        pause = min(pause * 2, Self.longestPause)
        return min(pause, interval)
    }

    private static func nanoseconds(_ milliseconds: UInt64) -> Int64 {
        Int64(clamping: milliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
    }
}
