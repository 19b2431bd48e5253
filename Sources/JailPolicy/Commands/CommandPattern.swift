internal import JailCore

/// A regular expression for whole words, of a kind whose matching takes time in proportion to the word, whatever the word is:
/// characters, `.`, `[a-z]`, `[^a-z]`, `(…)`, `|`, `*`, `+`, `?`, `{2}`, `{2,4}`, and `\` before punctuation.
package struct CommandPattern: Hashable, Sendable {
    /// As the profile has it.
    package let text: String
    let steps: [Step]

    /// One of what a set of places in the pattern goes through.
    enum Step: Hashable, Sendable {
        case take(CharacterSet)
        case fork(Int, Int)
        case jump(Int)
        case done
    }

    struct CharacterSet: Hashable, Sendable {
        var ranges: [ClosedRange<UInt32>]
        var isInverted = false

        func contains(_ character: Unicode.Scalar) -> Bool {
            ranges.contains { $0.contains(character.value) } != isInverted
        }
    }

    package static let longest = 1024
    /// A pattern of more steps would be slow.
    static let mostSteps = 2000

    package static func parse(_ text: String) throws(ValueError) -> CommandPattern {
        guard text.utf8.count <= longest else { throw ValueError("must be a pattern of at most \(longest) bytes") }
        guard text == text.printable else {
            throw ValueError(expected: "a pattern without control characters", found: text)
        }
        var parser = PatternParser(text)
        let node = try parser.parse()
        var compiler = PatternCompiler()
        try compiler.add(node)
        compiler.steps.append(.done)
        return CommandPattern(text: text, steps: compiler.steps)
    }

    package static func == (one: CommandPattern, other: CommandPattern) -> Bool {
        one.text.hasSameBytes(as: other.text)
    }

    package func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }

    // MARK: Matching

    /// Whether all of the word is of the pattern.
    package func matches(_ word: String) -> Bool {
        var current = Places(count: steps.count)
        var next = Places(count: steps.count)
        enter(0, &current)
        for character in word.unicodeScalars {
            next.clear()
            for place in current.list {
                if case .take(let set) = steps[place], set.contains(character) { enter(place + 1, &next) }
            }
            guard !next.list.isEmpty else { return false }
            swap(&current, &next)
        }
        return current.list.contains { steps[$0] == .done }
    }

    /// Every place that is reached from one without a character.
    private func enter(_ start: Int, _ places: inout Places) {
        var waiting = [start]
        while let place = waiting.popLast() {
            guard places.insert(place) else { continue }
            switch steps[place] {
            case .jump(let target): waiting.append(target)
            case .fork(let one, let other): waiting += [other, one]
            case .take, .done: break
            }
        }
    }

    private struct Places {
        private(set) var list: [Int] = []
        private var isIn: [Bool]

        init(count: Int) { isIn = Array(repeating: false, count: count) }

        mutating func insert(_ place: Int) -> Bool {
            guard !isIn[place] else { return false }
            isIn[place] = true
            list.append(place)
            return true
        }

        mutating func clear() {
            for place in list { isIn[place] = false }
            list.removeAll(keepingCapacity: true)
        }
    }
}

/// Makes steps of what was parsed.
struct PatternCompiler {
    var steps: [CommandPattern.Step] = []
    /// Nodes that were looked at: repetitions of nothing make no steps.
    private var count = 0

    mutating func add(_ node: PatternNode) throws(ValueError) {
        count += 1
        guard steps.count < CommandPattern.mostSteps, count < 4 * CommandPattern.mostSteps else {
            throw ValueError("must be a simpler pattern: repetitions are written out, and make it too long")
        }
        switch node {
        case .one(let set): steps.append(.take(set))
        case .sequence(let nodes): for node in nodes { try add(node) }
        case .choice(let nodes): try addChoice(nodes[...])
        case .repeated(let node, let least, let most):
            for _ in 0..<least { try add(node) }
            guard let most else { return try addLoop(node) }
            for _ in least..<most { try addOptional(node) }
        }
    }

    private mutating func addChoice(_ nodes: ArraySlice<PatternNode>) throws(ValueError) {
        guard let first = nodes.first else { return }
        guard nodes.count > 1 else { return try add(first) }
        let fork = steps.count
        steps.append(.done)
        try add(first)
        let jump = steps.count
        steps.append(.done)
        steps[fork] = .fork(fork + 1, steps.count)
        try addChoice(nodes.dropFirst())
        steps[jump] = .jump(steps.count)
    }

    private mutating func addOptional(_ node: PatternNode) throws(ValueError) {
        let fork = steps.count
        steps.append(.done)
        try add(node)
        steps[fork] = .fork(fork + 1, steps.count)
    }

    private mutating func addLoop(_ node: PatternNode) throws(ValueError) {
        let fork = steps.count
        steps.append(.done)
        try add(node)
        steps.append(.jump(fork))
        steps[fork] = .fork(fork + 1, steps.count)
    }
}
