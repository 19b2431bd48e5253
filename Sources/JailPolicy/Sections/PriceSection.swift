package import JailCore

/// A price as it is written: what is left out follows from the rest.
struct PriceParts: Sendable {
    var model: String?
    var rates = RateParts()
    var context: UInt64?
    var maxOutput: UInt64?
    var long: LongParts?

    struct RateParts: Sendable {
        var input: UInt64?
        var output: UInt64?
        var cacheRead: UInt64?
        var cacheWrite: UInt64?
        var cacheWriteLong: UInt64?
    }

    struct LongParts: Sendable {
        var above: UInt64?
        var rates = RateParts()
    }
}

extension PriceParts {
    /// The keys of an element of `spend.prices`, and of `models` of a price table.
    static let table = SectionTable<PriceParts>(
        [
            SectionKey(
                "model", read: { (field, parts) throws(JailError) in parts.model = try field.name(checkModel) },
                write: { $0.model.map { .string($0) } })
        ] + rateKeys(\.rates) + [
            tokens("context", \.context),
            tokens("maxOutput", \.maxOutput),
            SectionKey<PriceParts>(
                "long",
                read: { (field, parts) throws(JailError) in
                    var long = LongParts()
                    try LongParts.table.read(field, into: &long)
                    parts.long = long
                },
                write: { $0.long.map(LongParts.table.json) }
            ).holding(LongParts.table),
        ])

    fileprivate static func rateKeys<Section>(
        _ rates: any WritableKeyPath<Section, RateParts> & Sendable
    ) -> [SectionKey<Section>] {
        let keys: [(String, any WritableKeyPath<RateParts, UInt64?> & Sendable)] = [
            ("input", \.input), ("output", \.output), ("cacheRead", \.cacheRead), ("cacheWrite", \.cacheWrite),
            ("cacheWriteLong", \.cacheWriteLong),
        ]
        return keys.map { name, key in
            SectionKey(
                name,
                read: { (field, section) throws(JailError) in
                    let amount = try field.money()
                    section[keyPath: rates][keyPath: key] = amount
                },
                write: { $0[keyPath: rates][keyPath: key].map { .string(Money.format($0)) } })
        }
    }

    fileprivate static func tokens<Section>(
        _ name: String, _ key: any WritableKeyPath<Section, UInt64?> & Sendable
    ) -> SectionKey<Section> {
        SectionKey(
            name,
            read: { (field, section) throws(JailError) in
                section[keyPath: key] = try field.integer(1...1_000_000_000)
            },
            write: { $0[keyPath: key].map { .number($0) } })
    }

    private static func checkModel(_ text: String) throws(ValueError) {
        guard (1...128).contains(text.utf8.count), text == text.printable else {
            throw ValueError(expected: "the name of a model", found: text)
        }
    }
}

extension PriceParts.LongParts {
    /// The keys of `long`.
    static let table = SectionTable<Self>([PriceParts.tokens("above", \.above)] + PriceParts.rateKeys(\.rates))
}

extension PriceParts {
    static func read(_ field: Field) throws(JailError) -> ModelPrice {
        var parts = PriceParts()
        try table.read(field, into: &parts)
        guard let model = parts.model, let rates = parts.rates.made, let context = parts.context,
            let output = parts.maxOutput
        else { throw field.refusal("needs 'model', 'input', 'output', 'context' and 'maxOutput'") }
        var price = ModelPrice(model: model, rates: rates, context: context, maxOutput: output)
        if let long = parts.long {
            guard let above = long.above, let rates = long.rates.made else {
                throw field.refusal("needs 'above', 'input' and 'output' in 'long'")
            }
            price.longAbove = above
            price.longRates = rates
        }
        return price
    }
}

extension PriceParts.RateParts {
    fileprivate var made: ModelPrice.Rates? {
        guard let input, let output else { return nil }
        return ModelPrice.Rates(
            input: input, output: output, cacheRead: cacheRead, cacheWrite: cacheWrite, cacheWriteLong: cacheWriteLong)
    }

    fileprivate init(_ rates: ModelPrice.Rates) {
        input = rates.input
        output = rates.output
        cacheRead = rates.cacheRead
        cacheWrite = rates.cacheWrite
        cacheWriteLong = rates.cacheWriteLong
    }
}

extension ModelPrice {
    package var json: JSON {
        var parts = PriceParts()
        parts.model = model
        parts.rates = PriceParts.RateParts(rates)
        parts.context = context
        parts.maxOutput = maxOutput
        if let longRates {
            parts.long = PriceParts.LongParts(above: longAbove, rates: PriceParts.RateParts(longRates))
        }
        return PriceParts.table.json(parts)
    }
}

extension Field {
    /// Each model once.
    func prices() throws(JailError) -> [ModelPrice] {
        var found = PriceTable([])
        for element in try elements() { found = found.replaced(by: [try PriceParts.read(element)]) }
        return found.models
    }
}
