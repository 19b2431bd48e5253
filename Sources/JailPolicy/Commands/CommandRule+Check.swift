internal import JailCore

/// What is wrong with a rule, by itself and beside the others.
extension CommandRule {
    /// Of arguments, flags and denied words, each.
    static let mostShapes = 64

    /// These are clawjail's own inside: they read one simple command, and run nothing else.
    package static let shells = ["sh"]

    /// `[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}`
    package static func checkName(_ text: String) throws(ValueError) {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, Name.isWord(first),
            text.utf8.allSatisfy({ Name.isWord($0) || ".+-".utf8.contains($0) })
        else { throw ValueError(expected: "a program's name such as \"npm\", at most 64", found: text) }
        guard !shells.contains(text) else {
            throw ValueError("must not be \"\(text)\", which reads command lines of the other commands")
        }
    }

    static func usualName(of program: String) throws(ValueError) -> String {
        let name = program.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
        do throws(ValueError) { try checkName(name) } catch {
            throw ValueError("needs a 'name': what its program is called \(error.reason)")
        }
        return name
    }

    package static func checkProgram(_ text: String) throws(ValueError) {
        guard text != "/" else { throw ValueError(expected: "the absolute path of a program", found: text) }
        try AbsolutePath.check(text)
        for kernel in ["/proc", "/sys", "/dev"] where text.isInside(kernel) {
            throw ValueError("must not be in \(kernel), where no programs are")
        }
    }

    package static func checkDigest(_ text: String) throws(ValueError) {
        guard text.utf8.count == 64,
            text.utf8.allSatisfy({ $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) })
        else { throw ValueError(expected: "a SHA-256 of 64 digits 0-9 and a-f", found: text) }
    }

    /// Whether who calls chooses any of the words.
    var isOpen: Bool {
        (arguments.map(\.shape) + flags.compactMap(\.value)).contains { shape in
            switch shape {
            case .literal, .oneOf, .number: false
            case .below, .pattern: true
            }
        }
    }

    /// Why the rule means two things, or none; nil: it is clear.
    var contradiction: String? {
        var names: [String] = []
        for name in flags.flatMap(\.names) {
            if names.contains(name) { return "names the flag \(name) twice" }
            names.append(name)
        }
        let words = names + arguments.flatMap(\.shape.words)
        for denied in denied {
            if let word = words.first(where: { CommandRule.denies(denied, $0, listed: names.filter { $0 != denied }) })
            {
                return "denies \"\(denied.excerpt)\", and lists \"\(word.excerpt)\""
            }
        }
        let long = names.first { $0.utf8.count > 2 && !$0.utf8.starts(with: "--".utf8) }
        let isJoined = flags.contains { flag in
            flag.value != nil && flag.form != .separate && flag.names.contains { $0.utf8.count == 2 }
        }
        // `-name` would be `-n ame` as well, or `-n -a -m -e`.
        if let long, combined || isJoined { return "has the flag \(long), which may be read as several" }
        return nil
    }

    /// Why what the jail writes could become what is run; nil: it lies where the jail cannot write.
    func exposure(in filesystem: FilesystemRules, of process: ProcessRules) -> String? {
        guard place == .jail else { return nil }
        var writable = filesystem.write.map(\.target)
        if let data = filesystem.data { writable.append(data.target) }
        if filesystem.workspace == .readWrite || filesystem.workspace == .review { writable.append("/workspace") }
        if filesystem.tmp > 0 { writable.append("/tmp") }
        if filesystem.home > 0 { writable.append(process.inside.home) }
        guard let place = writable.first(where: { program.isInside($0) }) else { return nil }
        return "has a program in '\(place.excerpt)', where the jail may write what is run"
    }
}

extension CommandRules {
    /// One name is one program: which of two is meant, nobody could say.
    func clash(with rule: CommandRule) -> String? {
        guard let other = rules.first(where: { $0.name == rule.name }) else { return nil }
        if other.program != rule.program {
            return "calls \(rule.program) '\(rule.name)', as another calls \(other.program)"
        }
        if other.digest != rule.digest { return "has another 'sha256' than another of '\(rule.name)'" }
        return nil
    }
}

extension CommandShape {
    package static let longestWord = 4096

    /// A word that stands in a profile.
    static func checkWord(_ text: String) throws(ValueError) {
        guard text.utf8.count <= longestWord, text == text.printable else {
            throw ValueError(expected: "a word of at most \(longestWord) bytes without control characters", found: text)
        }
    }

    static func checkRoot(_ text: String) throws(ValueError) {
        try AbsolutePath.check(text)
        guard text != "/" else { throw ValueError("must be a directory below '/', not every path there is") }
    }

    /// The words that it is made of, where it is made of words.
    fileprivate var words: [String] {
        switch self {
        case .literal(let word): [word]
        case .oneOf(let words): words
        case .below, .pattern, .number: []
        }
    }
}

extension CommandFlag {
    /// `-n`, `--lines`, `-name`.
    static func checkName(_ text: String) throws(ValueError) {
        let name = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard (1...2).contains(text.utf8.count - name.count), text.utf8.count <= 64, let first = name.first,
            Name.isWord(first), name.allSatisfy({ Name.isWord($0) || "-.".utf8.contains($0) })
        else { throw ValueError(expected: "a flag such as \"-n\" or \"--lines\"", found: text) }
    }
}
