internal import JailCore

/// What one word may be. None but a literal ever is a word that begins with a dash, so nothing that a caller chooses is
/// taken for an option.
package enum CommandShape: Hashable, Sendable {
    case literal(String)
    case oneOf([String])
    /// A path, of which nothing is looked at but its text: this directory, or below it.
    case below(String)
    case pattern(CommandPattern)
    case number(ClosedRange<UInt64>)

    /// - Parameter directory: what a relative path is meant to be below; nil: there are none.
    package func accepts(_ word: String, in directory: String?) -> Bool {
        switch self {
        case .literal(let text): return word.hasSameBytes(as: text)
        case .oneOf(let texts): return texts.contains { word.hasSameBytes(as: $0) }
        default: break
        }
        guard word.utf8.first != UInt8(ascii: "-") else { return false }
        switch self {
        case .literal, .oneOf: return false
        case .below(let root): return Self.path(word, in: directory)?.isInside(root) ?? false
        case .pattern(let pattern): return pattern.matches(word)
        case .number(let range): return DecimalDigits.parse(word).map(range.contains) ?? false
        }
    }

    /// The absolute path that a word stands for, if it has the one spelling that is read alike everywhere.
    private static func path(_ word: String, in directory: String?) -> String? {
        guard let first = word.utf8.first else { return nil }
        if first == UInt8(ascii: "/") { return isCanonical(word) ? word : nil }
        // `@file`, `+command`, `:(magic)` and `host:path` mean something else to some programs.
        guard let directory, Name.isWord(first) || first == UInt8(ascii: "."),
            !word.utf8.prefix(while: { $0 != UInt8(ascii: "/") }).contains(UInt8(ascii: ":"))
        else { return nil }
        let path = directory == "/" ? "/\(word)" : "\(directory)/\(word)"
        return isCanonical(path) ? path : nil
    }

    private static func isCanonical(_ path: String) -> Bool { (try? AbsolutePath.check(path)) != nil }
}

extension CommandShape {
    /// For people: `test`, `build|lint`, `<path below /srv>`.
    package var shown: String {
        switch self {
        case .literal(let word): word.shellQuoted
        case .oneOf(let words): words.map(\.shellQuoted).joined(separator: "|")
        case .below(let root): "<path below \(root)>"
        case .pattern(let pattern): "</\(pattern.text)/>"
        case .number(let range): "<\(range.lowerBound) to \(range.upperBound)>"
        }
    }

    /// As the end of a sentence: `is not …`.
    package var expectation: String {
        switch self {
        case .literal(let word): "\"\(word.excerpt)\""
        case .oneOf(let words): "one of \(words.map { "\"\($0.excerpt)\"" }.joined(separator: ", "))"
        case .below(let root): "a path below \(root) in its plain spelling"
        case .pattern(let pattern): "a word of the pattern \(pattern.text.excerpt)"
        case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}

extension String {
    /// Swift's `==` takes two spellings of `é` for one; a program does not.
    package func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
