/// Goes over a text once, and copies it without what is secret.
struct SecretScanner {
    private let bytes: [UInt8]
    private let patterns: [RedactionPattern]
    private var output: [UInt8] = []
    /// Copied up to here.
    private var copied = 0
    private var index = 0
    /// The word around `index`.
    private var word = SecretWord()

    private static let mark = Array(Redactor.mark.utf8)

    init(_ bytes: [UInt8], _ patterns: [RedactionPattern]) {
        self.bytes = bytes
        self.patterns = patterns
    }

    /// nil: there is nothing to take out.
    mutating func run() -> [UInt8]? {
        while index < bytes.count {
            if !step() { index += 1 }
        }
        guard copied > 0 || !output.isEmpty else { return nil }
        output += bytes[copied...]
        return output
    }

    /// Whether something was taken out here; `index` stands behind it then.
    private mutating func step() -> Bool {
        for pattern in patterns {
            let length = pattern.match(bytes, at: index)
            if length > 0 { return replace(index, index + length) }
        }
        switch bytes[index] {
        case UInt8(ascii: "="), UInt8(ascii: ":"): return takeNamed()
        case UInt8(ascii: "@"): return takeAddress()
        case UInt8(ascii: "?"): return takeQuery()
        case UInt8(ascii: "/"): return takeSegment()
        case UInt8(ascii: " "): return takeAfterWord()
        default: return takeShape()
        }
    }

    private mutating func replace(_ start: Int, _ end: Int) -> Bool {
        // Never back over what was written already.
        let start = max(start, copied)
        guard end > start, !isMark(start, end) else { return false }
        output += bytes[copied..<start]
        output += Self.mark
        copied = end
        index = end
        return true
    }

    /// It was taken out before; the bracket at its end ends a value.
    private func isMark(_ start: Int, _ end: Int) -> Bool {
        let end = end < bytes.count && bytes[end] == Self.mark.last ? end + 1 : end
        return bytes[start..<end].elementsEqual(Self.mark)
    }

    // MARK: By the name before it

    /// `name=value`, `"name": "value"`, `Name: value`.
    private mutating func takeNamed() -> Bool {
        var end = index
        while end > copied, bytes[end - 1].isQuote || bytes[end - 1] == 0x20 || bytes[end - 1] == 0x5C { end -= 1 }
        var start = end
        while start > copied, bytes[start - 1].isWord || bytes[start - 1] == 0x2D { start -= 1 }
        let name = bytes[start..<end]
        guard SecretName.isOne(name) else { return false }
        return takeValue(from: index + 1, wholeLine: SecretName.isWholeLine(name))
    }

    /// From the first byte of the value: to its closing quotation mark, or to where it ends by itself.
    private mutating func takeValue(from start: Int, wholeLine: Bool) -> Bool {
        var start = start
        while start < bytes.count, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        // Escaped once more, as in JSON within JSON.
        let isEscaped = start + 1 < bytes.count && bytes[start] == 0x5C && bytes[start + 1].isQuote
        if isEscaped { start += 1 }
        var end = start
        if start < bytes.count, bytes[start].isQuote {
            let quote = bytes[start]
            start += 1
            end = start
            while end < bytes.count, bytes[end] != quote, bytes[end] != 0x0A {
                if isEscaped, bytes[end] == 0x5C { break }
                end += bytes[end] == 0x5C ? 2 : 1
            }
            end = min(end, bytes.count)
        } else {
            while end < bytes.count, !(wholeLine ? bytes[end].endsLine : bytes[end].endsValue) { end += 1 }
            // The kind of credential is none itself.
            if !wholeLine, end < bytes.count, bytes[end] == 0x20, bytes[start..<end].isScheme {
                return takeValue(from: end, wholeLine: false)
            }
        }
        return replace(start, end)
    }

    /// `--token VALUE`, `Bearer VALUE`.
    private mutating func takeAfterWord() -> Bool {
        var start = index
        while start > copied, bytes[start - 1].isWord || bytes[start - 1] == 0x2D { start -= 1 }
        let word = bytes[start..<index]
        guard SecretName.isOption(word) || word.isScheme, index + 1 < bytes.count else { return false }
        // A word that happens to be there: what follows a scheme is long, what follows an option is anything.
        var end = index + 1
        while end < bytes.count, !bytes[end].endsValue { end += 1 }
        guard word.first == 0x2D || end - index > 8 else { return false }
        return takeValue(from: index + 1, wholeLine: false)
    }

    // MARK: By its shape

    private mutating func takeShape() -> Bool {
        guard index == 0 || !bytes[index - 1].isWord else {
            // `bot` and its number stand together.
            guard bytes[index].isDigit, index > copied, bytes[index - 1].isLetter,
                let found = SecretPrefix.findBot(bytes, at: index)
            else { return false }
            return replace(index + found.prefix, found.end)
        }
        if bytes[index].isDigit, let found = SecretPrefix.findBot(bytes, at: index) {
            return replace(index + found.prefix, found.end)
        }
        guard let found = SecretPrefix.find(bytes, at: index) else { return false }
        return replace(index + found.prefix, found.end)
    }

    /// A query may hold anything; it begins behind a path or a host.
    private mutating func takeQuery() -> Bool {
        word.read(bytes, upTo: index)
        guard index > copied, !bytes[index - 1].endsValue, index + 1 < bytes.count, !bytes[index + 1].endsValue,
            let slash = word.slash, slash >= copied
        else { return false }
        var end = index + 1
        while end < bytes.count, !bytes[end].endsQuery { end += 1 }
        return replace(index + 1, end)
    }

    /// A part of a path that is a token itself, as web hooks have it.
    private mutating func takeSegment() -> Bool {
        word.read(bytes, upTo: index + 1)
        var end = index + 1
        while end < bytes.count, bytes[end].isOfCredential, bytes[end] != UInt8(ascii: "/") { end += 1 }
        guard end == bytes.count || bytes[end].endsSegment, word.isToken(bytes[(index + 1)..<end]) else { return false }
        return replace(index + 1, end)
    }

    /// `user:password@host`, and addresses of e-mail.
    private mutating func takeAddress() -> Bool {
        var start = index
        while start > copied, bytes[start - 1].isOfCredential || "%!$&'*;:".utf8.contains(bytes[start - 1]) {
            if bytes[start - 1] == UInt8(ascii: "/") { break }
            start -= 1
        }
        let isLogin = start >= 3 && bytes[(start - 3)..<start].elementsEqual("://".utf8)
        if isLogin { return replace(start, index) }
        if let colon = bytes[start..<index].lastIndex(of: 0x3A) { start = colon + 1 }
        var end = index + 1
        var hasDot = false
        while end < bytes.count, bytes[end].isWord || bytes[end] == 0x2D || bytes[end] == 0x2E {
            if bytes[end] == 0x2E { hasDot = true }
            end += 1
        }
        while end > index + 1, bytes[end - 1] == 0x2E { end -= 1 }
        guard hasDot, end - index > 3, index > start else { return false }
        return replace(start, end)
    }
}

extension ArraySlice<UInt8> {
    /// What HTTP calls an authentication scheme (RFC 9110, 11.1), of those that carry the credential itself.
    fileprivate var isScheme: Bool {
        let plain = map(\.lowercase)
        return ["bearer", "basic", "token", "bot"].contains { plain.elementsEqual($0.utf8) }
    }
}

extension UInt8 {
    /// Of a path; a slash may be escaped, and what follows it be said behind a colon.
    private var isSeparator: Bool { "/?#\\:".utf8.contains(self) }
    fileprivate var endsSegment: Bool { isSeparator || endsValue }
    fileprivate var isQuote: Bool { self == 0x22 || self == 0x27 || self == 0x60 }
    fileprivate var endsLine: Bool { self == 0x0A || self == 0x0D }
    var endsValue: Bool {
        switch self {
        case 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x27, 0x60, 0x2C, 0x26, 0x3B, 0x29, 0x5D, 0x7D, 0x3E, 0x7C: true
        default: false
        }
    }
    fileprivate var endsQuery: Bool {
        switch self {
        case 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x27, 0x60, 0x29, 0x5D, 0x7D, 0x3E: true
        default: false
        }
    }
}
