package import JailCore

/// Takes what looks like a secret out of texts before they are written anywhere: credentials by their shape, values by the
/// name before them, query strings, e-mail addresses, and what a profile names besides.
///
/// It sees shapes, not meaning: a secret that looks like any other word stays. What must never be written must never be said
/// here in the first place, see docs/audit.md.
package struct Redactor: Sendable {
    static let mark = "[redacted]"

    private let patterns: [RedactionPattern]

    /// - Parameter patterns: of the profile, see ``AuditRules/redact``.
    package init(patterns: [String] = []) { self.patterns = patterns.map { RedactionPattern($0) } }

    package func redact(_ text: String) -> String { changed(text) ?? text }

    /// Nil: there is nothing to take out.
    private func changed(_ text: String) -> String? {
        if patterns.isEmpty, Self.isPlain(text) { return nil }
        return redact(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Bytes of the shortest credential that is known by its shape.
    static let shortest = 13

    /// Most names and many values of a record: one word, too short for anything that would be taken out.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count < shortest && text.utf8.allSatisfy { $0.isWord || $0 == 0x2D || $0 == 0x2E }
    }

    /// Nil: there is nothing to take out.
    package func redact(_ bytes: [UInt8]) -> [UInt8]? {
        var scanner = SecretScanner(bytes, patterns)
        return scanner.run()
    }

    /// Every text in it, and as a whole those under a name that says what they are.
    package func redact(_ value: JSON) -> JSON {
        switch value {
        case .string(let text): changed(text).map { .string($0) } ?? value
        case .array(let values): .array(redact(list: values))
        case .object(let members): .object(redact(members))
        default: value
        }
    }

    package func redact(_ members: [(String, JSON)]) -> [(String, JSON)] {
        members.map { name, value in
            if case .string = value, SecretName.isOne(Array(name.utf8)[...]) { return (name, .string(Self.mark)) }
            return (redact(name), redact(value))
        }
    }

    /// Of a command line: what follows `--token` is one as well.
    package func redact(arguments: [String]) -> [String] {
        var isNext = false
        return arguments.map { argument in
            defer { isNext = SecretName.isOption(Array(argument.utf8)[...]) }
            return isNext ? Self.mark : redact(argument)
        }
    }

    private func redact(list values: [JSON]) -> [JSON] {
        var isNext = false
        return values.map { value in
            guard case .string(let text) = value else { return redact(value) }
            defer { isNext = SecretName.isOption(Array(text.utf8)[...]) }
            return isNext ? .string(Self.mark) : .string(redact(text))
        }
    }
}

/// A literal text in which `*` stands for the characters that credentials are made of.
struct RedactionPattern: Sendable {
    private let parts: [[UInt8]]

    init(_ text: String) {
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
    }

    /// How many bytes it covers from `start` on; 0: it does not begin there.
    func match(_ bytes: [UInt8], at start: Int) -> Int {
        var index = start
        for (number, part) in parts.enumerated() {
            if number > 0 {
                // As far as it goes, so that nothing of a longer one stays; back to where the rest fits.
                var end = index
                while end < bytes.count, bytes[end].isOfCredential { end += 1 }
                while end > index, !bytes[end...].starts(with: part) { end -= 1 }
                index = end
            }
            guard bytes[index...].starts(with: part) else { return 0 }
            index += part.count
        }
        return index - start
    }
}

extension UInt8 {
    var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isWord: Bool { isLetter || isDigit || self == 0x5F }
    /// base64, base64url, and what else stands in tokens.
    var isOfCredential: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x2F, 0x3D, 0x5F, 0x7E: true
        default: false
        }
    }
    var lowercase: UInt8 { (0x41...0x5A).contains(self) ? self + 0x20 : self }
}
