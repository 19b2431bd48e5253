/// How often a gateway is started again, whoever asks for it.
struct RestartLimit {
    /// In so many nanoseconds so many times, and then no more.
    private static let interval: Int64 = 60_000_000_000
    private static let most = 5

    private var times: [Int64] = []

    /// - Returns: false if it was too often.
    mutating func take(_ now: Int64) -> Bool {
        times = times.filter { now - $0 < Self.interval }
        guard times.count < Self.most else { return false }
        times.append(now)
        return true
    }
}
