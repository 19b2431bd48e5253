internal import EgressDNS
package import JailPolicy
package import NIOCore

/// How much a jail may do, counted on the only way out. A budget that is used up is a denial with its name.
package struct Budgets {
    private let limits: NetworkBudgets
    /// Up to a minute's worth at once.
    private var requests: RateLimit
    private var connects: RateLimit
    private var uploads: SlidingSum
    /// Connections of the jail's that are open now.
    package private(set) var connections = 0

    package init(_ limits: NetworkBudgets, now: NIODeadline) {
        self.limits = limits
        requests = RateLimit(burst: limits.requestsPerMinute, perMinute: limits.requestsPerMinute)
        connects = RateLimit(burst: limits.connectionsPerMinute, perMinute: limits.connectionsPerMinute)
        uploads = SlidingSum(limit: limits.uploadPerHour, now: now)
    }

    /// - Returns: the budget that is used up, or nil; then the connection counts until ``closeConnection()``.
    package mutating func openConnection(_ now: NIODeadline) -> String? {
        guard connections < limits.connections else { return "network.budgets.connections (\(limits.connections))" }
        guard connects.take(now: now) else {
            return "network.budgets.connectionsPerMinute (\(limits.connectionsPerMinute))"
        }
        connections += 1
        return nil
    }

    package mutating func closeConnection() { connections -= 1 }

    package mutating func request(_ now: NIODeadline) -> String? {
        requests.take(now: now) ? nil : "network.budgets.requestsPerMinute (\(limits.requestsPerMinute))"
    }

    /// Counts bytes towards an origin, whatever they are.
    package mutating func upload(_ count: Int, _ now: NIODeadline) -> String? {
        uploads.add(UInt64(count), now)
            ? nil : "network.budgets.uploadPerHour (\(ByteSize.format(limits.uploadPerHour)))"
    }
}

/// A sum over the last hour, by the minute.
struct SlidingSum {
    private let limit: UInt64
    private var minutes = [UInt64](repeating: 0, count: 60)
    private var sum: UInt64 = 0
    private var current = 0
    private var minuteStart: NIODeadline

    init(limit: UInt64, now: NIODeadline) {
        self.limit = limit
        minuteStart = now
    }

    /// false: it would exceed the limit, and is not counted.
    mutating func add(_ count: UInt64, _ now: NIODeadline) -> Bool {
        advance(to: now)
        let (total, overflowed) = sum.addingReportingOverflow(count)
        guard !overflowed, total <= limit else { return false }
        sum = total
        minutes[current] += count
        return true
    }

    private mutating func advance(to now: NIODeadline) {
        let minute = TimeAmount.minutes(1)
        guard now - minuteStart < .minutes(60) else {
            minutes = [UInt64](repeating: 0, count: 60)
            sum = 0
            minuteStart = now
            return
        }
        while now - minuteStart >= minute {
            minuteStart = minuteStart + minute
            current = (current + 1) % minutes.count
            sum -= minutes[current]
            minutes[current] = 0
        }
    }
}
