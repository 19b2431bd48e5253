internal import JailCore
internal import JailPolicy

/// Holds the arguments of a call against one rule.
struct CommandMatcher: Sendable {
    private let rule: CommandRule
    private let leading: String?
    private let operands: [CommandArgument]

    init(_ rule: CommandRule) {
        self.rule = rule
        leading = rule.leading
        operands = Array(rule.arguments.dropFirst(leading == nil ? 0 : 1))
    }

    /// nil: they are what the rule allows.
    func mismatch(_ arguments: [String]) -> CommandMismatch? {
        if let leading {
            guard let first = arguments.first else {
                return CommandMismatch(0, "\"\(leading.excerpt)\" is missing")
            }
            guard first.hasSameBytes(as: leading) else {
                return CommandMismatch(0, "'\(first.excerpt)' is not \"\(leading.excerpt)\"")
            }
        }
        var reading = FlagReading(rule: rule, words: arguments, index: leading == nil ? 0 : 1)
        do throws(CommandMismatch) { try reading.read() } catch { return error }
        return mismatch(of: reading.operands, end: arguments.count)
    }

    /// Words that are no flags, in the order of the rule. All ways to share them out are tried at once: a place is reached, or
    /// it is not.
    private func mismatch(of words: [FlagReading.Operand], end: Int) -> CommandMismatch? {
        var reached = Array(repeating: false, count: words.count + 1)
        reached[0] = true
        var furthest = (place: 0, expected: [String]())
        func stop(_ place: Int, _ expected: String) {
            if place > furthest.place { furthest = (place, []) }
            if place == furthest.place { furthest.expected.append(expected) }
        }
        for argument in operands {
            let fits = words.map { argument.shape.accepts($0.word, in: rule.workingDirectory) }
            var next = Array(repeating: false, count: words.count + 1)
            for start in reached.indices where reached[start] {
                var count = 0
                while true {
                    if count >= argument.least { next[start + count] = true }
                    guard count < argument.most else { break }
                    guard start + count < words.count, fits[start + count] else {
                        stop(start + count, argument.shape.expectation)
                        break
                    }
                    count += 1
                }
            }
            reached = next
        }
        if reached[words.count] { return nil }
        let last = reached.lastIndex(of: true) ?? 0
        if last > furthest.place { furthest = (last, []) }
        return reason(words, furthest.place, furthest.expected, end: end)
    }

    private func reason(
        _ words: [FlagReading.Operand], _ place: Int, _ expected: [String], end: Int
    ) -> CommandMismatch {
        guard place < words.count else {
            return CommandMismatch(end, "there is an argument too few: \(expected.last ?? "one more") is missing")
        }
        let (word, position) = (words[place].word, words[place].position)
        if word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1, !word.hasSameBytes(as: "--") {
            return CommandMismatch(position, flagReason(word))
        }
        guard let expectation = expected.first else {
            return CommandMismatch(position, "'\(word.excerpt)' is an argument too many")
        }
        return CommandMismatch(position, "'\(word.excerpt)' is not \(expectation)")
    }

    private func flagReason(_ word: String) -> String {
        let names = rule.flags.flatMap(\.names)
        let name = String(word.prefix { $0 != "=" })
        let list = names.isEmpty ? "there are none" : names.joined(separator: ", ")
        if let nearest = NearestName.find(name, among: names), nearest != name {
            return "'\(word.excerpt)' is not among the flags (did you mean '\(nearest)'?)"
        }
        return "'\(word.excerpt)' is not among the flags (\(list))"
    }
}

/// Where, and why, a call is not what a rule allows.
struct CommandMismatch: Error, Equatable {
    /// How many arguments are as they should be.
    let position: Int
    let reason: String

    init(_ position: Int, _ reason: String) {
        self.position = position
        self.reason = reason
    }
}
