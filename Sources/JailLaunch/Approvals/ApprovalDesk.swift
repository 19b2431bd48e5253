internal import JailApprovals
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of approvals: the queue, and who may say something to it.
final class ApprovalDesk {
    private let plan: ApprovalsPlan
    private let jail: String
    /// What is asked is judged once more: the way out may have been taken over.
    private let policy: NetworkPolicy
    private var queue: ApprovalQueue
    private var tokens: TokenGuard
    private let now: () -> ApprovalMoment
    /// Those of decisions that did not count.
    private var notices: [JailNotice] = []

    init(
        _ plan: ApprovalsPlan, jail: String, rules: NetworkRules, now: @escaping () -> ApprovalMoment = { .now }
    ) {
        self.plan = plan
        self.jail = jail
        self.now = now
        var policy = NetworkPolicy(rules)
        policy.asks = true
        self.policy = policy
        queue = ApprovalQueue(plan.rules, owner: plan.owner, now: now())
        tokens = TokenGuard(now())
    }

    // MARK: Who asks

    /// - Returns: false: that is nothing to be asked about, and no honest way out would.
    func ask(_ request: AskedRequest, waiter: UInt64) -> Bool {
        let question = request.question
        guard policy.approvable(question) != nil, case .deny(let denial) = policy.decide(question) else { return false }
        queue.ask(.network(request), why: denial.reason, waiter: waiter, now())
        return true
    }

    func withdraw(_ waiter: UInt64) { queue.withdraw(waiter, now()) }
    func withdrawAll() { queue.withdrawAll(now()) }

    // MARK: Who answers

    /// What came of an order: a text, and whether it is the queue itself.
    enum Reply {
        case queue(JSON)
        case done(String)
        case refused(String)
    }

    /// - Parameter uid: of who speaks, as the kernel says.
    func carry(out order: ApprovalOrder, by uid: UInt32) -> Reply {
        let decider: ApprovalDecider
        switch identify(order, uid) {
        case .success(let known): decider = known
        case .failure(let refusal): return .refused(refusal.reason)
        }
        do throws(ApprovalRefusal) {
            return try carry(out: order, decider)
        } catch {
            if order.action != .list { tellRefused(decider.text, error.reason) }
            return .refused(error.reason)
        }
    }

    private func carry(out order: ApprovalOrder, _ decider: ApprovalDecider) throws(ApprovalRefusal) -> Reply {
        switch order.action {
        case .list: return .queue(try queue.json(for: decider, now()))
        case .approve(let id, let terms):
            switch try queue.approve(id, terms, by: decider, reason: order.reason, now()) {
            case .granted(let grant): return .done("approved \(grant.terms.text), as grant \(grant.id)")
            case .endorsed: return .done("approved by \(decider.text); somebody else has to approve it as well")
            }
        case .deny(let id):
            try queue.deny(id, by: decider, reason: order.reason, now())
            return .done("denied")
        case .revoke(let id):
            try queue.revoke(id, by: decider, now())
            return .done("revoked")
        }
    }

    private struct Unknown: Error { let reason: String }

    /// Root and whoever the supervisor runs as may do everything; who shows a token may do what that says, and no more.
    private func identify(_ order: ApprovalOrder, _ uid: UInt32) -> Result<ApprovalDecider, Unknown> {
        guard let text = order.token else {
            return .success(ApprovalDecider(.user(uid), role: .admin, tenant: uid == 0 ? nil : uid))
        }
        guard tokens.mayTry(now()) else {
            return .failure(Unknown(reason: "too many wrong tokens; try again in a minute"))
        }
        let list: TokenList
        do throws(JailError) { list = try TokenFile.read(plan.tokens) } catch {
            return .failure(Unknown(reason: error.description))
        }
        guard let token = list.find(text, now: now().realtime) else {
            tokens.tookWrong()
            tellRefused("uid \(uid)", "a token that is not known, or has expired")
            return .failure(Unknown(reason: "this token is not known, or has expired"))
        }
        return .success(token.decider)
    }

    private func tellRefused(_ who: String, _ reason: String) {
        notices.append(
            .event(["event": "approval", "what": "refused", "by": .string(who), "reason": .string(reason)]))
    }

    // MARK: Time, and what there is to say

    var due: Int64? { queue.due }
    func work() { queue.work(now()) }
    func end() { queue.end() }

    func takeAnswers() -> [(waiter: UInt64, answer: ApprovalAnswer)] { queue.takeAnswers() }

    func takeNotices() -> [JailNotice] {
        let told = queue.takeNews().flatMap { news -> [JailNotice] in
            [.event(news.event)] + (news.note(jail: jail).map { [.note($0)] } ?? [])
        }
        defer { notices = [] }
        return told + notices
    }
}
