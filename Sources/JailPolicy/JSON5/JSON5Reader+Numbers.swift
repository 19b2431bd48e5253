/// Numbers. They are checked for their form and kept as text; only integers get a value.
extension JSON5Reader {
    mutating func readNumber() throws(JSON5Error) -> JSON5Number {
        let start = index
        let place = position
        let isNegative = next == UInt8(ascii: "-")
        if isNegative || next == UInt8(ascii: "+") { index += 1 }
        var magnitude: UInt64?
        switch (next, index + 1 < bytes.count ? bytes[index + 1] : nil) {
        case (UInt8(ascii: "0"), UInt8(ascii: "x")), (UInt8(ascii: "0"), UInt8(ascii: "X")):
            index += 2
            magnitude = try readDigits(radix: 16, at: place)
        case (UInt8(ascii: "I"), _), (UInt8(ascii: "N"), _):
            throw failure("Infinity and NaN are no values here", at: place)
        default: magnitude = try readDecimal(at: place)
        }
        // `1x` or `0123` is one mistaken number, and not a number followed by something.
        if let byte = next, byte.isIdentifierPart || byte == UInt8(ascii: ".") {
            throw failure("a number that ends with \(try nextCharacter())", at: place)
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        return JSON5Number(text: text, integer: magnitude.flatMap { Self.integer($0, isNegative: isNegative) })
    }

    /// The value if there is neither point nor exponent.
    private mutating func readDecimal(at place: SourcePosition) throws(JSON5Error) -> UInt64? {
        var magnitude: UInt64?
        var isInteger = true
        let hasWhole = next?.isDigit ?? false
        if next == UInt8(ascii: "0") {
            index += 1
            magnitude = 0
        } else if hasWhole {
            magnitude = try readDigits(radix: 10, at: place)
        }
        if next == UInt8(ascii: ".") {
            index += 1
            isInteger = false
            if !hasWhole || next?.isDigit ?? false { _ = try readDigits(radix: 10, at: place) }
        } else if !hasWhole {
            throw failure("a number without digits", at: place)
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            index += 1
            isInteger = false
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            _ = try readDigits(radix: 10, at: place)
        }
        return isInteger ? magnitude : nil
    }

    /// At least one digit; nil if the value exceeds 64 bits.
    private mutating func readDigits(radix: UInt64, at place: SourcePosition) throws(JSON5Error) -> UInt64? {
        let start = index
        var value: UInt64? = 0
        while let digit = next?.hexValue, UInt64(digit) < radix {
            index += 1
            guard let before = value else { continue }
            let (product, overflowed) = before.multipliedReportingOverflow(by: radix)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            value = overflowed || carried ? nil : sum
        }
        guard index > start else { throw failure("a number without digits", at: place) }
        return value
    }

    private static func integer(_ magnitude: UInt64, isNegative: Bool) -> Int64? {
        guard isNegative else { return Int64(exactly: magnitude) }
        return magnitude == 1 << 63 ? .min : Int64(exactly: magnitude).map { -$0 }
    }
}
