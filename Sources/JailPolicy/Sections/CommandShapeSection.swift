internal import JailCore

/// An element of `commands[].arguments`, or a flag's value, as it is written.
struct ShapeParts: Sendable {
    var shape: CommandShape?
    /// Keys that say a shape.
    var count = 0
    var from: UInt64?
    var to: UInt64?
    var least: UInt64 = 1
    var most: UInt64?

    /// A flag's value, of which there is one.
    static let value = SectionTable<ShapeParts>(shapes)

    static let argument = SectionTable<ShapeParts>(
        shapes + [
            SectionKey(
                "least", read: { (field, parts) throws(JailError) in parts.least = try field.integer(0...mostWords) },
                write: { $0.least == 1 ? nil : .number($0.least) }),
            SectionKey(
                "most",
                read: { (field, parts) throws(JailError) in parts.most = try field.integer(1...mostWords) },
                write: { $0.most.flatMap { $0 == 1 ? nil : .number($0) } }),
        ])

    private static let mostWords: UInt64 = 256

    private static let shapes: [SectionKey<ShapeParts>] = [
        SectionKey(
            "oneOf",
            read: { (field, parts) throws(JailError) in
                let words = try field.filledSet { (element) throws(JailError) in
                    try element.name(CommandShape.checkWord)
                }
                parts.set(.oneOf(words))
            },
            write: { if case .oneOf(let words)? = $0.shape { .strings(words) } else { nil } }),
        SectionKey(
            "below",
            read: { (field, parts) throws(JailError) in parts.set(.below(try field.name(CommandShape.checkRoot))) },
            write: { if case .below(let root)? = $0.shape { .string(root) } else { nil } }),
        SectionKey(
            "pattern",
            read: { (field, parts) throws(JailError) in parts.set(.pattern(try field.parsed(CommandPattern.parse))) },
            write: { if case .pattern(let pattern)? = $0.shape { .string(pattern.text) } else { nil } }),
        SectionKey(
            "from", read: { (field, parts) throws(JailError) in parts.from = try field.integer(0...UInt64(Int64.max)) },
            write: { if case .number(let range)? = $0.shape { .number(range.lowerBound) } else { nil } }),
        SectionKey(
            "upTo", read: { (field, parts) throws(JailError) in parts.to = try field.integer(0...UInt64(Int64.max)) },
            write: { if case .number(let range)? = $0.shape { .number(range.upperBound) } else { nil } }),
    ]

    init() {}

    init(_ argument: CommandArgument) {
        shape = argument.shape
        (least, most) = (argument.least, argument.most)
    }

    private mutating func set(_ shape: CommandShape) {
        self.shape = shape
        count += 1
    }

    /// The one shape that is said.
    func made(_ field: Field) throws(JailError) -> CommandShape {
        if let from, let to, count == 0 {
            guard from <= to else { throw field.refusal("must have 'from' at or below 'upTo'") }
            return .number(from...to)
        }
        guard let shape, count == 1, from == nil, to == nil else {
            throw field.refusal("must have one of 'oneOf', 'below', 'pattern', and 'from' with 'upTo'")
        }
        return shape
    }
}

extension CommandArgument {
    static func read(_ field: Field) throws(JailError) -> CommandArgument {
        if case .string = field.value.content {
            return CommandArgument(.literal(try field.name(CommandShape.checkWord)))
        }
        guard case .object = field.value.content else { throw field.wrongKind("a word or an object") }
        var parts = ShapeParts()
        try ShapeParts.argument.read(field, into: &parts)
        let shape = try parts.made(field)
        let most = parts.most ?? max(1, parts.least)
        guard parts.least <= most else { throw field.refusal("must have 'least' at or below 'most'") }
        return CommandArgument(shape, least: parts.least, most: most)
    }

    var json: JSON {
        if case .literal(let word) = shape { return .string(word) }
        return ShapeParts.argument.json(ShapeParts(self))
    }
}

/// An element of `commands[].flags` as it is written.
struct FlagParts: Sendable {
    var flag = CommandFlag([])

    static let table = SectionTable<FlagParts>([
        SectionKey(
            "names",
            read: { (field, parts) throws(JailError) in
                parts.flag.names = try field.filledSet { (element) throws(JailError) in
                    try element.name(CommandFlag.checkName)
                }
            },
            write: { .strings($0.flag.names) }),
        SectionKey<FlagParts>(
            "value",
            read: { (field, parts) throws(JailError) in
                guard case .object = field.value.content else { throw field.wrongKind("an object") }
                var value = ShapeParts()
                try ShapeParts.value.read(field, into: &value)
                parts.flag.value = try value.made(field)
            },
            write: { $0.flag.value.map { ShapeParts.value.json(ShapeParts(CommandArgument($0))) } }
        ).holding(ShapeParts.value),
        SectionKey(
            "form",
            read: { (field, parts) throws(JailError) in parts.flag.form = try field.oneOf(CommandFlagForm.self) },
            write: { .string($0.flag.form.rawValue) }),
        SectionKey(
            "required",
            read: { (field, parts) throws(JailError) in parts.flag.isRequired = try field.boolean() },
            write: { .boolean($0.flag.isRequired) }),
        SectionKey(
            "repeated",
            read: { (field, parts) throws(JailError) in parts.flag.mayRepeat = try field.boolean() },
            write: { .boolean($0.flag.mayRepeat) }),
    ])
}

extension CommandFlag {
    static func read(_ field: Field) throws(JailError) -> CommandFlag {
        if case .string = field.value.content { return CommandFlag([try field.name(checkName)]) }
        guard case .object = field.value.content else { throw field.wrongKind("a flag or an object") }
        var parts = FlagParts()
        try FlagParts.table.read(field, into: &parts)
        guard !parts.flag.names.isEmpty else { throw field.refusal("needs 'names'") }
        guard parts.flag.value != nil || parts.flag.form == .separate else {
            throw field.refusal("has a 'form' and no 'value'")
        }
        return parts.flag
    }

    var json: JSON {
        self == CommandFlag(names) && names.count == 1 ? .string(names[0]) : FlagParts.table.json(FlagParts(flag: self))
    }
}
