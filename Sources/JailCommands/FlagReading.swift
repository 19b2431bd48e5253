internal import JailCore
internal import JailPolicy

/// Tells the flags of a call, which it judges, from its other words. A word that begins with a dash, and is no flag of the
/// rule in exactly one of the ways in which it may be written, is left to the other words, where only a literal takes it.
struct FlagReading {
    struct Operand {
        var word: String
        var position: Int
    }

    private let rule: CommandRule
    private let words: [String]
    private var index: Int
    private var uses: [Int]
    private var lastFlag = 0
    private(set) var operands: [Operand] = []

    /// - Parameter index: of the first word behind the leading one.
    init(rule: CommandRule, words: [String], index: Int) {
        self.rule = rule
        self.words = words
        self.index = index
        uses = Array(repeating: 0, count: rule.flags.count)
    }

    mutating func read() throws(CommandMismatch) {
        var mayBeFlag = true
        while index < words.count {
            let word = words[index]
            if word.hasSameBytes(as: "--") { mayBeFlag = false }
            if mayBeFlag, try readFlag(word) { continue }
            operands.append(Operand(word: word, position: index))
            index += 1
        }
        for (flag, count) in zip(rule.flags, uses) where flag.isRequired && count == 0 {
            throw CommandMismatch(words.count, "the flag \(flag.names[0]) is missing")
        }
    }

    /// Whether the word is a flag, or flags, of the rule. What is read moves on behind it and its value.
    private mutating func readFlag(_ word: String) throws(CommandMismatch) -> Bool {
        guard word.utf8.count > 1, word.utf8.first == UInt8(ascii: "-") else { return false }
        if let flag = flag(named: word) {
            try use(flag)
            index += 1
            if rule.flags[flag].value != nil { try readSeparateValue(of: flag, word) }
            return true
        }
        for flag in rule.flags.indices where rule.flags[flag].value != nil {
            guard let value = attachedValue(of: flag, word) else { continue }
            guard rule.flags[flag].form != .separate else {
                throw mismatch("the value of '\(word.excerpt)' must be a word of its own")
            }
            try use(flag)
            try check(value, of: flag)
            index += 1
            return true
        }
        return try readCombined(word)
    }

    private func flag(named word: String) -> Int? {
        rule.flags.firstIndex { $0.names.contains { $0.hasSameBytes(as: word) } }
    }

    /// `5` of `--lines=5` and of `-n5`.
    private func attachedValue(of flag: Int, _ word: String) -> String? {
        for name in rule.flags[flag].names where word.utf8.starts(with: name.utf8) {
            let rest = word.utf8.dropFirst(name.utf8.count)
            if name.utf8.count == 2 { return String(Substring(rest)) }
            if rest.first == UInt8(ascii: "=") { return String(Substring(rest.dropFirst())) }
        }
        return nil
    }

    private mutating func readSeparateValue(of flag: Int, _ word: String) throws(CommandMismatch) {
        guard rule.flags[flag].form != .attached else {
            index -= 1
            throw mismatch("the value of '\(word.excerpt)' must be written in the same word")
        }
        guard index < words.count else { throw mismatch("'\(word.excerpt)' has no value") }
        try check(words[index], of: flag)
        index += 1
    }

    /// `-ab`, where every letter is a flag without a value.
    private mutating func readCombined(_ word: String) throws(CommandMismatch) -> Bool {
        let letters = word.utf8.dropFirst()
        guard letters.count > 1, letters.first != UInt8(ascii: "-") else { return false }
        var flags: [Int] = []
        for letter in letters {
            let name = String(decoding: [UInt8(ascii: "-"), letter], as: UTF8.self)
            guard let flag = flag(named: name), rule.flags[flag].value == nil else { return false }
            flags.append(flag)
        }
        guard rule.combined else {
            throw mismatch("'\(word.excerpt)' is several flags in one word; write each by itself")
        }
        for flag in flags { try use(flag) }
        index += 1
        return true
    }

    private mutating func use(_ flag: Int) throws(CommandMismatch) {
        uses[flag] += 1
        let name = rule.flags[flag].names[0]
        guard uses[flag] == 1 || rule.flags[flag].mayRepeat else { throw mismatch("\(name) is there twice") }
        guard rule.order == .fixed else { return }
        guard operands.isEmpty else { throw mismatch("\(name) must stand before '\(operands[0].word.excerpt)'") }
        guard flag >= lastFlag else {
            throw mismatch("\(name) must stand before \(rule.flags[lastFlag].names[0])")
        }
        lastFlag = flag
    }

    private func check(_ value: String, of flag: Int) throws(CommandMismatch) {
        guard let shape = rule.flags[flag].value, !shape.accepts(value, in: rule.workingDirectory) else { return }
        throw mismatch("'\(value.excerpt)', the value of \(rule.flags[flag].names[0]), is not \(shape.expectation)")
    }

    private func mismatch(_ reason: String) -> CommandMismatch { CommandMismatch(index, reason) }
}
