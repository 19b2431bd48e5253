/// What one model costs.
package struct ModelPrice: Hashable, Sendable {
    /// Millionths of a dollar for a million tokens, of each kind.
    package struct Rates: Hashable, Sendable {
        package var input: UInt64
        package var output: UInt64
        package var cacheRead: UInt64
        package var cacheWrite: UInt64
        package var cacheWriteLong: UInt64

        package init(
            input: UInt64, output: UInt64, cacheRead: UInt64? = nil, cacheWrite: UInt64? = nil,
            cacheWriteLong: UInt64? = nil
        ) {
            self.input = input
            self.output = output
            self.cacheRead = cacheRead ?? input
            self.cacheWrite = cacheWrite ?? input
            self.cacheWriteLong = cacheWriteLong ?? self.cacheWrite
        }

        /// The dearest that a token of input can be.
        func dearestInput(caches: Bool) -> UInt64 {
            caches ? max(input, cacheRead, cacheWrite, cacheWriteLong) : max(input, cacheRead)
        }
    }

    package var model: String
    package var rates: Rates
    /// Tokens of input from more than which on ``longRates`` hold for all of a request; nil: they never do.
    package var longAbove: UInt64?
    package var longRates: Rates?
    /// Tokens of the longest input that it takes.
    package var context: UInt64
    /// Tokens of the longest output, for a request that does not say.
    package var maxOutput: UInt64

    package init(model: String, rates: Rates, context: UInt64, maxOutput: UInt64) {
        self.model = model
        self.rates = rates
        self.context = context
        self.maxOutput = maxOutput
    }

    /// In millionths of a dollar, rounded up.
    package func cost(_ usage: TokenUsage) -> UInt64 {
        let rates = rates(input: usage.allInput)
        let parts = [
            usage.input.times(rates.input), usage.cacheRead.times(rates.cacheRead),
            usage.cacheWrite.times(rates.cacheWrite), usage.cacheWriteLong.times(rates.cacheWriteLong),
            usage.output.times(rates.output),
        ]
        return Self.perMillion(parts.reduce(0) { $0.plus($1) })
    }

    /// The most that so many tokens can cost, in millionths of a dollar.
    ///
    /// - Parameter caches: the request may write to a cache, which can cost more than reading.
    package func bound(input: UInt64, output: UInt64, caches: Bool) -> UInt64 {
        // Fewer tokens of input can be the dearer ones only if the rates of long inputs are lower, so both are asked.
        var all = [rates]
        if let longRates, longAbove.map({ input > $0 }) ?? false { all.append(longRates) }
        let costs = all.map { input.times($0.dearestInput(caches: caches)).plus(output.times($0.output)) }
        return Self.perMillion(costs.max() ?? .max)
    }

    private func rates(input: UInt64) -> Rates {
        guard let longRates, let longAbove, input > longAbove else { return rates }
        return longRates
    }

    private static func perMillion(_ amount: UInt64) -> UInt64 {
        amount / 1_000_000 + (amount % 1_000_000 == 0 ? 0 : 1)
    }
}

/// Prices by the names of models.
package struct PriceTable: Hashable, Sendable {
    package var models: [ModelPrice]

    package init(_ models: [ModelPrice]) { self.models = models }

    /// Of a model by its name in the table, or that name with a date: `gpt-4o` is `gpt-4o-2024-08-06` as well, and never
    /// `gpt-4o-audio-preview`, which costs something else.
    package func price(of model: String) -> ModelPrice? {
        named(model) ?? Self.undated(model).flatMap(named)
    }

    private func named(_ model: String) -> ModelPrice? { models.first { $0.model.utf8.elementsEqual(model.utf8) } }

    /// For a model that nobody knows: of everything the dearest that there is.
    package var dearest: ModelPrice? {
        guard var all = models.first else { return nil }
        for price in models {
            all.rates.raise(to: price.rates)
            if let long = price.longRates { all.rates.raise(to: long) }
            all.context = max(all.context, price.context)
            all.maxOutput = max(all.maxOutput, price.maxOutput)
        }
        all.longAbove = nil
        all.longRates = nil
        return all
    }

    /// Those of the other in addition, or in the place of those of the same name.
    package func replaced(by others: [ModelPrice]) -> PriceTable {
        var result = self
        for price in others {
            result.models.removeAll { $0.model.utf8.elementsEqual(price.model.utf8) }
            result.models.append(price)
        }
        return result
    }

    /// Without `-20250929`, `@20250929`, `-2024-08-06` or `-latest` at its end; nil: it ends with none of them.
    static func undated(_ model: String) -> String? {
        let bytes = Array(model.utf8)
        func has(_ form: String) -> Bool {
            let form = Array(form.utf8)
            guard bytes.count > form.count else { return false }
            return zip(bytes.suffix(form.count), form).allSatisfy { byte, sign in
                sign == UInt8(ascii: "0") ? byte.isDigit : byte == sign
            }
        }
        for form in ["-00000000", "@00000000", "-0000-00-00", "-latest"] where has(form) {
            return String(decoding: bytes.dropLast(form.utf8.count), as: UTF8.self)
        }
        return nil
    }
}

extension ModelPrice.Rates {
    fileprivate mutating func raise(to other: Self) {
        input = max(input, other.input)
        output = max(output, other.output)
        cacheRead = max(cacheRead, other.cacheRead)
        cacheWrite = max(cacheWrite, other.cacheWrite)
        cacheWriteLong = max(cacheWriteLong, other.cacheWriteLong)
    }
}
