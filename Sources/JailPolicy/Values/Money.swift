/// Amounts of money: `"5 USD"`, `"0.25 USD"`. Kept as millionths of a dollar, so that nothing is rounded.
package enum Money {
    /// In millionths; a million dollars.
    package static let most: UInt64 = 1_000_000_000_000
    private static let unit = " USD"
    private static let places = 6

    /// In millionths of a dollar.
    package static func parse(_ text: String) throws(ValueError) -> UInt64 {
        guard text.hasSuffix(unit) else { throw refusal(text) }
        let parts = String(text.dropping(last: unit.utf8.count)).parts(at: ".", most: 2)
        guard let whole = DecimalDigits.parse(parts[0]), whole <= most / 1_000_000 else { throw refusal(text) }
        var millionths: UInt64 = 0
        if parts.count == 2 {
            let fraction = Array(parts[1].utf8)
            guard (1...places).contains(fraction.count), fraction.allSatisfy(\.isDigit) else { throw refusal(text) }
            for place in 0..<places {
                let digit = place < fraction.count ? fraction[place] : UInt8(ascii: "0")
                millionths = millionths * 10 + UInt64(digit - UInt8(ascii: "0"))
            }
        }
        let amount = whole * 1_000_000 + millionths
        guard amount <= most else { throw refusal(text) }
        return amount
    }

    private static func refusal(_ text: String) -> ValueError {
        ValueError(
            expected: "an amount such as \"5 USD\" or \"0.25 USD\", up to 1000000 USD, with at most six decimals",
            found: text)
    }

    /// The shortest spelling that ``parse(_:)`` takes.
    package static func format(_ millionths: UInt64) -> String {
        var fraction = String(1_000_000 + millionths % 1_000_000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(millionths / 1_000_000)" + (fraction.isEmpty ? "" : ".\(fraction)") + unit
    }
}
