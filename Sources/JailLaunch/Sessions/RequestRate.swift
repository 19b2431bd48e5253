internal import JailCore

/// How fast a jail may have processes of the host's started for it: they count to none of its limits.
struct RequestRate {
    /// Requests that may come at once.
    let burst: Int
    /// Nanoseconds until one more may come.
    let interval: Int64

    private var left: Int
    private var since = System.monotonicNanoseconds()

    init(burst: Int, interval: Int64) {
        self.burst = burst
        self.interval = interval
        left = burst
    }

    static let sessions = RequestRate(burst: 64, interval: 250_000_000)
    static let commands = RequestRate(burst: 256, interval: 25_000_000)

    /// Whether one may come now; it is counted then.
    mutating func take(now: Int64 = System.monotonicNanoseconds()) -> Bool {
        let earned = max(0, (now - since) / interval)
        since += earned * interval
        left = min(burst, left + Int(clamping: earned))
        // Time that a full bucket cannot hold is gone.
        if left == burst { since = now }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
