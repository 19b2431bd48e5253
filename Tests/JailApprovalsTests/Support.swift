import JailApprovals
import JailPolicy
import Testing

func subject(_ url: String, _ method: String = "POST") throws -> ApprovalSubject {
    let question = try NetworkSubject.parse([method, url]).question
    let path = try #require(question.path)
    let request = AskedRequest(
        scheme: question.scheme ?? .https, host: question.host, port: question.port ?? 443, method: method, path: path)
    return .network(try #require(request))
}

/// One queue, and somebody who knows the time.
final class Desk {
    var queue: ApprovalQueue
    var now = ApprovalMoment(monotonic: 1_000_000_000_000, realtime: 1_700_000_000_000)
    private(set) var answers: [UInt64: ApprovalAnswer] = [:]
    private(set) var news: [ApprovalNews] = []
    private var lastWaiter: UInt64 = 0

    static let owner: UInt32 = 1000
    static let ann = ApprovalDecider(.user(1000), role: .admin, tenant: 1000)
    static let bob = ApprovalDecider(.token("bob"), role: .approver, tenant: 1000)

    init(
        ask: Set<ApprovalKind> = [.network], timeout: UInt64 = 60_000, fourEyes: Set<ApprovalKind> = []
    ) {
        var rules = ApprovalRules()
        rules.ask = ask
        rules.timeout = timeout
        rules.fourEyes = fourEyes
        queue = ApprovalQueue(rules, owner: Self.owner, now: now)
    }

    func wait(_ seconds: Double) {
        now.monotonic += Int64(seconds * 1_000_000_000)
        now.realtime += Int64(seconds * 1000)
        queue.work(now)
        hear()
    }

    func setClock(by seconds: Int64) {
        now.realtime += seconds * 1000
        queue.work(now)
        hear()
    }

    /// - Returns: the waiter.
    @discardableResult
    func ask(_ subject: ApprovalSubject) -> UInt64 {
        lastWaiter += 1
        queue.ask(subject, why: "no rule", waiter: lastWaiter, now)
        hear()
        return lastWaiter
    }

    func approve(
        _ id: UInt64, _ terms: ApprovalTerms? = nil, by decider: ApprovalDecider = ann, reason: String? = nil
    ) throws(ApprovalRefusal) -> ApprovalGrant? {
        defer { hear() }
        guard case .granted(let grant) = try queue.approve(id, terms, by: decider, reason: reason, now) else {
            return nil
        }
        return grant
    }

    func deny(_ id: UInt64, by decider: ApprovalDecider = ann) throws(ApprovalRefusal) {
        defer { hear() }
        try queue.deny(id, by: decider, reason: nil, now)
    }

    func hear() {
        for (waiter, answer) in queue.takeAnswers() {
            // Nobody is answered twice.
            #expect(answers[waiter] == nil)
            answers[waiter] = answer
        }
        news += queue.takeNews()
    }

    subscript(waiter: UInt64) -> ApprovalAnswer? { answers[waiter] }

    func isGranted(_ waiter: UInt64) -> Bool { if case .granted? = answers[waiter] { true } else { false } }
}
