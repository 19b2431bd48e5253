/// Seconds since 1970 as people and file names have them, in UTC.
package enum UTCTime {
    /// Such as `20261130T041500Z`: sorts as the times do.
    package static func compact(_ seconds: Int64) -> String {
        let (date, time) = parts(seconds)
        return "\(four(date.0))\(two(date.1))\(two(date.2))T\(two(time.0))\(two(time.1))\(two(time.2))Z"
    }

    /// Such as `2026-11-30 04:15:00`.
    package static func text(_ seconds: Int64) -> String {
        let (date, time) = parts(seconds)
        return "\(four(date.0))-\(two(date.1))-\(two(date.2)) \(two(time.0)):\(two(time.1)):\(two(time.2))"
    }

    private typealias Three = (Int64, Int64, Int64)

    /// The civil calendar counted in eras of 400 years that begin in March, as Howard Hinnant describes it in
    /// "chrono-Compatible Low-Level Date Algorithms".
    private static func parts(_ seconds: Int64) -> (date: Three, time: Three) {
        let seconds = max(0, min(seconds, 253_402_300_799))
        let days = seconds / 86_400 + 719_468
        let rest = seconds % 86_400
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (
            (year + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day),
            (rest / 3600, rest / 60 % 60, rest % 60)
        )
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    private static func four(_ value: Int64) -> String {
        String(repeating: "0", count: max(0, 4 - "\(value)".utf8.count)) + "\(value)"
    }
}
