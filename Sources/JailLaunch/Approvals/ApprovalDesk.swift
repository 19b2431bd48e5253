internal import AuditLog
internal import JailApprovals
internal import JailCommands
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of approvals: the queue, who asks, and what they hear. Who may say something to it is for ``AccessDesk``.
final class ApprovalDesk {
    private let plan: ApprovalsPlan
    private let jail: String
    /// What is asked is judged once more: the way out may have been taken over.
    private let policy: NetworkPolicy
    private let commands: CommandPolicy
    private var queue: ApprovalQueue
    private var telling: ApprovalTelling?
    private var started: [(command: HostCommandPlan, input: [UInt8])] = []
    private let now: () -> ApprovalMoment

    init(
        _ plan: ApprovalsPlan, jail: String, redactor: Redactor = Redactor(), rules: NetworkRules,
        commands: CommandRules = CommandRules(),
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
        telling = plan.notify.map { ApprovalTelling($0, jail: jail, redactor: redactor, now: now()) }
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
    /// run. The answer comes through `CommandDesk.answer(_:_:)`.
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

    /// Whether each session is asked about that the jail asks for.
    var asksForSessions: Bool { plan.rules.ask.contains(.session) }

    /// A session that ``SessionVetting`` lets through.
    ///
    /// - Parameter waiter: of the sessions' own numbers.
    /// - Returns: false: it is nothing to be asked about, and is denied.
    func ask(session: AskedSession, why: String, waiter: UInt64) -> Bool {
        asksForSessions && ask(.session(session), why: why, .sessions, waiter)
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

    /// What came of an order: a text, or the queue itself.
    enum Reply {
        case queue(JSON)
        case done(String)
        case refused(AccessDesk.Refusal)
    }

    /// - Parameter decider: whom ``AccessDesk`` has let in; what they may do is checked once more here.
    func carry(out order: ApprovalOrder, by decider: ApprovalDecider) -> Reply {
        do throws(ApprovalRefusal) { return try decide(order, decider) } catch {
            var refusal = AccessDesk.Refusal(status: ExitStatus.refused, reason: error.reason)
            if order.action != .list { refusal.told = (decider.text, error.reason) }
            return .refused(refusal)
        }
    }

    private func decide(_ order: ApprovalOrder, _ decider: ApprovalDecider) throws(ApprovalRefusal) -> Reply {
        switch order.action {
        case .list: return .queue(try queue.json(for: decider, jail: jail, now()))
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
        // Of the jail, and not of the queue.
        case .pause, .resume, .stop:
            return .refused(AccessDesk.Refusal(status: ExitStatus.usage, reason: "that is nothing to be decided"))
        }
    }

    // MARK: Time, and what there is to say

    var due: Int64? { [queue.due, telling?.due].compactMap(\.self).min() }

    /// What messages of a webhook are signed with.
    func sign(with secret: KeptSecret) { telling?.secret = secret }
    func work() { queue.work(now()) }
    func end() { queue.end() }

    /// Whose each is, and under which number of its own.
    func takeAnswers() -> [(asker: ApprovalAsker, number: UInt64, answer: ApprovalAnswer)] {
        queue.takeAnswers().compactMap { waiter, answer in
            ApprovalAsker.of(waiter).map { ($0.asker, $0.number, answer) }
        }
    }

    func takeNotices() -> [JailNotice] {
        let news = queue.takeNews()
        telling?.take(news)
        started += telling?.messages(queue.entries, fourEyes: { isDouble($0) }, now()) ?? []
        return news.flatMap { news in
            [.event(news.event)] + (news.note(jail: jail).map { [.note($0)] } ?? [])
        }
    }

    private func isDouble(_ entry: ApprovalEntry) -> Bool { plan.rules.fourEyes.contains(entry.subject.kind) }

    /// Programs of the host's that tell people of what waits, with what they read.
    func takeOutside() -> [(command: HostCommandPlan, input: [UInt8])] {
        defer { started = [] }
        return started
    }
}
