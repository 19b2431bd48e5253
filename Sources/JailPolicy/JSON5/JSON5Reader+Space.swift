internal import JailCore

/// White space, comments, and single characters.
extension JSON5Reader {
    mutating func skipByteOrderMark() {
        guard bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { return }
        index = 3
        continuationBytes = 3
    }

    /// Goes to the next byte that is neither white space nor in a comment.
    mutating func skipSpace() throws(JSON5Error) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), 0x0B, 0x0C: index += 1
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): skipLineEnd()
            case UInt8(ascii: "/"): try skipComment()
            case 0x80...:
                let before = (index, continuationBytes)
                let scalar = try readScalar()
                guard scalar.isSpace else {
                    (index, continuationBytes) = before
                    return
                }
            default: return
            }
        }
    }

    /// Goes past LF, CR or CRLF.
    mutating func skipLineEnd() {
        if bytes[index] == UInt8(ascii: "\r"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\n") {
            index += 1
        }
        index += 1
        line += 1
        lineStart = index
        continuationBytes = 0
    }

    private mutating func skipComment() throws(JSON5Error) {
        let opening = position
        index += 1
        switch next {
        case UInt8(ascii: "/"):
            while let byte = next, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { try skipCommented(byte) }
        case UInt8(ascii: "*"):
            index += 1
            while let byte = next {
                if byte == UInt8(ascii: "*"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "/") {
                    index += 2
                    return
                }
                try skipCommented(byte)
            }
            throw failure("this comment is never closed", at: opening)
        default: throw failure("a value expected, not '/'", at: opening)
        }
    }

    /// One character of a comment. What would steer a terminal is refused here too: a comment is there to be read.
    private mutating func skipCommented(_ byte: UInt8) throws(JSON5Error) {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): skipLineEnd()
        case UInt8(ascii: "\t"), 0x20..<0x7F: index += 1
        default: try skipPrintable()
        }
    }

    /// Goes past one character, which must not be a control character.
    mutating func skipPrintable() throws(JSON5Error) {
        let place = position
        let scalar = try readScalar()
        guard scalar.value >= 0x20, !(0x7F..<0xA0).contains(scalar.value) else {
            throw failure("a raw control character (\(scalar.codePoint))", at: place)
        }
    }

    /// The next character as an error shows it.
    func nextCharacter() throws(JSON5Error) -> String {
        var copy = self
        guard next != nil else { return "the end of the file" }
        let scalar = try copy.readScalar()
        let text = String(Character(scalar)).printable
        return "'\(text)'"
    }

    /// Decodes one character. Every byte beyond ASCII, wherever it stands, comes through here.
    mutating func readScalar() throws(JSON5Error) -> Unicode.Scalar {
        let lead = bytes[index]
        let (length, least): (Int, UInt32) =
            switch lead {
            case 0..<0x80: (1, 0)
            case 0xC2..<0xE0: (2, 0x80)
            case 0xE0..<0xF0: (3, 0x800)
            case 0xF0..<0xF5: (4, 0x10000)
            default: throw failure("invalid UTF-8")
            }
        guard index + length <= bytes.count else { throw failure("invalid UTF-8") }
        var value = length == 1 ? UInt32(lead) : UInt32(lead) & (0x7F >> UInt32(length))
        for byte in bytes[(index + 1)..<(index + length)] {
            guard byte & 0xC0 == 0x80 else { throw failure("invalid UTF-8") }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        // Surrogates and what lies beyond U+10FFFF are no scalars; a longer spelling of a smaller value is a disguise.
        guard value >= least, let scalar = Unicode.Scalar(value) else { throw failure("invalid UTF-8") }
        guard !scalar.misleads else { throw failure("\(scalar.codePoint) must be written as an escape") }
        index += length
        continuationBytes += length - 1
        return scalar
    }
}

extension Unicode.Scalar {
    /// `U+202E`.
    var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// White space of JSON5 beyond ASCII: the byte order mark, and what Unicode calls a space separator.
    fileprivate var isSpace: Bool { value == 0xFEFF || properties.generalCategory == .spaceSeparator }

    /// Changes what a reader sees, and not what is read: the direction of text, or where a line seems to end.
    fileprivate var misleads: Bool {
        switch value {
        case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
