internal import JailApprovals
internal import JailCommands
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of approvals: the queue, and who may say something to it.
final class ApprovalDesk {
    private let plan: ApprovalsPlan
    private let jail: String
    /// What is asked is judged once more: the way out may have been taken over.
    private let policy: NetworkPolicy
    private let commands: CommandPolicy
    private var queue: ApprovalQueue
    private var tokens: TokenGuard
    private let now: () -> ApprovalMoment
    /// Those of decisions that did not count.
    private var notices: [JailNotice] = []

    init(
        _ plan: ApprovalsPlan, jail: String, rules: NetworkRules, commands: CommandRules = CommandRules(),
        now: @escaping () -> ApprovalMoment = { .now }
    ) {
        self.plan = plan
        self.jail = jail
        self.now = now
        var policy = NetworkPolicy(rules)
        policy.asks = true
        self.policy = policy
        self.commands = CommandPolicy(commands)
        var asked = plan.rules
        if commands.rules.contains(where: \.asks) { asked.ask.insert(.command) }
        queue = ApprovalQueue(asked, owner: plan.owner, now: now())
        tokens = TokenGuard(now())
    }

    // MARK: Who asks

    /// - Returns: false: that is nothing to be asked about, and no honest way out would.
    func ask(_ request: AskedRequest, waiter: UInt64) -> Bool {
        let question = request.question
        guard policy.approvable(question) != nil, case .deny(let denial) = policy.decide(question) else { return false }
        return ask(.network(request), why: denial.reason, .wayOut, waiter)
    }

    /// Bytes of the words of a command together: more nobody would read.
    static let longestCommand = 2048

    /// A call of a command that a rule allows and wants to be asked about, or that no rule allows though one names its program,
    /// where `approvals.ask` has `"commands"`: see ``CommandPolicy/approvable(_:unlisted:)``, which says as well what a yes would
    /// run. The answer comes through `JailWatch.commandAnswers`.
    ///
    /// - Parameters:
    ///   - words: as they were called, and given to ``CommandPolicy/decide(_:)``.
    ///   - place: where it runs, for people; see ``AskedCommand/place``.
    ///   - why: what no rule allows, or which rule wants to be asked.
    ///   - waiter: of the commands' own numbers, below ``ApprovalAsker/most``; never twice at the same time.
    /// - Returns: false: that is nothing to be asked about, and is denied.
    func ask(command words: [String], place: String, why: String, waiter: UInt64) -> Bool {
        guard words.reduce(0, { $0 + $1.utf8.count }) <= Self.longestCommand,
            let grant = commands.approvable(words, unlisted: plan.rules.ask.contains(.command))
        else { return false }
        let command = AskedCommand(program: grant.rule.program, words: grant.vector, place: place)
        return ask(.command(command), why: why, .commands, waiter)
    }

    private func ask(_ subject: ApprovalSubject, why: String, _ asker: ApprovalAsker, _ number: UInt64) -> Bool {
        guard let waiter = asker.waiter(number) else { return false }
        queue.ask(subject, why: why, waiter: waiter, now())
        return true
    }

    /// One that has asked is gone, and does not wait any more.
    func withdraw(_ number: UInt64, _ asker: ApprovalAsker) {
        if let waiter = asker.waiter(number) { queue.withdraw(waiter, now()) }
    }

    func withdrawAll(_ asker: ApprovalAsker) { queue.withdrawAll(asker, now()) }

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

    /// Whose each is, and under which number of its own.
    func takeAnswers() -> [(asker: ApprovalAsker, number: UInt64, answer: ApprovalAnswer)] {
        queue.takeAnswers().compactMap { waiter, answer in
            ApprovalAsker.of(waiter).map { ($0.asker, $0.number, answer) }
        }
    }

    func takeNotices() -> [JailNotice] {
        let told = queue.takeNews().flatMap { news -> [JailNotice] in
            [.event(news.event)] + (news.note(jail: jail).map { [.note($0)] } ?? [])
        }
        defer { notices = [] }
        return told + notices
    }
}
