import EgressControl
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch

@Suite struct SpendLedgerTests {
    let directory: TemporaryDirectory
    let plan: SpendPlan

    init() throws {
        directory = try TemporaryDirectory()
        var rules = SpendRules()
        rules.perDay = 100
        rules.onLimit = .pause
        plan = SpendPlan(rules: rules, prices: PriceTable([]), ledger: directory.path + "/spend/j.json")
    }

    func amount(_ cost: UInt64) -> SpendAmount { SpendAmount(cost: cost, tokens: cost * 2, requests: cost * 3) }

    func report(_ day: Int64, _ spent: UInt64, _ reserved: UInt64, _ refused: [SpendLimit] = []) -> SpendReport {
        var report = SpendReport(day: day, spent: amount(spent), reserved: amount(reserved))
        report.refused = refused
        return report
    }

    func take(_ report: SpendReport, today: Int64, _ ledger: inout SpendLedger) -> Bool {
        ledger.take(report, today: today)
    }

    @Test func `what was spent outlives the jail, and what was reserved counts as spent`() throws {
        var ledger = try SpendLedger(plan, jail: "j", today: 5)
        #expect(ledger.setup.spent == .nothing && ledger.setup.day == 5)
        #expect(take(report(5, 10, 20), today: 5, &ledger))
        try ledger.save()
        // Killed here.
        #expect(try SpendLedger(plan, jail: "j", today: 5).setup.spent == amount(30))
        #expect(take(report(5, 15, 0), today: 5, &ledger))
        try ledger.save()
        #expect(try SpendLedger(plan, jail: "j", today: 5).setup.spent == amount(15))
        #expect(try SpendLedger(plan, jail: "j", today: 6).setup.spent == .nothing)
        let record = try #require(try SpendLedger.read(plan.ledger, owner: System.effectiveUserID))
        #expect(record.jail == "j" && record.limits.perDay == 100 && record.limits.tokensPerDay == nil)
        #expect(record.days == [.init(day: 5, spent: amount(15)), .init(day: 6, spent: .nothing)])
    }

    @Test func `a gateway that ends takes its reservations with it as spent`() throws {
        var ledger = try SpendLedger(plan, jail: "j", today: 5)
        #expect(take(report(5, 10, 20), today: 5, &ledger))
        ledger.settle()
        #expect(ledger.setup.spent == amount(30))
        // The next one has been told that, and says no less.
        #expect(!take(report(5, 29, 0), today: 5, &ledger))
    }

    @Test func `it only grows, and the day with it`() throws {
        var ledger = try SpendLedger(plan, jail: "j", today: 5)
        #expect(take(report(5, 10, 0), today: 5, &ledger))
        #expect(!take(report(5, 9, 0), today: 5, &ledger))
        #expect(!take(report(4, 10, 0), today: 5, &ledger))
        #expect(!take(report(7, 0, 0), today: 5, &ledger))
        #expect(take(report(6, 0, 3), today: 5, &ledger))
        #expect(ledger.setup.day == 6)
        #expect(!take(report(5, 10, 0), today: 6, &ledger))
    }

    @Test func `a month is kept`() throws {
        var ledger = try SpendLedger(plan, jail: "j", today: 1)
        for day in Int64(1)...50 { #expect(take(report(day, UInt64(day), 0), today: day, &ledger)) }
        try ledger.save()
        let days = try #require(try SpendLedger.read(plan.ledger, owner: System.effectiveUserID)).days
        #expect(days.count == SpendLedger.mostDays && days.last?.spent == amount(50))
        let size = try System.status(plan.ledger).size
        #expect(size < UInt64(SpendLedger.sizeLimit))
    }

    @Test func `the file is for its owner alone`() throws {
        _ = try SpendLedger(plan, jail: "j", today: 5)
        #expect(try System.status(plan.ledger).permissions == 0o600)
        #expect(try System.status(directory.path + "/spend").permissions == 0o700)
        #expect(try directory.names("spend") == ["j.json"])
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"version\":2}", "{\"version\":1,\"jail\":\"j\",\"limits\":{},\"days\":[{}]}",
        "{\"version\":1,\"jail\":\"j\",\"limits\":{},\"days\":[{\"day\":1,\"spent\":{\"cost\":-1,\"tokens\":0,\"requests\":0}}]}",
        "{\"version\":1,\"jail\":\"j\",\"limits\":{\"perDay\":-1},\"days\":[]}",
    ])
    func `a file that does not say what was spent refuses the launch`(text: String) throws {
        try directory.directory("spend", mode: 0o700)
        try directory.file("spend/j.json", text)
        try System.changeMode(plan.ledger, 0o600)
        #expect(throws: JailError.self) { try SpendLedger(plan, jail: "j", today: 5) }
    }

    @Test func `a file that others can read or write, or that is none, refuses the launch`() throws {
        try directory.directory("spend", mode: 0o700)
        try directory.file("spend/j.json", "{\"version\":1,\"jail\":\"j\",\"limits\":{},\"days\":[]}")
        #expect(throws: JailError.self) { try SpendLedger(plan, jail: "j", today: 5) }
        try System.changeMode(plan.ledger, 0o600)
        _ = try SpendLedger(plan, jail: "j", today: 5)
        try System.unlink(plan.ledger)
        try System.makeSymlink(plan.ledger, to: "elsewhere")
        #expect(throws: JailError.self) { try SpendLedger(plan, jail: "j", today: 5) }
    }

    @Test func `a limit is told, and acted on, once a day`() throws {
        var watch = try SpendWatch(plan, jail: "j")
        let today = UTCDay.of(milliseconds: System.realtimeMilliseconds())
        _ = watch.begin()
        func outcome(_ report: SpendReport) -> String { "\(watch.take(report))" }
        func rest() -> [Int] { [watch.takeNotices().count, watch.takeAction() == .deny ? 0 : 1] }
        #expect(outcome(report(today, 10, 0)) == "ok")
        #expect(rest() == [0, 0])
        #expect(outcome(report(today, 10, 0, [.perDay])) == "ok")
        let notices = watch.takeNotices()
        let actions = [watch.takeAction(), watch.takeAction()]
        #expect(notices.count == 2 && actions == [.pause, .deny])
        if case .event(let event)? = notices.first {
            #expect(event.text().contains("\"event\":\"spend\",\"limit\":\"spend.perDay\",\"most\":100,\"spent\":10"))
        }
        #expect(outcome(report(today, 11, 0, [.perDay])) == "ok")
        #expect(rest() == [0, 0])
        #expect(outcome(report(today, 1, 0)) == "distrusted")
        try System.unlink(plan.ledger)
        try System.unlink(directory.path + "/spend", isDirectory: true)
        #expect(outcome(report(today, 12, 0)).hasPrefix("lost"))
    }
}
