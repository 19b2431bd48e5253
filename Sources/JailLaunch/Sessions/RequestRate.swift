internal import JailCore

/// How fast a jail may have processes of the host's started for it: they count to none of its limits.
struct RequestRate {
    /// Requests that may come at once.
    static let burst = 64
    /// Nanoseconds until one more may come.
    static let interval: Int64 = 250_000_000

    private var left = RequestRate.burst
    private var since = System.monotonicNanoseconds()

    /// Whether one may come now; it is counted then.
    mutating func take(now: Int64 = System.monotonicNanoseconds()) -> Bool {
        let earned = max(0, (now - since) / Self.interval)
        since += earned * Self.interval
        left = min(Self.burst, left + Int(clamping: earned))
        // Time that a full bucket cannot hold is gone.
        if left == Self.burst { since = now }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
