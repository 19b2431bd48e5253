/// A day of the proleptic Gregorian calendar, counted in eras of 400 years that begin in March, so that a leap day comes last
/// (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). The one of Foundation's is not linked.
package struct CivilDate: Equatable, Sendable {
    package let year: Int64
    package let month: Int64
    package let day: Int64

    package init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// - Parameter days: since 1970-01-01; before it, below 0.
    package init(daysSinceEpoch days: Int64) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(roundingDown: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var daysSinceEpoch: Int64 {
        let (era, yearOfEra) = (year - (month <= 2 ? 1 : 0)).quotientAndRemainder(roundingDown: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `2026-11-30`.
    package var text: String {
        let digits = String(max(0, min(year, 9999)))
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits + "-\(month.twoDigits)-\(day.twoDigits)"
    }
}

/// Moments in UTC as people and names of files have them, from seconds since the epoch. From 1970 to 9999; others are the
/// nearest of these.
package enum UTCTime {
    /// `2026-11-30T04:15:00Z`, see RFC 3339.
    package static func text(_ seconds: Int64) -> String {
        let (date, clock) = parts(seconds)
        return "\(date)T\(clock)Z"
    }

    /// `2026-11-30 04:15:00`.
    package static func shown(_ seconds: Int64) -> String {
        let (date, clock) = parts(seconds)
        return "\(date) \(clock)"
    }

    /// `20261130T041500Z`: sorts as the times do.
    package static func compact(_ seconds: Int64) -> String {
        text(seconds).replacing("-", with: "").replacing(":", with: "")
    }

    private static func parts(_ seconds: Int64) -> (date: String, clock: String) {
        let seconds = max(0, min(seconds, 253_402_300_799))
        return (CivilDate(daysSinceEpoch: seconds / 86_400).text, clock(seconds % 86_400))
    }

    /// `04:15:00`, of seconds since midnight.
    package static func clock(_ seconds: Int64) -> String {
        [seconds / 3600, seconds / 60 % 60, seconds % 60].map(\.twoDigits).joined(separator: ":")
    }
}

extension Int64 {
    package var twoDigits: String { self < 10 ? "0\(self)" : "\(self)" }

    /// As floor division has it, for a positive divisor.
    package func quotientAndRemainder(roundingDown divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
