internal import JailCore

/// Why a value is refused. It continues a sentence that begins with the value's name: `'limits.memory' must be …`.
package struct ValueError: Error, Equatable, Sendable {
    package let reason: String
    package let hint: String?

    package init(_ reason: String, hint: String? = nil) {
        self.reason = reason
        self.hint = hint
    }

    /// `must be a size such as "512M", not "many"`.
    package init(expected: String, found: String, hint: String? = nil) {
        self.init("must be \(expected), not \"\(found.excerpt)\"", hint: hint)
    }
}

extension String {
    /// As much of the text as belongs into an error, with control characters escaped.
    package var excerpt: String {
        let start = unicodeScalars.prefix(80)
        let isWhole = start.endIndex == unicodeScalars.endIndex
        return String(start).printable + (isWhole ? "" : "…")
    }
}

extension String {
    /// Split at an ASCII character. Swift's own `split` sees a separator no longer once an accent follows it.
    func parts(at separator: Unicode.Scalar, most: Int) -> [Substring] {
        utf8.split(separator: UInt8(ascii: separator), maxSplits: most - 1, omittingEmptySubsequences: false)
            .map { Substring($0) }
    }

    /// Without its last bytes; for a suffix of ASCII.
    func dropping(last count: Int) -> Substring { Substring(utf8.dropLast(count)) }
}

/// Digits without sign, leading zeros and anything else, so that every number has one spelling.
enum DecimalDigits {
    /// nil if the text is not such a number, or exceeds 64 bits.
    static func parse(_ text: some StringProtocol) -> UInt64? {
        let digits = text.utf8
        guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0") else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit.isDigit else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            guard !overflowed, !carried else { return nil }
            value = sum
        }
        return value
    }
}
