internal import JailCore

/// Calls that came too fast to be looked at: counted, and told now and then. A record for each would be a flood of its own.
struct SurplusCalls {
    /// Nanoseconds between two records.
    static let interval: Int64 = 5_000_000_000

    private var count: UInt64 = 0
    /// Monotonic nanoseconds before which nothing more is told.
    private var next: Int64?

    /// Monotonic nanoseconds at which ``due(_:)`` has something to say.
    var due: Int64? { next }

    /// The first one is told at once.
    mutating func add(_ now: Int64) -> [JailNotice] {
        count += 1
        guard next == nil else { return [] }
        return tell(now)
    }

    mutating func due(_ now: Int64) -> [JailNotice] {
        guard let next, now >= next else { return [] }
        self.next = nil
        return count > 0 ? tell(now) : []
    }

    private mutating func tell(_ now: Int64) -> [JailNotice] {
        let refusal = CommandRefusal.tooFast
        let event: JSON = [
            "event": "command", "verdict": "denied", "status": .number(UInt64(refusal.status)),
            "message": .string(refusal.reason), "count": .number(count),
        ]
        count = 0
        next = now + Self.interval
        return [.event(event), .note("command denied: \(refusal.reason)")]
    }
}
