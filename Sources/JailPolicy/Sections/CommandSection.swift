package import JailCore

/// An element of `commands` as it is written.
struct CommandParts: Sendable {
    var name: String?
    var program: String?
    var rule = CommandRule(name: "", program: "")

    static let table = SectionTable<CommandParts>([
        SectionKey(
            "name", read: { (field, parts) throws(JailError) in parts.name = try field.name(CommandRule.checkName) },
            write: { $0.name.map { .string($0) } }),
        SectionKey(
            "program",
            read: { (field, parts) throws(JailError) in parts.program = try field.name(CommandRule.checkProgram) },
            write: { $0.program.map { .string($0) } }),
        SectionKey(
            "sha256",
            read: { (field, parts) throws(JailError) in parts.rule.digest = try field.name(CommandRule.checkDigest) },
            write: { $0.rule.digest.map { .string($0) } }),
        SectionKey<CommandParts>(
            "arguments",
            read: { (field, parts) throws(JailError) in
                parts.rule.arguments = try field.list(CommandArgument.read)
                try field.checkCount(parts.rule.arguments.count)
            },
            write: { .array($0.rule.arguments.map(\.json)) }
        ).holding(ShapeParts.argument, suffix: "[]"),
        SectionKey<CommandParts>(
            "flags",
            read: { (field, parts) throws(JailError) in
                parts.rule.flags = try field.list(CommandFlag.read)
                try field.checkCount(parts.rule.flags.count)
            },
            write: { .array($0.rule.flags.map(\.json)) }
        ).holding(FlagParts.table, suffix: "[]"),
        SectionKey(
            "deny",
            read: { (field, parts) throws(JailError) in
                parts.rule.denied = try field.filledSet { (element) throws(JailError) in
                    try element.name(CommandShape.checkWord)
                }
                try field.checkCount(parts.rule.denied.count)
            },
            write: { $0.rule.denied.isEmpty ? nil : .strings($0.rule.denied) }),
        SectionKey(
            "order",
            read: { (field, parts) throws(JailError) in parts.rule.order = try field.oneOf(CommandOrder.self) },
            write: { .string($0.rule.order.rawValue) }),
        SectionKey(
            "combined", read: { (field, parts) throws(JailError) in parts.rule.combined = try field.boolean() },
            write: { .boolean($0.rule.combined) }),
        SectionKey(
            "workingDirectory",
            read: { (field, parts) throws(JailError) in
                parts.rule.workingDirectory = try field.name(AbsolutePath.check)
            },
            write: { $0.rule.workingDirectory.map { .string($0) } }),
        SectionKey(
            "environment",
            read: { (field, parts) throws(JailError) in
                parts.rule.environment = []
                for member in try field.members() {
                    parts.rule.environment.append(
                        try field.member(member.key, member.value).parsed { (value) throws(ValueError) in
                            try EnvironmentVariable.make(name: member.key, value: value)
                        })
                }
            },
            write: { .object($0.rule.environment.map { ($0.name, .string($0.value)) }) }),
        SectionKey(
            "timeout",
            read: { (field, parts) throws(JailError) in
                let time = try field.parsed(as: "a time such as \"30s\"", TimeSpan.parse)
                guard CommandRule.times.contains(time) else { throw field.refusal("must be from \"100ms\" to \"1d\"") }
                parts.rule.timeout = time
            },
            write: { .string(TimeSpan.format($0.rule.timeout)) }),
        SectionKey(
            "outputSize",
            read: { (field, parts) throws(JailError) in parts.rule.outputSize = try field.size() },
            write: { .string(ByteSize.format($0.rule.outputSize)) }),
        SectionKey<CommandParts>(
            "where",
            read: { (field, parts) throws(JailError) in parts.rule.place = try CommandPlace.read(field) },
            write: { $0.rule.place.json }
        ).holding(PlaceParts.table),
        SectionKey(
            "ask", read: { (field, parts) throws(JailError) in parts.rule.asks = try field.boolean() },
            write: { .boolean($0.rule.asks) }),
    ])
}

extension CommandRule {
    /// In milliseconds.
    static let times: ClosedRange<UInt64> = 100...86_400_000

    static func read(_ field: Field) throws(JailError) -> CommandRule {
        var parts = CommandParts()
        try CommandParts.table.read(field, into: &parts)
        guard let program = parts.program else { throw field.refusal("needs 'program'") }
        var rule = parts.rule
        rule.program = program
        if let name = parts.name {
            rule.name = name
        } else {
            rule.name = try field.checked { () throws(ValueError) in try usualName(of: program) }
        }
        if let reason = rule.contradiction { throw field.refusal(reason) }
        return rule
    }

    package var json: JSON { CommandParts.table.json(CommandParts(name: name, program: program, rule: self)) }
}

extension CommandRules {
    /// Each of them is looked at for every call.
    static let mostRules = 128

    static func read(_ field: Field) throws(JailError) -> CommandRules {
        var rules = CommandRules()
        for element in try field.elements() {
            let rule = try CommandRule.read(element)
            if rules.rules.contains(rule) { continue }
            if let reason = rules.clash(with: rule) { throw element.refusal(reason) }
            rules.rules.append(rule)
        }
        guard rules.rules.count <= mostRules else {
            throw field.refusal("must have at most \(mostRules) elements, not \(rules.rules.count)")
        }
        return rules
    }

    package var json: JSON { .array(rules.map(\.json)) }

    /// Refuses programs that the jail could write itself, at the place of the rule.
    func check(_ profile: Profile, _ tree: JSON5Value) throws(JailError) {
        for rule in rules {
            guard let reason = rule.exposure(in: profile.filesystem, of: profile.process) else { continue }
            let whole = Field(value: tree, path: "", home: nil)
            guard let list = tree["commands"] else { throw whole.refusal(reason) }
            for element in try whole.member("commands", list).elements() where try CommandRule.read(element) == rule {
                throw element.refusal(reason)
            }
            throw whole.refusal(reason)
        }
    }
}

/// The object of `commands[].where`.
struct PlaceParts: Sendable {
    var profile: String?
    var host: String?

    static let table = SectionTable<PlaceParts>([
        SectionKey(
            "profile", read: { (field, parts) throws(JailError) in parts.profile = try field.name(Name.checkProfile) },
            write: { $0.profile.map { .string($0) } }),
        SectionKey(
            "host", read: { (field, parts) throws(JailError) in parts.host = try field.name(Name.checkHostUser) },
            write: { $0.host.map { .string($0) } }),
    ])
}

extension CommandPlace {
    private static let jailText = "jail"

    static func read(_ field: Field) throws(JailError) -> CommandPlace {
        if case .string(jailText) = field.value.content { return .jail }
        guard case .object = field.value.content else { throw field.wrongKind("\"\(jailText)\" or an object") }
        var parts = PlaceParts()
        try PlaceParts.table.read(field, into: &parts)
        switch (parts.profile, parts.host) {
        case (let profile?, nil): return .profile(profile)
        case (nil, let user?): return .host(user)
        default: throw field.refusal("must have one of 'profile' and 'host'")
        }
    }

    var json: JSON {
        switch self {
        case .jail: .string(Self.jailText)
        case .profile(let name): PlaceParts.table.json(PlaceParts(profile: name))
        case .host(let user): PlaceParts.table.json(PlaceParts(host: user))
        }
    }
}

extension Field {
    /// Every word of a call is held against them.
    fileprivate func checkCount(_ count: Int) throws(JailError) {
        guard count <= CommandRule.mostShapes else {
            throw refusal("must have at most \(CommandRule.mostShapes) elements, not \(count)")
        }
    }
}
