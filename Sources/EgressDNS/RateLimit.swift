package import NIOCore

/// A token bucket: so much at once, and then no more than that in a minute.
package struct RateLimit: Sendable {
    private let burst: Double
    private let perMinute: Double
    private var tokens: Double
    private var updated: NIODeadline?

    /// Both at least 1.
    package init(burst: UInt64, perMinute: UInt64) {
        self.burst = Double(burst)
        self.perMinute = Double(perMinute)
        tokens = self.burst
    }

    /// Takes one, if there is one.
    package mutating func take(now: NIODeadline) -> Bool {
        let last = updated ?? now
        updated = max(last, now)
        if now > last { tokens = min(burst, tokens + perMinute * Double((now - last).nanoseconds) / 60e9) }
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
