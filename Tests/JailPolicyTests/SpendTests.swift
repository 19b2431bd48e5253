import JailCore
import TestSupport
import Testing

@testable import JailPolicy

@Suite struct SpendTests {
    // MARK: Money

    @Test(
        arguments: [
            ("0 USD", 0), ("5 USD", 5_000_000), ("0.25 USD", 250_000), ("0.000001 USD", 1), ("1000000 USD", Money.most),
            ("12.5 USD", 12_500_000),
        ] as [(String, UInt64)])
    func `an amount is exact, and has one shortest spelling`(text: String, millionths: UInt64) throws {
        #expect(try Money.parse(text) == millionths)
        #expect(Money.format(millionths) == text)
    }

    @Test(arguments: [
        "", "5", "5USD", "5 usd", "5 EUR", " 5 USD", "5 USD ", "-5 USD", "+5 USD", "05 USD", "5. USD", ".5 USD",
        "5,5 USD", "0.0000001 USD", "1000000.000001 USD", "1000001 USD", "1e3 USD", "0x5 USD", "٥ USD", "5.٥ USD",
        "99999999999999999999 USD",
    ])
    func `what is no amount is refused`(text: String) {
        #expect(message { try Money.parse(text) } != "no error")
    }

    // MARK: Prices

    static let price = {
        var price = ModelPrice(
            model: "m", rates: .init(input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000),
            context: 200_000, maxOutput: 64_000)
        price.longAbove = 100_000
        price.longRates = .init(input: 6_000_000, output: 22_500_000)
        return price
    }()

    @Test func `a cost is the sum of its parts, rounded up`() {
        #expect(Self.price.cost(TokenUsage(input: 1000, output: 100)) == 4500)
        #expect(Self.price.cost(TokenUsage(input: 1, cacheRead: 1, cacheWrite: 1, cacheWriteLong: 1, output: 1)) == 26)
        #expect(Self.price.cost(TokenUsage()) == 0)
        // All of a long request is at the rates of long ones, whatever made it long.
        #expect(Self.price.cost(TokenUsage(input: 1, cacheRead: 100_000)) == 600_006)
        #expect(Self.price.cost(TokenUsage(input: .max, output: .max)) == UInt64.max / 1_000_000 + 1)
    }

    @Test func `no use of so many tokens costs more than their bound`() {
        var generator = Seeded(1)
        for _ in 0..<2000 {
            var price = Self.price
            price.longRates?.output = UInt64.random(in: 0...30_000_000, using: &generator)
            let parts = (0..<4).map { _ in UInt64.random(in: 0...60_000, using: &generator) }
            let usage = TokenUsage(
                input: parts[0], cacheRead: parts[1], cacheWrite: parts[2], cacheWriteLong: parts[3],
                output: UInt64.random(in: 0...64_000, using: &generator))
            #expect(
                price.cost(usage) <= price.bound(input: usage.allInput, output: usage.output, caches: true))
            let plain = TokenUsage(input: usage.input, cacheRead: usage.cacheRead, output: usage.output)
            #expect(
                price.cost(plain) <= price.bound(input: plain.allInput, output: plain.output, caches: false))
        }
    }

    @Test func `a model is known by its name or with a date, and by nothing else`() throws {
        let table = PriceTable([Self.price])
        for name in ["m", "m-20250929", "m@20250929", "m-2024-08-06", "m-latest"] {
            #expect(table.price(of: name) == Self.price, "\(name)")
        }
        for name in ["", "M", "m-", "m-2025092", "m-202509299", "m-audio", "m-2024-08-06-x", "am", "m ", "-latest"] {
            #expect(table.price(of: name) == nil, "\(name)")
        }
        #expect(table.price(of: "m-20250929-20250929") == nil)
    }

    @Test func `the dearest is at least as dear as every one`() throws {
        let other = ModelPrice(
            model: "o", rates: .init(input: 1, output: 99_000_000), context: 7_000_000, maxOutput: 9)
        let dearest = try #require(PriceTable([other, Self.price]).dearest)
        #expect(dearest.rates.output == 99_000_000 && dearest.rates.input == 6_000_000)
        #expect(dearest.context == 7_000_000 && dearest.maxOutput == 64_000 && dearest.longRates == nil)
        #expect(PriceTable([]).dearest == nil)
    }

    @Test func `the shipped table is read, and what is written of it is the same`() throws {
        let text = try System.readFile("\(Shipped.directory)/../scripts/install.d/prices.json5")
        let table = try PriceTable.decode(JSON5Reader.read(text, file: "prices"))
        #expect(try PriceTable.decode(read(table.json.text())) == table)
        let opus = try #require(table.price(of: "claude-opus-4-5-20251101"))
        #expect(opus.rates.input == 5_000_000 && opus.rates.cacheRead == 500_000)
        #expect(opus.rates.cacheWrite == 6_250_000 && opus.rates.cacheWriteLong == 10_000_000)
        for price in table.models { #expect(price.rates.cacheRead <= price.rates.input, "\(price.model)") }
        #expect(table.price(of: "gpt-4o-audio-preview") == nil)
    }

    @Test func `a table that others may write is not read`() throws {
        let directory = try Directory()
        let path = try directory.add("prices", "{ models: [] }", mode: 0o666)
        let me = System.effectiveUserID
        #expect(message { try PriceTable.load([path], owners: [me]) }.contains("may be written by others"))
        #expect(message { try PriceTable.load([path + "x"], owners: [me]) }.contains("there is no table of prices"))
        try System.changeMode(path, 0o644)
        #expect(try PriceTable.load([path + "x", path], owners: [me]) == PriceTable([]))
        try directory.add("prices", "{ models: [], modells: [] }")
        #expect(message { try PriceTable.load([path], owners: [me]) }.contains("unknown key 'modells'"))
    }

    // MARK: What goes through unseen

    @Test(arguments: [
        "{ hosts: ['api.anthropic.com'], inspect: false }", "{ hosts: ['*.anthropic.com'], inspect: false }",
        "{ hosts: ['*'], inspect: false }", "{ hosts: ['eu.api.openai.com'], inspect: false }",
        "{ hosts: ['openrouter.ai'], ports: [443], protocol: 'tcp' }", "{ hosts: ['llm.example'], inspect: false }",
        "{ hosts: ['*.llm.example'], inspect: false }",
    ])
    func `a rule that lets a provider through unseen is refused beside a limit`(rule: String) {
        let spend = "spend: { perDay: '1 USD', providers: [{ hosts: ['llm.example', '*.llm.example'] }] }"
        let text = refusal("{ network: { allow: [{ hosts: ['a.b'] }, \(rule)] }, \(spend) }")
        #expect(text.contains("'network.allow[1]' lets that through unseen"), "\(text)")
        #expect(text.contains("inspect: false") || text.contains("protocol: \"tcp\""))
        #expect(refusal("{ network: { allow: [{ hosts: ['a.b'] }, \(rule)] } }") == "no error")
    }

    @Test func `a rule for others may stay unseen`() throws {
        let rules = "{ hosts: ['pinned.example'], inspect: false }, { hosts: ['api.openai.com'], methods: ['POST'] }"
        #expect(
            try profile("{ network: { allow: [\(rules)] }, spend: { perDay: '1 USD' } }").spend?.perDay == 1_000_000)
    }

    @Test func `a price of a child stands in the place of its parent's`() throws {
        let price = "{ model: 'm', input: '1 USD', output: '1 USD', context: 1, maxOutput: 1 }"
        let second = "{ model: 'm', input: '2 USD', output: '1 USD', context: 1, maxOutput: 1 }"
        let spend = try profile("{ spend: { perDay: '1 USD', prices: [\(price), \(second)] } }").spend
        #expect(spend?.prices.map(\.rates.input) == [2_000_000])
    }

    // MARK: The budget

    static func rules(_ cost: UInt64?, _ tokens: UInt64? = nil, _ requests: UInt64? = nil) -> SpendRules {
        var rules = SpendRules()
        rules.perDay = cost
        rules.tokensPerDay = tokens
        rules.requestsPerDay = requests
        return rules
    }

    @Test func `a reservation counts at once, and is set right`() {
        var budget = SpendBudget(Self.rules(100), day: 5, spent: SpendAmount(cost: 10))
        #expect(budget.reserve(SpendAmount(cost: 60), on: 5) == nil)
        let refusal = budget.reserve(SpendAmount(cost: 31), on: 5)
        #expect(refusal?.limit == .perDay && refusal?.spent == 10 && refusal?.reserved == 60 && refusal?.needed == 31)
        #expect(refusal?.remedy == "spend: { perDay: \"0.000101 USD\" }")
        #expect(refusal?.resets == "1970-01-07T00:00:00Z")
        budget.settle(SpendAmount(cost: 60), as: SpendAmount(cost: 20), on: 5)
        #expect(budget.spent.cost == 30 && budget.reserved == .nothing)
        #expect(budget.reserve(SpendAmount(cost: 70), on: 5) == nil)
        #expect(budget.reserve(SpendAmount(cost: 1), on: 5) != nil)
    }

    @Test func `a new day begins with nothing, and an old one never comes back`() {
        var budget = SpendBudget(Self.rules(100), day: 5, spent: SpendAmount(cost: 100))
        #expect(budget.reserve(SpendAmount(cost: 1), on: 5) != nil)
        #expect(budget.reserve(SpendAmount(cost: 80), on: 6) == nil)
        // What is under way counts as well, and against the day on which it ends.
        #expect(budget.reserve(SpendAmount(cost: 21), on: 7) != nil)
        budget.settle(SpendAmount(cost: 80), as: SpendAmount(cost: 80), on: 7)
        #expect(budget.spent.cost == 80)
        #expect(budget.reserve(SpendAmount(cost: 21), on: 1) != nil)
        #expect(budget.day == 7)
    }

    @Test func `numbers that overflow are refused`() {
        var budget = SpendBudget(Self.rules(.max - 1, .max - 1), day: 1, spent: .nothing)
        #expect(budget.reserve(SpendAmount(cost: .max), on: 1) != nil)
        #expect(budget.reserve(SpendAmount(cost: .max - 1), on: 1) == nil)
        #expect(budget.reserve(SpendAmount(cost: .max - 1), on: 1) != nil)
        #expect(budget.reserve(SpendAmount(tokens: .max), on: 1) != nil)
    }

    /// In whatever order requests begin, end and are broken off: what was let out is never more than a limit.
    @Test func `never more than a limit is let out`() {
        var generator = Seeded(7)
        for _ in 0..<300 {
            let rules = Self.rules(
                UInt64.random(in: 1...1000, using: &generator), UInt64.random(in: 1...1000, using: &generator),
                UInt64.random(in: 1...20, using: &generator))
            var budget = SpendBudget(rules, day: 1, spent: .nothing)
            var day: Int64 = 1
            var open: [SpendAmount] = []
            var settled: [Int64: SpendAmount] = [:]
            for _ in 0..<200 {
                if generator.next() % 40 == 0 { day += 1 }
                if generator.next() % 2 == 0 {
                    let bound = SpendAmount(
                        cost: UInt64.random(in: 0...300, using: &generator),
                        tokens: UInt64.random(in: 0...300, using: &generator), requests: 1)
                    if budget.reserve(bound, on: day) == nil { open.append(bound) }
                } else if let bound = open.randomElement(using: &generator) {
                    open.remove(at: open.firstIndex(of: bound) ?? 0)
                    let actual = SpendAmount(
                        cost: UInt64.random(in: 0...bound.cost, using: &generator),
                        tokens: UInt64.random(in: 0...bound.tokens, using: &generator), requests: 1)
                    budget.settle(bound, as: actual, on: day)
                    settled[day, default: .nothing] = settled[day, default: .nothing] + actual
                }
                let under = open.reduce(SpendAmount.nothing) { $0 + $1 }
                #expect(budget.reserved == under)
                #expect(budget.spent == settled[budget.day] ?? .nothing)
                for limit in SpendLimit.allCases {
                    // What was let out at midnight is the next day's, so a day is only full if it was full before.
                    let used = limit.value(budget.spent + under)
                    #expect(used <= limit.most(rules) ?? .max)
                }
            }
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01"), (19_782, "2024-02-29"), (20_787, "2026-11-30"), (20_788, "2026-12-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"), (47_540, "2100-02-28"), (47_541, "2100-03-01"),
        ] as [(Int64, String)])
    func `a day has its date`(day: Int64, text: String) {
        #expect(UTCDay.text(day) == text)
        #expect(UTCDay.of(milliseconds: day * 86_400_000) == day)
        #expect(UTCDay.of(milliseconds: day * 86_400_000 + 86_399_999) == day)
    }

    @Test func `every host that is known by itself is one`() {
        #expect(SpendProvider.known.map(\.hosts.count) == [1, 1, 1, 1])
        #expect(SpendProvider.regional.hosts.count == 2)
    }
}
