/// What was spent, or may be: money, tokens and requests. Sums stop at the largest number instead of overflowing.
package struct SpendAmount: Hashable, Sendable {
    /// In millionths of a dollar.
    package var cost: UInt64
    package var tokens: UInt64
    package var requests: UInt64

    package init(cost: UInt64 = 0, tokens: UInt64 = 0, requests: UInt64 = 0) {
        self.cost = cost
        self.tokens = tokens
        self.requests = requests
    }

    package static let nothing = SpendAmount()

    package static func + (one: SpendAmount, other: SpendAmount) -> SpendAmount {
        SpendAmount(
            cost: one.cost.plus(other.cost), tokens: one.tokens.plus(other.tokens),
            requests: one.requests.plus(other.requests))
    }

    /// Never below nothing.
    package static func - (one: SpendAmount, other: SpendAmount) -> SpendAmount {
        SpendAmount(
            cost: one.cost - min(one.cost, other.cost), tokens: one.tokens - min(one.tokens, other.tokens),
            requests: one.requests - min(one.requests, other.requests))
    }

    /// Whether nothing of it is less than in the other.
    package func covers(_ other: SpendAmount) -> Bool {
        cost >= other.cost && tokens >= other.tokens && requests >= other.requests
    }
}

/// Tokens of one request, by what a provider charges for them.
package struct TokenUsage: Hashable, Sendable {
    /// Neither read from a cache nor written to one.
    package var input: UInt64
    package var cacheRead: UInt64
    package var cacheWrite: UInt64
    /// Written to be kept for longer.
    package var cacheWriteLong: UInt64
    /// What was thought included.
    package var output: UInt64

    package init(
        input: UInt64 = 0, cacheRead: UInt64 = 0, cacheWrite: UInt64 = 0, cacheWriteLong: UInt64 = 0,
        output: UInt64 = 0
    ) {
        self.input = input
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.cacheWriteLong = cacheWriteLong
        self.output = output
    }

    /// Whatever was read, from wherever.
    package var allInput: UInt64 { input.plus(cacheRead).plus(cacheWrite).plus(cacheWriteLong) }
    package var total: UInt64 { allInput.plus(output) }
}

extension UInt64 {
    /// The largest number in the place of an overflow.
    func plus(_ other: UInt64) -> UInt64 {
        let (sum, overflowed) = addingReportingOverflow(other)
        return overflowed ? .max : sum
    }

    func times(_ other: UInt64) -> UInt64 {
        let (product, overflowed) = multipliedReportingOverflow(by: other)
        return overflowed ? .max : product
    }
}
