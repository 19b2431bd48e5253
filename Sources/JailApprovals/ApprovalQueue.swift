package import JailPolicy

/// The one place where questions wait, grants live and are used up: of one jail, in its supervisor, which has one thread. So
/// that a grant has a use left and that it is taken away are one step, with nobody in between.
///
/// Pure: it is told what time it is, and what it has to say is taken from it. Everybody who asks gets exactly one answer.
package struct ApprovalQueue {
    package let rules: ApprovalRules
    /// The user whose jail it is.
    package let owner: UInt32
    package internal(set) var entries: [ApprovalEntry] = []
    package internal(set) var grants: [ApprovalGrant] = []
    /// Decisions about questions that were asked, oldest first.
    private var history: [(subject: ApprovalSubject, decision: ApprovalEntry.Decision, denied: Int64?)] = []
    private var answers: [(waiter: UInt64, answer: ApprovalAnswer)] = []
    private var news: [ApprovalNews] = []
    private var lastEntry: UInt64 = 0
    private var lastGrant: UInt64 = 0
    private var flood: ApprovalFlood
    private var seen: ApprovalMoment
    private var isEnded = false

    /// Questions at the same time; and those who wait for them.
    package static let mostEntries = 32
    package static let mostWaiters = 64
    package static let mostGrants = 64
    static let mostHistory = 128
    /// Nanoseconds for which a no answers whoever asks the same again.
    static let quiet: Int64 = 60_000_000_000
    /// Nanoseconds between two looks at the clocks, while anything depends on them.
    static let lookInterval: Int64 = 10_000_000_000

    package init(_ rules: ApprovalRules, owner: UInt32, now: ApprovalMoment) {
        self.rules = rules
        self.owner = owner
        flood = ApprovalFlood(now)
        seen = now
    }

    // MARK: Asking

    /// What is denied at once is no news: whoever has asked records what came of it, and a flood is not to be told twice.
    ///
    /// - Parameters:
    ///   - waiter: who asks; comes back with the answer. Never twice at the same time.
    ///   - why: what no rule allows, for people.
    package mutating func ask(_ subject: ApprovalSubject, why: String, waiter: UInt64, _ now: ApprovalMoment) {
        work(now)
        guard !isEnded else { return say(.denied(.ended), waiter) }
        if use(subject, waiter, now) { return }
        guard rules.ask.contains(subject.kind) else { return say(.denied(.ended), waiter) }
        if wasDenied(subject, now) { return say(.denied(.refusedBefore), waiter) }
        guard entries.reduce(0, { $0 + $1.waiters }) < Self.mostWaiters else { return say(.denied(.full), waiter) }
        let deadline = now.adding(milliseconds: rules.timeout)
        if let index = entries.firstIndex(where: { $0.subject == subject }) {
            entries[index].count += 1
            return entries[index].waiting.append(.init(id: waiter, deadline: deadline))
        }
        guard entries.count < Self.mostEntries else { return say(.denied(.full), waiter) }
        guard flood.take(now) else { return say(.denied(.flood), waiter) }
        lastEntry += 1
        let before = history.filter { $0.subject == subject }.map(\.decision)
        var entry = ApprovalEntry(id: lastEntry, subject, why: why, before: before.suffix(8), now: now)
        entry.count = 1
        entry.waiting = [.init(id: waiter, deadline: deadline)]
        entries.append(entry)
        tell(.asked(entry.id), subject)
    }

    /// Who has asked is gone, and does not wait for an answer any more.
    package mutating func withdraw(_ waiter: UInt64, _ now: ApprovalMoment) {
        for index in entries.indices { entries[index].waiting.removeAll { $0.id == waiter } }
        answers.removeAll { $0.waiter == waiter }
        removeEmpty { .withdrawn($0.id) }
        work(now)
    }

    /// All of one asker's are: it has ended.
    package mutating func withdrawAll(_ asker: ApprovalAsker, _ now: ApprovalMoment) {
        for index in entries.indices { entries[index].waiting.removeAll { ApprovalAsker.of($0.id)?.asker == asker } }
        answers.removeAll { ApprovalAsker.of($0.waiter)?.asker == asker }
        removeEmpty { .withdrawn($0.id) }
        work(now)
    }

    /// What was denied by somebody is not asked again at once.
    private func wasDenied(_ subject: ApprovalSubject, _ now: ApprovalMoment) -> Bool {
        guard let last = history.last(where: { $0.subject == subject }), let denied = last.denied else { return false }
        return now.monotonic - denied < Self.quiet
    }

    /// Takes one use of a grant, if there is one for it.
    private mutating func use(_ subject: ApprovalSubject, _ waiter: UInt64, _ now: ApprovalMoment) -> Bool {
        for index in grants.indices where grants[index].use(for: subject, now) {
            let grant = grants[index]
            say(.granted(grant: grant.id), waiter)
            tell(.used(grant: grant.id, left: grant.left), subject)
            return true
        }
        return false
    }

    // MARK: Time

    /// Monotonic nanoseconds at which ``work(_:)`` is to be called though nothing has happened.
    package var due: Int64? {
        let ends = grants.compactMap(\.end) + entries.flatMap { $0.waiting.map(\.deadline) }
        return ends.min().map { min($0, seen.monotonic + Self.lookInterval) }
    }

    /// Ends what is over: questions that nobody has answered, grants whose time is up, and both if a clock was set.
    package mutating func work(_ now: ApprovalMoment) {
        defer { seen = now }
        if now.isTorn(from: seen) {
            dropAll(.clock)
            end(grantsWhere: { $0.end != nil }, "a clock was set, or the host slept")
        }
        for index in entries.indices {
            let late = entries[index].waiting.filter { $0.deadline <= now.monotonic }
            guard !late.isEmpty else { continue }
            entries[index].waiting.removeAll { $0.deadline <= now.monotonic }
            for waiter in late { say(.denied(.unanswered(rules.timeout)), waiter.id) }
            let entry = entries[index]
            tell(.dropped(entry.id, .unanswered(rules.timeout), count: late.count), entry.subject)
        }
        entries.removeAll(where: \.waiting.isEmpty)
        end(grantsWhere: { $0.left == 0 }, "it is used up")
        end(grantsWhere: { $0.isOver(now) }, "its time is over")
    }

    /// Nobody is asked any more: who waits is denied, and nothing that was granted holds any longer.
    package mutating func end() {
        guard !isEnded else { return }
        isEnded = true
        dropAll(.ended)
        end(grantsWhere: { _ in true }, "the jail ends")
    }

    private mutating func dropAll(_ denial: ApprovalAnswer.Denial) {
        for entry in entries {
            for waiter in entry.waiting { say(.denied(denial), waiter.id) }
            tell(.dropped(entry.id, denial, count: entry.waiters), entry.subject)
        }
        entries = []
    }

    mutating func end(grantsWhere condition: (ApprovalGrant) -> Bool, _ why: String) {
        for grant in grants where condition(grant) { tell(.ended(grant: grant.id, why: why), grant.subject) }
        grants.removeAll(where: condition)
    }

    // MARK: What the decisions need, see `ApprovalQueue+Deciding.swift`

    /// Gives a grant to those who wait for what it covers, as far as it goes; the others still wait.
    mutating func grant(
        _ entry: ApprovalEntry, _ terms: ApprovalTerms, by: [ApprovalDecider], _ reason: String?, _ now: ApprovalMoment
    ) -> ApprovalGrant {
        lastGrant += 1
        let grant = ApprovalGrant(id: lastGrant, entry.subject, terms, by: by, reason: reason, now: now)
        remember(entry.subject, approved: true, by, now)
        tell(.approved(entry.id, grant), entry.subject)
        grants.append(grant)
        for index in entries.indices {
            let subject = entries[index].subject
            guard terms.cover(subject, as: entry.subject) else { continue }
            while let first = entries[index].waiting.first, use(subject, first.id, now) {
                entries[index].waiting.removeFirst()
            }
            // One of two is about what was asked then, and that has its answer.
            if entries[index].id == entry.id { entries[index].endorsement = nil }
        }
        entries.removeAll(where: \.waiting.isEmpty)
        end(grantsWhere: { $0.left == 0 }, "it is used up")
        return grant
    }

    mutating func deny(_ entry: ApprovalEntry, by decider: ApprovalDecider, _ reason: String?, _ now: ApprovalMoment) {
        for waiter in entry.waiting { say(.denied(.refused(reason)), waiter.id) }
        entries.removeAll { $0.id == entry.id }
        remember(entry.subject, approved: false, [decider], now)
        tell(.denied(entry.id, by: decider, reason: reason), entry.subject)
    }

    private mutating func remember(
        _ subject: ApprovalSubject, approved: Bool, _ by: [ApprovalDecider], _ now: ApprovalMoment
    ) {
        let decision = ApprovalEntry.Decision(approved: approved, by: by, time: now.realtime)
        history.append((subject, decision, approved ? nil : now.monotonic))
        if history.count > Self.mostHistory { history.removeFirst() }
    }

    mutating func tell(_ what: ApprovalNews.What, _ subject: ApprovalSubject) {
        news.append(ApprovalNews(what: what, subject: subject))
    }

    // MARK: What it has to say

    package mutating func takeAnswers() -> [(waiter: UInt64, answer: ApprovalAnswer)] {
        defer { answers = [] }
        return answers
    }

    package mutating func takeNews() -> [ApprovalNews] {
        defer { news = [] }
        return news
    }

    private mutating func say(_ answer: ApprovalAnswer, _ waiter: UInt64) { answers.append((waiter, answer)) }

    private mutating func removeEmpty(_ what: (ApprovalEntry) -> ApprovalNews.What) {
        for entry in entries where entry.waiting.isEmpty { tell(what(entry), entry.subject) }
        entries.removeAll(where: \.waiting.isEmpty)
    }
}
