/// How fast new questions may come: whoever is asked too often says yes to everything. Equal ones that wait together count
/// once.
struct ApprovalFlood {
    /// At once, after a while in which none came.
    static let most: Int64 = 20
    /// Nanoseconds for one more.
    static let interval: Int64 = 3_000_000_000

    private var left = most
    private var since: Int64

    init(_ now: ApprovalMoment) { since = now.monotonic }

    /// False: there was one too many.
    mutating func take(_ now: ApprovalMoment) -> Bool {
        let gained = max(0, now.monotonic - since) / Self.interval
        left = min(Self.most, left + gained)
        since = left == Self.most ? now.monotonic : since + gained * Self.interval
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
