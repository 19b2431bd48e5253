/// Sizes: `"512M"`, or bytes as `"4096"`. Units are powers of 1024.
package enum ByteSize {
    private static let units: [(letter: Unicode.Scalar, bytes: UInt64)] = [
        ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10),
    ]

    /// In bytes, at most `Int64.max`, which is as far as the kernel counts.
    package static func parse(_ text: String) throws(ValueError) -> UInt64 {
        let unit = units.first { text.utf8.last == UInt8(ascii: $0.letter) }
        let digits = unit == nil ? text[...] : text.dropping(last: 1)
        guard let count = DecimalDigits.parse(digits) else {
            throw ValueError(expected: "a size such as \"512M\" (units K, M, G, T)", found: text)
        }
        let (bytes, overflowed) = count.multipliedReportingOverflow(by: unit?.bytes ?? 1)
        guard !overflowed, bytes <= UInt64(Int64.max) else {
            throw ValueError("must be less than 8388608T, not \"\(text.excerpt)\"")
        }
        return bytes
    }

    /// With the largest unit that gives a whole number.
    package static func format(_ bytes: UInt64) -> String {
        guard bytes > 0, let unit = units.first(where: { bytes % $0.bytes == 0 }) else { return String(bytes) }
        return "\(bytes / unit.bytes)\(unit.letter)"
    }
}

/// Lengths of time: `"500ms"`, `"30s"`, `"5m"`, `"1h"`, `"7d"`.
package enum TimeSpan {
    // `ms` stands before `s` and `m`, which it ends and begins with.
    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ]

    /// In milliseconds.
    package static func parse(_ text: String) throws(ValueError) -> UInt64 {
        guard let unit = units.first(where: { text.utf8.reversed().starts(with: $0.name.utf8.reversed()) }),
            let count = DecimalDigits.parse(text.dropping(last: unit.name.utf8.count))
        else { throw ValueError(expected: "a time such as \"30s\" (units ms, s, m, h, d)", found: text) }
        let (milliseconds, overflowed) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflowed else { throw ValueError("must be a shorter time, not \"\(text.excerpt)\"") }
        return milliseconds
    }

    /// With the largest unit that gives a whole number.
    package static func format(_ milliseconds: UInt64) -> String {
        guard milliseconds > 0 else { return "0s" }
        for unit in units.dropFirst() where milliseconds % unit.milliseconds == 0 {
            return "\(milliseconds / unit.milliseconds)\(unit.name)"
        }
        return "\(milliseconds)ms"
    }
}

/// Shares of processors: `1.5` is one and a half. Kept as thousandths, so that nothing is rounded.
package enum ProcessorShare {
    package static let range: ClosedRange<UInt64> = 100...1_024_000

    /// In thousandths of a processor.
    package static func parse(_ text: String) throws(ValueError) -> UInt64 {
        let parts = text.parts(at: ".", most: 2)
        let fraction = parts.count == 2 ? parts[1] : ""
        let whole = parts[0].isEmpty && !fraction.isEmpty ? 0 : DecimalDigits.parse(parts[0])
        guard let whole, fraction.utf8.count <= 3, fraction.utf8.allSatisfy(\.isDigit), whole <= 1024 else {
            throw ValueError(expected: expectation, found: text)
        }
        var thousandths: UInt64 = 0
        for place in 0..<3 {
            let digit = fraction.utf8.dropFirst(place).first ?? UInt8(ascii: "0")
            thousandths = thousandths * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        let share = whole * 1000 + thousandths
        guard range.contains(share) else { throw ValueError(expected: expectation, found: text) }
        return share
    }

    static let expectation = "a number of processors from 0.1 to 1024 with at most three decimals"

    /// The shortest spelling: `2`, `1.5`.
    package static func format(_ thousandths: UInt64) -> String {
        var fraction = String(1000 + thousandths % 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? String(thousandths / 1000) : "\(thousandths / 1000).\(fraction)"
    }
}
