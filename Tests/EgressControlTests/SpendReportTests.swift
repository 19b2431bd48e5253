import JailCore
import JailPolicy
import Testing

@testable import EgressControl

@Suite struct SpendReportTests {
    static var report: SpendReport {
        var report = SpendReport(
            day: 20_787, spent: SpendAmount(cost: 1, tokens: 2, requests: 3),
            reserved: SpendAmount(cost: 4, tokens: 5, requests: 6))
        report.refused = [.perDay, .requestsPerDay]
        return report
    }

    @Test func `a report is read as it was written`() throws {
        #expect(SpendReport(text: Array(Self.report.text.utf8)) == Self.report)
        guard case .spend(let read)? = try EgressMessage.report(EgressMessage.spend(Self.report).bytes, []) else {
            throw SystemError(.check, .invalid)
        }
        #expect(read == Self.report)
    }

    @Test func `cut at any byte, or with anything else in it, it is refused`() throws {
        let text = Array(Self.report.text.utf8)
        for count in text.indices { #expect(SpendReport(text: Array(text.prefix(count))) == nil) }
        let whole = Self.report.text
        for (from, to) in [
            ("\"day\":20787", "\"day\":1e3"), ("\"cost\":1", "\"cost\":-1"), ("\"cost\":1", "\"cost\":\"1\""),
            ("\"cost\":1", "\"cost\":1,\"cost\":1"), ("\"cost\":1", "\"cost\":9223372036854775808"),
            ("\"perDay\"", "\"perHour\""), ("\"perDay\"", "\"requestsPerDay\""), ("{\"day\"", "{\"x\":1,\"day\""),
            ("\"tokens\":2,", ""),
        ] {
            let changed = whole.replacing(from, with: to)
            #expect(changed != whole && SpendReport(text: Array(changed.utf8)) == nil, "\(changed)")
        }
    }

    @Test func `what is counted with travels as it is`() throws {
        var rules = SpendRules()
        rules.perDay = 5_000_000
        rules.onLimit = .stop
        rules.fields = ["x"]
        rules.providers = [SpendProvider(hosts: [.any], path: "")]
        rules.providers = []
        let price = ModelPrice(model: "m", rates: .init(input: 75_000, output: 1), context: 9, maxOutput: 8)
        rules.prices = [price]
        let setup = SpendSetup(
            rules: rules, prices: PriceTable([price]), day: 7, spent: SpendAmount(cost: 9, tokens: 8, requests: 7))
        #expect(try SpendSetup(text: Array(setup.text.utf8)) == setup)
        #expect(throws: JailError.self) { try SpendSetup(text: Array("{}".utf8)) }
        #expect(throws: JailError.self) { try SpendSetup(text: Array(setup.text.utf8.dropLast())) }
    }
}
