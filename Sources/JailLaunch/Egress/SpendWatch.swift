internal import EgressControl
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of a limit on what a jail may spend: writes down what the gateway tells, and says once for each
/// limit and day what is to become of the jail.
struct SpendWatch {
    enum Outcome {
        case ok
        /// The gateway says what it never would.
        case distrusted
        /// It could not be written down.
        case lost(SystemError)
    }

    private var ledger: SpendLedger
    private let rules: SpendRules
    /// Limits that were acted on, on the day.
    private var told: (day: Int64, limits: Set<SpendLimit>) = (0, [])
    private(set) var notices: [JailNotice] = []
    /// By the profile; taken once.
    private var action = SpendAction.deny

    private static var today: Int64 { UTCDay.of(milliseconds: System.realtimeMilliseconds()) }

    init(_ plan: SpendPlan, jail: String) throws(JailError) {
        rules = plan.rules
        ledger = try SpendLedger(plan, jail: jail, today: Self.today)
    }

    /// For a gateway that begins, after whatever came before it.
    mutating func begin() -> SpendSetup {
        ledger.settle()
        return ledger.setup
    }

    mutating func take(_ report: SpendReport) -> Outcome {
        guard ledger.take(report, today: Self.today) else { return .distrusted }
        do throws(SystemError) { try ledger.save() } catch { return .lost(error) }
        for limit in report.refused { tell(limit) }
        return .ok
    }

    mutating func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    mutating func takeAction() -> SpendAction {
        defer { action = .deny }
        return action
    }

    private mutating func tell(_ limit: SpendLimit) {
        let now = ledger.current
        if told.day != now.day { told = (now.day, []) }
        guard told.limits.insert(limit).inserted, let most = limit.most(rules) else { return }
        action = rules.onLimit
        let then =
            switch rules.onLimit {
            case .deny: "requests that cost money are denied"
            case .pause: "the jail is paused"
            case .stop: "the jail is stopped"
            }
        let spent = limit.value(now.spent)
        notices.append(
            .event([
                "event": "spend", "limit": .string(limit.key), "most": .number(most), "spent": .number(spent),
                "day": .string(UTCDay.text(now.day)), "then": .string(rules.onLimit.rawValue),
            ]))
        notices.append(
            .note(
                "\(limit.key): of \(limit.text(most)) a day \(limit.text(spent)) are spent, and a request might exceed it: "
                    + "\(then); it begins anew at \(UTCDay.text(now.day + 1))T00:00:00Z"))
    }
}
