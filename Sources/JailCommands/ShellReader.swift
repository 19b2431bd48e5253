internal import JailCore
internal import JailPolicy

/// Reads what stands behind `sh -c` where every shell reads the same: one simple command of words and quotes.
///
/// XCU 2.2 and 2.3 of POSIX say what quoting and words are; whatever else a shell knows is refused, also where it would do no
/// harm. A test holds it against the shells of the machine.
package struct ShellReader {
    private let bytes: [UInt8]
    private var index = 0
    private var words: [String] = []
    private var word: [UInt8] = []
    /// A word may be empty: `''`.
    private var isInWord = false

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The words of the one command, the command itself first.
    package static func read(_ bytes: [UInt8]) throws(ShellRefusal) -> [String] {
        guard bytes.count <= CommandVector.mostBytes else {
            throw ShellRefusal(.tooLong, at: CommandVector.mostBytes)
        }
        try checkCharacters(bytes)
        var reader = ShellReader(bytes)
        while reader.index < bytes.count { try reader.readNext() }
        try reader.endWord()
        guard !reader.words.isEmpty else { throw ShellRefusal(.empty, at: bytes.count) }
        return reader.words
    }

    /// All that is refused wherever it stands, in quotes as well.
    private static func checkCharacters(_ bytes: [UInt8]) throws(ShellRefusal) {
        for (offset, byte) in bytes.enumerated() {
            if byte == 0x0A || byte == 0x0D { throw ShellRefusal(.newline, at: offset) }
            // A tab between words is as good as a space; ``readNext()`` refuses it elsewhere.
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { throw hidden(Unicode.Scalar(byte), at: offset) }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ShellRefusal(.notText, at: 0)
        }
        var offset = 0
        for scalar in text.unicodeScalars {
            if !scalar.isASCII, CommandVector.hidden(in: String(scalar)) != nil { throw hidden(scalar, at: offset) }
            offset += UTF8.width(scalar)
        }
    }

    private static func hidden(_ scalar: Unicode.Scalar, at offset: Int) -> ShellRefusal {
        ShellRefusal(.hidden, at: offset, "U+\(CommandVector.hexadecimal(scalar))")
    }

    // MARK: Outside of quotes

    private mutating func readNext() throws(ShellRefusal) {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: " "), 0x09: try endWord()
        case UInt8(ascii: "'"): return try readSingleQuoted()
        case UInt8(ascii: "\""): return try readDoubleQuoted()
        case UInt8(ascii: "\\"): return try readEscaped()
        default:
            if let kind = try kind(of: byte) { throw ShellRefusal(kind, at: index, found) }
            word.append(byte)
            isInWord = true
        }
        index += 1
    }

    /// nil: the byte stands for itself.
    private func kind(of byte: UInt8) throws(ShellRefusal) -> ShellRefusal.Kind? {
        switch byte {
        case UInt8(ascii: ";"): return .list
        case UInt8(ascii: "&"): return .background
        case UInt8(ascii: "|"): return .pipe
        case UInt8(ascii: "<"), UInt8(ascii: ">"): return .redirection
        case UInt8(ascii: "("), UInt8(ascii: ")"): return .subshell
        case UInt8(ascii: "$"): return .variable
        case UInt8(ascii: "`"): return .substitution
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "]"): return .glob
        case UInt8(ascii: "{"), UInt8(ascii: "}"): return .brace
        case UInt8(ascii: "!"): return .history
        // Within a word it is a plain character.
        case UInt8(ascii: "#"): return isInWord ? nil : .comment
        // `a=~` and `a:~` are home directories for some shells.
        case UInt8(ascii: "~"): return isInWord && !word.contains(where: { "=:".utf8.contains($0) }) ? nil : .tilde
        case 0x80...: return .foreign
        default: return nil
        }
    }

    /// The character at the place of reading.
    private var found: String {
        let rest = bytes[index...].prefix(4)
        return String(decoding: rest, as: UTF8.self).unicodeScalars.first.map { String($0) } ?? ""
    }

    private mutating func readEscaped() throws(ShellRefusal) {
        guard index + 1 < bytes.count, (0x20...0x7E).contains(bytes[index + 1]) else {
            throw ShellRefusal(.backslash, at: index)
        }
        word.append(bytes[index + 1])
        isInWord = true
        index += 2
    }

    // MARK: In quotes

    private mutating func readSingleQuoted() throws(ShellRefusal) {
        let start = index
        index += 1
        isInWord = true
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "'") {
                index += 1
                return
            }
            try appendQuoted()
        }
        throw ShellRefusal(.quote, at: start)
    }

    private mutating func readDoubleQuoted() throws(ShellRefusal) {
        let start = index
        index += 1
        isInWord = true
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "$"): throw ShellRefusal(.variable, at: index)
            case UInt8(ascii: "`"): throw ShellRefusal(.substitution, at: index)
            case UInt8(ascii: "\\"):
                guard index + 1 < bytes.count else { throw ShellRefusal(.quote, at: start) }
                // Before anything else a backslash is one.
                if "$`\"\\".utf8.contains(bytes[index + 1]) { index += 1 }
                try appendQuoted()
            default: try appendQuoted()
            }
        }
        throw ShellRefusal(.quote, at: start)
    }

    private mutating func appendQuoted() throws(ShellRefusal) {
        if bytes[index] == 0x09 { throw Self.hidden("\t", at: index) }
        word.append(bytes[index])
        index += 1
    }

    // MARK: Words

    private mutating func endWord() throws(ShellRefusal) {
        guard isInWord else { return }
        let text = String(decoding: word, as: UTF8.self)
        if words.isEmpty { try checkCommand(text) }
        words.append(text)
        word = []
        isInWord = false
    }

    /// Quotes would make a plain word of some of these. Nobody writes such words but to be read in two ways.
    private func checkCommand(_ text: String) throws(ShellRefusal) {
        let start = index - 1
        if text.isEmpty { throw ShellRefusal(.empty, at: start) }
        if text.utf8.contains(UInt8(ascii: "=")) { throw ShellRefusal(.assignment, at: start, text.excerpt) }
        if Self.reserved.contains(text) { throw ShellRefusal(.reserved, at: start, text) }
        if Self.builtins.contains(text) { throw ShellRefusal(.builtin, at: start, text) }
    }

    /// XCU 2.4, with what bash, ksh and zsh add.
    private static let reserved: Set<String> = [
        "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in", "function",
        "select",
        "time", "coproc", "namespace", "repeat", "foreach", "end", "nocorrect", "noglob",
    ]

    /// XCU 2.14, and what else is no program: it would be done in a shell that does not exist.
    private static let builtins: Set<String> = [
        ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times",
        "trap", "unset", "alias", "unalias", "bg", "fg", "jobs", "cd", "chdir", "command", "builtin", "source",
        "declare",
        "typeset", "local", "let", "getopts", "hash", "read", "type", "ulimit", "umask", "wait", "shopt", "enable",
        "pushd",
        "popd", "dirs", "disown", "suspend", "logout", "history", "fc", "bind", "caller", "complete", "compgen",
        "compopt",
        "mapfile", "readarray", "help",
    ]
}
