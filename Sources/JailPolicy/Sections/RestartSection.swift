package import JailCore

extension RestartRules {
    /// The keys of `restart`.
    static let table = SectionTable<RestartRules>([
        SectionKey(
            "on",
            read: { (field, rules) throws(JailError) in rules.on = try field.oneOf(Occasion.self) },
            write: { .string($0.on.rawValue) }),
        time("delay", 100...3_600_000, \.delay),
        time("longest", 100...3_600_000, \.longest),
        SectionKey(
            "most",
            read: { (field, rules) throws(JailError) in rules.most = try field.integer(1...1000) },
            write: { .number($0.most) }),
        time("within", 1000...86_400_000, \.within),
    ])

    private static func time(
        _ name: String, _ range: ClosedRange<UInt64>, _ path: any WritableKeyPath<RestartRules, UInt64> & Sendable
    ) -> SectionKey<RestartRules> {
        SectionKey(
            name,
            read: { (field, rules) throws(JailError) in
                let time = try field.parsed(as: "a time such as \"30s\"", TimeSpan.parse)
                guard range.contains(time) else {
                    throw field.refusal(
                        "must be from \"\(TimeSpan.format(range.lowerBound))\" to "
                            + "\"\(TimeSpan.format(range.upperBound))\", not \"\(TimeSpan.format(time))\"")
                }
                rules[keyPath: path] = time
            },
            write: { .string(TimeSpan.format($0[keyPath: path])) })
    }

    /// The keys together.
    func check(_ field: Field) throws(JailError) {
        guard longest >= delay else {
            throw field.refusal(
                "has a 'longest' of \"\(TimeSpan.format(longest))\", less than its 'delay' of "
                    + "\"\(TimeSpan.format(delay))\"")
        }
    }

    package var json: JSON { Self.table.json(self) }
}
