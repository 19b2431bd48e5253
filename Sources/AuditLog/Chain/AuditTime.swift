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
        let date = CivilDate(days: days)
        func two(_ value: Int64) -> String { (value < 10 ? "0" : "") + String(value) }
        let fraction = String(String(1000 + rest % 1000).dropFirst())
        return "\(date.text)T\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60)):\(two(rest / 1000 % 60)).\(fraction)Z"
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
        let midnight = CivilDate(year: year, month: month, day: day).days * 86_400_000
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

/// A day of the Gregorian calendar, counted from 1970-01-01. The arithmetic is of years that begin in March, whose leap day
/// comes last.
private struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(days: Int64) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(roundingDown: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var days: Int64 {
        let (era, yearOfEra) = (year - (month <= 2 ? 1 : 0)).quotientAndRemainder(roundingDown: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    var text: String {
        func two(_ value: Int64) -> String { (value < 10 ? "0" : "") + String(value) }
        let digits = String(max(0, min(year, 9999)))
        return String(repeating: "0", count: 4 - digits.count) + digits + "-\(two(month))-\(two(day))"
    }
}

extension Int64 {
    /// As floor division has it, for a positive divisor.
    fileprivate func quotientAndRemainder(roundingDown divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
