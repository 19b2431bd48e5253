/// How often something has happened in the last sixty seconds, second by second: what is counted takes no more memory.
struct MinuteCount {
    private static let seconds = 60

    private var counts = [UInt32](repeating: 0, count: MinuteCount.seconds)
    private var sum: UInt64 = 0
    /// The newest second that has a place in ``counts``.
    private var newest: Int64 = 0

    /// - Parameter second: of a clock that never goes back.
    mutating func add(at second: Int64) {
        move(to: second)
        let place = Self.place(second)
        guard counts[place] < .max else { return }
        counts[place] += 1
        sum += 1
    }

    mutating func total(at second: Int64) -> UInt64 {
        move(to: second)
        return sum
    }

    private static func place(_ second: Int64) -> Int { Int(second % Int64(seconds)) }

    /// Forgets the seconds that are no longer of this minute.
    private mutating func move(to second: Int64) {
        guard second > newest else { return }
        for old in max(newest + 1, second - Int64(Self.seconds) + 1)...second {
            let place = Self.place(old)
            sum -= UInt64(counts[place])
            counts[place] = 0
        }
        newest = second
    }
}
