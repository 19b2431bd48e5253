/// Times as people write them, without a library of calendars.
enum UTC {
    /// `2026-01-31T12:00:00Z`.
    static func text(_ seconds: Int64) -> String {
        let (year, month, day) = date(seconds / 86400)
        let rest = seconds % 86400
        return "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }

    /// The same for names of files: `20260131T120000Z`.
    static func compact(_ seconds: Int64) -> String {
        String(String.UnicodeScalarView(text(seconds).unicodeScalars.filter { $0 != "-" && $0 != ":" }))
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// From days since 1970, none of them negative: the proleptic Gregorian calendar, years that begin in March.
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * ofYear + 2) / 153
        let calendarMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0), calendarMonth, ofYear - (153 * month + 2) / 5 + 1)
    }
}
