/// What came together within the last so many nanoseconds, give or take a sixtieth of that: never less, so that nothing
/// slips through between two counts.
struct SlidingSum {
    private static let parts: Int64 = 60

    private let width: Int64
    /// The current part and those before it, the oldest of which is still within the time by a bit.
    private var buckets = [UInt64](repeating: 0, count: Int(parts) + 1)
    private var current: Int64 = 0
    private(set) var total: UInt64 = 0

    /// - Parameter nanoseconds: at least 60.
    init(_ nanoseconds: Int64) { width = max(1, nanoseconds / Self.parts) }

    /// - Parameter now: monotonic nanoseconds. A clock that goes backwards stands still.
    mutating func add(_ amount: UInt64, now: Int64) -> UInt64 {
        advance(to: max(current, now / width))
        let index = place(current)
        let (sum, overflowed) = total.addingReportingOverflow(amount)
        // Whatever is that much is above everything.
        guard !overflowed else { return .max }
        total = sum
        buckets[index] += amount
        return total
    }

    mutating func forget() {
        for index in buckets.indices { buckets[index] = 0 }
        total = 0
    }

    private mutating func advance(to part: Int64) {
        guard part - current < Int64(buckets.count) else {
            forget()
            current = part
            return
        }
        while current < part {
            current += 1
            total -= buckets[place(current)]
            buckets[place(current)] = 0
        }
    }

    private func place(_ part: Int64) -> Int { Int(part % Int64(buckets.count)) }
}
