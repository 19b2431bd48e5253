import ArgumentParser
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

struct Spend: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what jails have spent at providers of language models, by the day (UTC).",
        discussion: """
            Of jails whose profile has 'spend'. What is under way counts as the most that it can come to. Limits are those of \
            the jail's last run.
            """)

    @Argument(help: "A jail's name; the default is all.")
    var name: String?

    @Flag(help: "As JSON lines, one for each jail and day.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let today = UTCDay.of(milliseconds: System.realtimeMilliseconds())
            var records = try Self.records()
            if let name {
                records = records.filter { $0.jail == name }
                guard !records.isEmpty else {
                    throw JailError(
                        .usage, reason: "nothing is known of what '\(name.printable)' has spent",
                        status: ExitStatus.notThere)
                }
            }
            if json { return try Output.print(records.flatMap { Self.json($0, today) }.joined()) }
            let rows = records.flatMap { Self.rows($0, today) }
            try Output.print(
                Table.text([["NAME", "DAY", "SPENT", "LIMIT", "TOKENS", "LIMIT", "REQUESTS", "LIMIT"]] + rows))
        } catch { Output.fail(error) }
    }

    private static func records() throws(JailError) -> [SpendRecord] {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        let directory = request.stateDirectory(try CallerFacts.current()) + "/" + LaunchPlan.spendDirectory
        let names: [String]
        do throws(SystemError) {
            let opened = try System.open(directory, [.readOnly, .directory, .noFollow])
            names = try System.names(in: opened.borrowed, limit: 100_000).map(\.name)
        } catch {
            if error.errno == .notFound { return [] }
            throw JailError(.runtime, error, path: directory)
        }
        var records: [SpendRecord] = []
        for name in names.sorted() where name.hasSuffix(".json") {
            if let record = try SpendLedger.read("\(directory)/\(name)", owner: System.effectiveUserID) {
                records.append(record)
            }
        }
        return records
    }

    /// Today first, whether or not anything was spent, and the days before.
    private static func days(_ record: SpendRecord, _ today: Int64) -> [SpendLedger.Day] {
        let past = record.days.reversed().filter { $0.spent != .nothing && $0.day < today }
        // A clock that was set back since leaves days that are still to come.
        let now = record.days.last { $0.day >= today } ?? SpendLedger.Day(day: today, spent: .nothing)
        return [now] + past
    }

    private static func rows(_ record: SpendRecord, _ today: Int64) -> [[String]] {
        days(record, today).map { day in
            [record.jail.printable, UTCDay.text(day.day)]
                + SpendLimit.allCases.flatMap { limit in
                    let value = limit.value(day.spent)
                    let shown = limit == .perDay ? Money.format(value) : String(value)
                    let most = limit.most(record.limits).map { limit == .perDay ? Money.format($0) : String($0) }
                    return [shown, most ?? "-"]
                }
        }
    }

    private static func json(_ record: SpendRecord, _ today: Int64) -> [String] {
        days(record, today).map { day in
            let values = SpendLimit.allCases.map { limit in
                let member: JSON = [
                    "spent": .number(limit.value(day.spent)),
                    "limit": limit.most(record.limits).map { .number($0) } ?? .null,
                ]
                return (limit == .perDay ? "microUSD" : limit == .tokensPerDay ? "tokens" : "requests", member)
            }
            let line: [(String, JSON)] = [
                ("name", .string(record.jail)), ("day", .string(UTCDay.text(day.day))),
                ("isToday", .boolean(day.day >= today)),
            ]
            return JSON.object(line + values).text() + "\n"
        }
    }
}
