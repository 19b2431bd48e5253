internal import JailCore

/// What one jail may spend in a day, and what of it is left. A value; whoever counts holds the only one.
///
/// The most that a request can come to is reserved before it is sent, and set right once it is known. So what is let out
/// never exceeds a limit, in whatever order requests begin and end, unless a provider charges more than was reserved.
package struct SpendBudget: Equatable, Sendable {
    package let rules: SpendRules
    /// Days since the epoch, of UTC. It never goes back, whatever the clock does.
    package private(set) var day: Int64
    /// On that day.
    package private(set) var spent: SpendAmount
    /// For requests that are under way.
    package private(set) var reserved = SpendAmount.nothing

    package init(_ rules: SpendRules, day: Int64, spent: SpendAmount) {
        self.rules = rules
        self.day = day
        self.spent = spent
    }

    /// nil: it is reserved, until ``settle(_:as:on:)``.
    package mutating func reserve(_ bound: SpendAmount, on today: Int64) -> SpendRefusal? {
        advance(to: today)
        let used = spent + reserved
        for limit in SpendLimit.allCases {
            guard let most = limit.most(rules), limit.value(used + bound) > most else { continue }
            return SpendRefusal(
                limit: limit, most: most, spent: limit.value(spent), reserved: limit.value(reserved),
                needed: limit.value(bound), day: day)
        }
        reserved = reserved + bound
        return nil
    }

    /// What was reserved has come to this.
    package mutating func settle(_ bound: SpendAmount, as actual: SpendAmount, on today: Int64) {
        advance(to: today)
        reserved = reserved - bound
        spent = spent + actual
    }

    /// What is under way counts on the day on which it ends.
    private mutating func advance(to today: Int64) {
        guard today > day else { return }
        day = today
        spent = .nothing
    }
}

/// The limits of ``SpendRules``.
package enum SpendLimit: String, CaseIterable, Sendable {
    case perDay, tokensPerDay, requestsPerDay

    /// Of the profile.
    package var key: String { "spend.\(rawValue)" }

    package func most(_ rules: SpendRules) -> UInt64? {
        switch self {
        case .perDay: rules.perDay
        case .tokensPerDay: rules.tokensPerDay
        case .requestsPerDay: rules.requestsPerDay
        }
    }

    package func value(_ amount: SpendAmount) -> UInt64 {
        switch self {
        case .perDay: amount.cost
        case .tokensPerDay: amount.tokens
        case .requestsPerDay: amount.requests
        }
    }

    /// For people.
    package func text(_ value: UInt64) -> String {
        switch self {
        case .perDay: Money.format(value)
        case .tokensPerDay: "\(value) tokens"
        case .requestsPerDay: value == 1 ? "1 request" : "\(value) requests"
        }
    }
}

/// Why a request is not sent.
package struct SpendRefusal: Equatable, Sendable {
    package var limit: SpendLimit
    package var most: UInt64
    package var spent: UInt64
    package var reserved: UInt64
    /// At most, for this request.
    package var needed: UInt64
    /// On which it is so.
    package var day: Int64

    package var reason: String {
        let other = reserved == 0 ? "" : " and \(limit.text(reserved)) reserved for what is under way"
        return "\(limit.key) is \(limit.text(most)): \(limit.text(spent)) spent today\(other), and this request may "
            + "come to \(limit.text(needed)); it begins anew at \(resets)"
    }

    /// The least that would let it pass, as JSON5.
    package var remedy: String {
        let least = spent.plus(reserved).plus(needed)
        let value = limit == .perDay ? "\"\(Money.format(least))\"" : String(least)
        return "spend: { \(limit.rawValue): \(value) }"
    }

    package var resets: String { "\(UTCDay.text(day + 1))T00:00:00Z" }
}

/// Days of UTC, as a number since 1970-01-01.
package enum UTCDay {
    package static func of(milliseconds: Int64) -> Int64 {
        milliseconds.quotientAndRemainder(roundingDown: 86_400_000).quotient
    }

    /// `2026-11-30`.
    package static func text(_ day: Int64) -> String { CivilDate(daysSinceEpoch: day).text }
}
