internal import JailCore
internal import JailPolicy

/// A command and its arguments, as they come from inside.
package enum CommandVector {
    /// Words of a call.
    package static let mostWords = 256
    /// Bytes of all of them.
    package static let mostBytes = 65_536
    /// Arguments that one rule can write out.
    static let mostInRule = 64

    /// Words out of bytes that nothing is known of. nil: they are not UTF-8, and no rule could be about them.
    package static func words(_ bytes: [[UInt8]]) -> [String]? {
        var words: [String] = []
        for bytes in bytes {
            guard let word = String(validating: bytes, as: UTF8.self) else { return nil }
            words.append(word)
        }
        return words
    }

    /// Why no rule could be about them, nor a person be asked; nil: nothing speaks against it.
    package static func problem(_ vector: [String]) -> String? {
        guard let name = vector.first, !name.isEmpty else { return "there is no command" }
        guard vector.count <= mostWords else {
            return "a command has at most \(mostWords) words, and this one has \(vector.count)"
        }
        let bytes = vector.reduce(0) { $0 + $1.utf8.count + 1 }
        guard bytes <= mostBytes else { return "a command has at most \(mostBytes) bytes, and this one has \(bytes)" }
        for (index, word) in vector.enumerated() {
            guard word.utf8.count <= CommandShape.longestWord else {
                return "word \(index) is longer than \(CommandShape.longestWord) bytes"
            }
            // What a person reads in a question or in the log is what is run.
            if let scalar = hidden(in: word) {
                return "word \(index) has the character U+\(hexadecimal(scalar)), which nobody sees"
            }
        }
        return nil
    }

    /// A control character, or one that takes no place or turns the others round.
    package static func hidden(in word: String) -> Unicode.Scalar? {
        if word.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return nil }
        return word.unicodeScalars.first { isHidden($0) }
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
        case .spaceSeparator: scalar != " "
        default: scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
