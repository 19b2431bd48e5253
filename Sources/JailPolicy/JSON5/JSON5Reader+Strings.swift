/// Strings and bare keys.
extension JSON5Reader {
    /// A string in single or double quotes.
    mutating func readString() throws(JSON5Error) -> String {
        let opening = position
        let quote = bytes[index]
        index += 1
        // What was read before the last escape; the rest stands in `bytes` as it is.
        var text: [UInt8] = []
        var plain = index
        while let byte = next {
            switch byte {
            case quote:
                if !text.isEmpty { text += bytes[plain..<index] }
                let whole = text.isEmpty ? bytes[plain..<index] : text[...]
                index += 1
                return String(decoding: whole, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text += bytes[plain..<index]
                try readEscape(into: &text)
                plain = index
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                throw failure("this string is not closed on its line", at: opening)
            case 0x20..<0x7F: index += 1
            default: try skipPrintable()
            }
        }
        throw failure("this string is never closed", at: opening)
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(JSON5Error) {
        let place = position
        index += 1
        guard let byte = next else { throw failure("this string is never closed", at: place) }
        switch byte {
        case UInt8(ascii: "b"): append(0x08, to: &text)
        case UInt8(ascii: "t"): append(0x09, to: &text)
        case UInt8(ascii: "n"): append(0x0A, to: &text)
        case UInt8(ascii: "v"): append(0x0B, to: &text)
        case UInt8(ascii: "f"): append(0x0C, to: &text)
        case UInt8(ascii: "r"): append(0x0D, to: &text)
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): skipLineEnd()
        case UInt8(ascii: "0"): throw failure("NUL is no part of a text", at: place)
        case UInt8(ascii: "1")...UInt8(ascii: "9"): throw failure("a digit is no escape", at: place)
        case UInt8(ascii: "x"), UInt8(ascii: "u"):
            text += Array(String(Character(try readNumericEscape(at: place))).utf8)
        default:
            // Any other character stands for itself.
            let start = index
            try skipPrintable()
            text += bytes[start..<index]
        }
    }

    private mutating func append(_ byte: UInt8, to text: inout [UInt8]) {
        text.append(byte)
        index += 1
    }

    /// `xHH`, `uHHHH`, or a surrogate pair of two of the latter; `index` is at the letter.
    private mutating func readNumericEscape(at place: SourcePosition) throws(JSON5Error) -> Unicode.Scalar {
        let isShort = bytes[index] == UInt8(ascii: "x")
        index += 1
        var value = try readHexDigits(isShort ? 2 : 4, at: place)
        if (0xD800..<0xDC00).contains(value), bytes[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
            index += 2
            let low = try readHexDigits(4, at: place)
            guard (0xDC00..<0xE000).contains(low) else { throw failure("an unpaired surrogate", at: place) }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard value != 0 else { throw failure("NUL is no part of a text", at: place) }
        guard let scalar = Unicode.Scalar(value) else { throw failure("an unpaired surrogate", at: place) }
        return scalar
    }

    private mutating func readHexDigits(_ count: Int, at place: SourcePosition) throws(JSON5Error) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = next?.hexValue else { throw failure("\(count) hexadecimal digits expected", at: place) }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    /// A key without quotes: an IdentifierName of ECMAScript 5.1.
    mutating func readIdentifier() throws(JSON5Error) -> String {
        let start = position
        var text: [UInt8] = []
        while let byte = next {
            if byte.isIdentifierPart {
                guard !text.isEmpty || !byte.isDigit else { break }
                append(byte, to: &text)
            } else if byte == UInt8(ascii: "\\") {
                let place = position
                index += 1
                guard next == UInt8(ascii: "u") else { throw failure("only \\u escapes in a bare key", at: place) }
                let scalar = try readNumericEscape(at: place)
                guard scalar.isIdentifierPart(first: text.isEmpty) else {
                    throw failure("\(scalar.codePoint) needs a key in quotes", at: place)
                }
                text += Array(String(Character(scalar)).utf8)
            } else if byte >= 0x80 {
                let before = (index, continuationBytes)
                guard try readScalar().isIdentifierPart(first: text.isEmpty) else {
                    (index, continuationBytes) = before
                    break
                }
                text += bytes[before.0..<index]
            } else {
                break
            }
        }
        guard !text.isEmpty else { throw failure("a key expected, not \(try nextCharacter())", at: start) }
        return String(decoding: text, as: UTF8.self)
    }
}

extension UInt8 {
    package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Of ASCII; a digit is none at the beginning.
    var isIdentifierPart: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"):
            true
        default: false
        }
    }

    package var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Unicode.Scalar {
    fileprivate func isIdentifierPart(first: Bool) -> Bool {
        if let ascii = UInt8(exactly: value), ascii < 0x80 {
            return ascii.isIdentifierPart && !(first && ascii.isDigit)
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber:
            return true
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return !first
        default: return !first && (value == 0x200C || value == 0x200D)
        }
    }
}
