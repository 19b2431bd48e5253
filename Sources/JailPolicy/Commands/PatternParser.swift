internal import JailCore

indirect enum PatternNode {
    case one(CommandPattern.CharacterSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// nil: any number.
    case repeated(PatternNode, least: Int, most: Int?)
}

/// Reads the text of a ``CommandPattern``. What it does not know is refused, and never taken for a plain character.
struct PatternParser {
    private let characters: [Unicode.Scalar]
    private var index = 0
    private var depth = 0

    /// Of `{2,4}`.
    private static let mostRepetitions: UInt64 = 256
    private static let deepest = 16

    init(_ text: String) { characters = Array(text.unicodeScalars) }

    private var next: Unicode.Scalar? { index < characters.count ? characters[index] : nil }

    private mutating func take() -> Unicode.Scalar? {
        guard let next else { return nil }
        index += 1
        return next
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == character else { return false }
        index += 1
        return true
    }

    private func refusal(_ reason: String, isTaken: Bool = false) -> ValueError {
        ValueError("is no pattern at character \(isTaken ? index : index + 1): \(reason)")
    }

    mutating func parse() throws(ValueError) -> PatternNode {
        let node = try choice()
        guard next == nil else { throw refusal("')' closes nothing") }
        return node
    }

    private mutating func choice() throws(ValueError) -> PatternNode {
        var choices = [try sequence()]
        while take("|") { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence() throws(ValueError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let next, next != "|", next != ")" { nodes.append(try repeated(try atom())) }
        return .sequence(nodes)
    }

    private mutating func repeated(_ node: PatternNode) throws(ValueError) -> PatternNode {
        let repeated: PatternNode
        switch next {
        case "*": repeated = .repeated(node, least: 0, most: nil)
        case "+": repeated = .repeated(node, least: 1, most: nil)
        case "?": repeated = .repeated(node, least: 0, most: 1)
        case "{": return try counted(node)
        default: return node
        }
        index += 1
        return try single(repeated)
    }

    /// `a**`, `a*?` and `a++` mean different things to different programs.
    private func single(_ node: PatternNode) throws(ValueError) -> PatternNode {
        if let next, "*+?{".unicodeScalars.contains(next) { throw refusal("two repetitions of one thing") }
        return node
    }

    private mutating func counted(_ node: PatternNode) throws(ValueError) -> PatternNode {
        index += 1
        let least = try number()
        let most = take(",") ? try number() : least
        guard take("}"), least <= most else { throw refusal("a repetition is '{2}' or '{2,4}'") }
        return try single(.repeated(node, least: least, most: most))
    }

    private mutating func number() throws(ValueError) -> Int {
        var digits = ""
        while let next, ("0"..."9").contains(next) {
            digits.unicodeScalars.append(next)
            index += 1
        }
        guard let number = DecimalDigits.parse(digits), number <= Self.mostRepetitions else {
            throw refusal("a repetition is a number up to \(Self.mostRepetitions)")
        }
        return Int(number)
    }

    private mutating func atom() throws(ValueError) -> PatternNode {
        guard let character = take() else { throw refusal("it ends too early") }
        switch character {
        case "(": return try group()
        case "[": return .one(try set())
        case ".": return .one(CommandPattern.CharacterSet(ranges: [], isInverted: true))
        case "\\": return .one(Self.only(try escaped()))
        case "^", "$":
            throw refusal(
                "all of a word is matched, without '^' and '$'; the character itself is '\\\(character)'", isTaken: true
            )
        case "*", "+", "?", "{", "}", "]":
            throw refusal("'\(character)' has nothing before it; the character is '\\\(character)'", isTaken: true)
        default: return .one(Self.only(character))
        }
    }

    private static func only(_ character: Unicode.Scalar) -> CommandPattern.CharacterSet {
        CommandPattern.CharacterSet(ranges: [character.value...character.value])
    }

    private mutating func group() throws(ValueError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw refusal("more than \(Self.deepest) parentheses in one another") }
        guard next != "?" else { throw refusal("'(?' is not known") }
        let node = try choice()
        guard take(")") else { throw refusal("')' is missing") }
        return node
    }

    /// `\d` and its like are not known.
    private mutating func escaped() throws(ValueError) -> Unicode.Scalar {
        guard let character = take(), character.isASCII, character != " ",
            !Name.isWord(UInt8(ascii: character))
        else { throw refusal("'\\' stands before punctuation alone") }
        return character
    }

    private mutating func set() throws(ValueError) -> CommandPattern.CharacterSet {
        var set = CommandPattern.CharacterSet(ranges: [], isInverted: take("^"))
        while !take("]") {
            // At the beginning and at the end it is a dash everywhere.
            let isDash = next == "-" && (set.ranges.isEmpty || isLast)
            let first: Unicode.Scalar = isDash ? "-" : try member()
            if isDash { index += 1 }
            guard !isDash, next == "-", !isLast else {
                set.ranges.append(first.value...first.value)
                continue
            }
            index += 1
            let last = try member()
            guard first <= last else { throw refusal("'\(first)-\(last)' is no range") }
            set.ranges.append(first.value...last.value)
        }
        guard !set.ranges.isEmpty else { throw refusal("a set without members") }
        return set
    }

    /// Whether the next character is the last of a set.
    private var isLast: Bool { index + 1 < characters.count && characters[index + 1] == "]" }

    /// A dash, brackets and `^` have a backslash before them.
    private mutating func member() throws(ValueError) -> Unicode.Scalar {
        guard let character = take() else { throw refusal("']' is missing") }
        if character == "\\" { return try escaped() }
        guard !["[", "]", "-", "^"].contains(character) else {
            throw refusal("in a set the character is '\\\(character)'")
        }
        return character
    }
}
