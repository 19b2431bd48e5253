package import JailCore

extension SpendRules {
    /// The keys of `spend`.
    static let table = SectionTable<SpendRules>([
        SectionKey(
            "perDay",
            read: { (field, rules) throws(JailError) in rules.perDay = try field.money() },
            write: { $0.perDay.map { .string(Money.format($0)) } }),
        SectionKey(
            "tokensPerDay",
            read: { (field, rules) throws(JailError) in rules.tokensPerDay = try field.integer(1...mostCount) },
            write: { $0.tokensPerDay.map { .number($0) } }),
        SectionKey(
            "requestsPerDay",
            read: { (field, rules) throws(JailError) in rules.requestsPerDay = try field.integer(1...mostCount) },
            write: { $0.requestsPerDay.map { .number($0) } }),
        SectionKey(
            "onLimit",
            read: { (field, rules) throws(JailError) in rules.onLimit = try field.oneOf(SpendAction.self) },
            write: { .string($0.onLimit.rawValue) }),
        SectionKey(
            "unknownModels",
            read: { (field, rules) throws(JailError) in rules.unknownModels = try field.oneOf(UnknownModels.self) },
            write: { .string($0.unknownModels.rawValue) }),
        SectionKey<SpendRules>(
            "providers",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let provider = try SpendProvider.read(element)
                    if !rules.providers.contains(provider) { rules.providers.append(provider) }
                }
            },
            write: { .array($0.providers.map(SpendProvider.table.json)) }
        ).holding(SpendProvider.table, suffix: "[]"),
        SectionKey<SpendRules>(
            "prices",
            read: { (field, rules) throws(JailError) in
                rules.prices = PriceTable(rules.prices).replaced(by: try field.prices()).models
            },
            write: { .array($0.prices.map(\.json)) }
        ).holding(PriceParts.table, suffix: "[]"),
        SectionKey(
            "fields",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let name = try element.name(checkField)
                    if !rules.fields.contains(name) { rules.fields.append(name) }
                }
            },
            write: { .strings($0.fields) }),
    ])

    private static let mostCount: UInt64 = 1_000_000_000_000

    private static func checkField(_ text: String) throws(ValueError) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(Name.isWord) else {
            throw ValueError(expected: "the name of a field such as \"seed\"", found: text)
        }
    }

    static func read(_ field: Field) throws(JailError) -> SpendRules {
        var rules = SpendRules()
        try table.read(field, into: &rules)
        guard rules.hasLimit else { throw field.refusal("needs 'perDay', 'tokensPerDay' or 'requestsPerDay'") }
        return rules
    }

    /// What is let through unseen cannot be counted.
    package func check(_ network: NetworkRules) throws(JailError) {
        guard let spot = blindSpot(in: network) else { return }
        throw JailError(
            .profile,
            reason: "'spend' counts what is asked of \(spot.host), and '\(spot.rule)' lets that through unseen",
            hint: "take \(spot.key) out of it, or 'spend' out of the profile")
    }

    package var json: JSON { Self.table.json(self) }

    /// For people, a line each.
    package var shown: [String] {
        var lines = SpendLimit.allCases.compactMap { limit in
            limit.most(self).map { "at most \(limit.text($0)) a day (UTC)" }
        }
        let action = onLimit == .deny ? "" : ", and the jail is \(onLimit == .pause ? "paused" : "stopped")"
        lines.append("then requests are denied\(action)")
        if unknownModels == .dearest { lines.append("models without a price cost as much as the dearest") }
        lines += providers.map { "counted as well: \($0.hosts.map(\.text).joined(separator: ", ")) at \($0.path)" }
        if !prices.isEmpty { lines.append("prices of its own: \(prices.map(\.model).joined(separator: ", "))") }
        if !fields.isEmpty { lines.append("fields that cost nothing: \(fields.joined(separator: ", "))") }
        return lines
    }
}

extension SpendProvider {
    /// The keys of an element of `spend.providers`.
    static let table = SectionTable<SpendProvider>([
        SectionKey(
            "hosts",
            read: { (field, provider) throws(JailError) in
                provider.hosts = try field.filledSet { (element) throws(JailError) in
                    let host = try element.parsed(HostPattern.parse)
                    guard host != .any else { throw element.refusal("must name hosts, not all of them") }
                    return host
                }
            },
            write: { .strings($0.hosts.map(\.text)) }),
        SectionKey(
            "path",
            read: { (field, provider) throws(JailError) in
                provider.path = try field.name { (text) throws(ValueError) in
                    guard text.isEmpty || CanonicalPath(target: text)?.target == text && !text.utf8.contains(0x3F),
                        text.utf8.last != UInt8(ascii: "/")
                    else { throw ValueError(expected: "a path such as \"/v1\", without '/' at its end", found: text) }
                }
            },
            write: { .string($0.path) }),
    ])

    static func read(_ field: Field) throws(JailError) -> SpendProvider {
        var provider = SpendProvider(hosts: [], path: "/v1")
        try table.read(field, into: &provider)
        guard !provider.hosts.isEmpty else { throw field.refusal("needs 'hosts'") }
        return provider
    }
}

extension Field {
    /// In millionths of a dollar.
    func money() throws(JailError) -> UInt64 { try parsed(as: "an amount such as \"5 USD\"", Money.parse) }
}
