internal import JailCore

/// When something happened, by both clocks: people and other hosts need the one, and nobody can set the other.
package struct AuditTime: Equatable, Sendable {
    /// Milliseconds since the epoch.
    package var wall: Int64
    /// Nanoseconds of CLOCK_MONOTONIC: since the host was started.
    package var monotonic: Int64

    package init(wall: Int64, monotonic: Int64) {
        self.wall = wall
        self.monotonic = monotonic
    }

    package static var now: AuditTime {
        AuditTime(wall: System.realtimeMilliseconds(), monotonic: System.monotonicNanoseconds())
    }

    /// As RFC 3339 has it, in UTC: `2026-03-01T09:30:00.125Z`.
    package static func text(_ milliseconds: Int64) -> String {
        let (days, rest) = milliseconds.quotientAndRemainder(roundingDown: 86_400_000)
        let fraction = String(1000 + rest % 1000).dropFirst()
        return "\(CivilDate(daysSinceEpoch: days).text)T\(UTCTime.clock(rest / 1000)).\(fraction)Z"
    }

    /// Milliseconds since the epoch; nil: it is not what ``text(_:)`` writes. The time may be left out, and is midnight then.
    package static func milliseconds(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 10 || bytes.count == 20 || bytes.count == 24 else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64? {
            var result: Int64 = 0
            for byte in bytes[from..<(from + count)] {
                guard (0x30...0x39).contains(byte) else { return nil }
                result = result * 10 + Int64(byte - 0x30)
            }
            return result
        }
        guard let year = number(0, 4), bytes[4] == 0x2D, let month = number(5, 2), (1...12).contains(month),
            bytes[7] == 0x2D, let day = number(8, 2), (1...31).contains(day)
        else { return nil }
        let midnight = CivilDate(year: year, month: month, day: day).daysSinceEpoch * 86_400_000
        if bytes.count == 10 { return midnight }
        guard bytes[10] == 0x54, let hour = number(11, 2), hour < 24, bytes[13] == 0x3A, let minute = number(14, 2),
            minute < 60, bytes[16] == 0x3A, let second = number(17, 2), second < 60, bytes.last == 0x5A
        else { return nil }
        let whole = midnight + hour * 3_600_000 + minute * 60_000 + second * 1000
        if bytes.count == 20 { return whole }
        guard bytes[19] == 0x2E, let fraction = number(20, 3) else { return nil }
        return whole + fraction
    }
}
