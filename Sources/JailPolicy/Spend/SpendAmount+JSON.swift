package import JailCore

extension SpendAmount {
    package var json: JSON {
        ["cost": .number(cost), "tokens": .number(tokens), "requests": .number(requests)]
    }

    /// Exactly what ``json`` writes; nil for anything else.
    package init?(_ value: JSON5Value) {
        guard case .object(let members) = value.content, members.map(\.key) == ["cost", "tokens", "requests"],
            let cost = value["cost"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let tokens = value["tokens"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let requests = value["requests"]?.integer.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        self.init(cost: cost, tokens: tokens, requests: requests)
    }
}

extension SpendRules {
    /// As a profile has them; errors are of the stage `profile`.
    package init(_ value: JSON5Value) throws(JailError) {
        self = try Self.read(Field(value: value, path: "spend", home: nil))
    }
}
