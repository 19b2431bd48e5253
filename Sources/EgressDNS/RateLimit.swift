package import NIOCore

/// A token bucket: so much at once, and then no more than that in a minute.
package struct RateLimit: Sendable {
    private let burst: Int64
    private let perMinute: Int64
    /// Sixty thousand millionths of a token are one token; kept in nanosecond units so that no fraction is lost.
    private var credit: Int64
    private var updated: NIODeadline?

    private static let minute: Int64 = 60_000_000_000

    /// Both at least 1 and at most 100,000.
    package init(burst: Int, perMinute: Int) {
        self.burst = Int64(min(max(burst, 1), 100_000))
        self.perMinute = Int64(min(max(perMinute, 1), 100_000))
        credit = self.burst * Self.minute
    }

    /// Takes one, if there is one.
    package mutating func take(now: NIODeadline) -> Bool {
        let elapsed = updated.map { max(0, min((now - $0).nanoseconds, Self.minute)) } ?? 0
        updated = now
        credit = min(credit + elapsed * perMinute, burst * Self.minute)
        guard credit >= Self.minute else { return false }
        credit -= Self.minute
        return true
    }
}
