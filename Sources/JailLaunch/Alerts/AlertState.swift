internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What the rules of alerts make of what happens in a jail. Pure: time is told, nothing is asked. Whatever the jail does,
/// it takes the same memory.
struct AlertState {
    private struct Watched {
        let rule: AlertRule
        var group: AlertGroup
        var sum: SlidingSum
    }

    private var watched: [Watched]
    /// Which rules look at what.
    private let bySubject: [AlertSubject: [Int]]
    /// nil: no rule asks for what is unusual.
    private(set) var baseline: Baseline?
    private var alerts: [Alert] = []

    init(_ rules: [AlertRule], baseline: Baseline? = nil) {
        watched = rules.map {
            Watched(
                rule: $0, group: AlertGroup($0),
                sum: SlidingSum(Int64(clamping: min($0.within, 1 << 40) * 1_000_000)))
        }
        var bySubject: [AlertSubject: [Int]] = [:]
        for (index, rule) in rules.enumerated() { bySubject[rule.watch, default: []].append(index) }
        self.bySubject = bySubject
        self.baseline = baseline
    }

    func watches(_ subject: AlertSubject) -> Bool { bySubject[subject] != nil }

    /// What is to be told since the last time.
    mutating func takeAlerts() -> [Alert] {
        defer { alerts = [] }
        return alerts
    }

    /// Monotonic nanoseconds at which ``tick(now:)`` has something to do.
    var due: Int64? { watched.compactMap(\.group.end).min() }

    /// Tells what has gathered.
    mutating func tick(now: Int64) {
        for index in watched.indices {
            if let alert = watched[index].group.take(now: now) { alerts.append(alert) }
        }
    }

    /// The jail has ended: what has gathered is told now.
    mutating func finish(now: Int64) {
        for index in watched.indices {
            if let alert = watched[index].group.takeLast(now: now) { alerts.append(alert) }
        }
    }

    /// A person has let the jail go on: what was before, they have looked at. A rule that pauses does it again at once.
    mutating func resumed() {
        for index in watched.indices where watched[index].rule.actions.contains(.pause) {
            watched[index].group.forget()
            watched[index].sum.forget()
        }
    }

    // MARK: What happens

    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wall: seconds since the epoch.
    mutating func see(_ facts: AlertFacts, now: Int64, wall: Int64) {
        for (subject, amount) in facts.amounts { count(subject, amount, now: now) }
        match(.hosts, facts.hosts, now: now)
        match(.paths, facts.paths, now: now)
        match(.commands, facts.commands, now: now)
        match(.files, facts.files, now: now)
        for (subject, seen) in facts.occurrences {
            for index in bySubject[subject] ?? [] { add(index, seen, now: now) }
        }
        if baseline != nil { compare(facts, now: now, wall: wall) }
    }

    /// Bytes that the jail has in use.
    mutating func see(memory: UInt64, now: Int64) {
        for index in bySubject[.memory] ?? [] where memory > watched[index].rule.above ?? .max {
            add(index, ByteCount.text(memory), now: now)
        }
    }

    /// Adds to what is counted over a time.
    mutating func count(_ subject: AlertSubject, _ amount: UInt64, now: Int64) {
        for index in bySubject[subject] ?? [] {
            let total = watched[index].sum.add(amount, now: now)
            guard total > watched[index].rule.above ?? .max else { continue }
            add(index, Self.text(total, of: subject), now: now)
        }
    }

    /// Sizes as people read them: sums are seldom whole.
    private static func text(_ total: UInt64, of subject: AlertSubject) -> String {
        switch subject {
        case .stderr, .upload: ByteCount.text(total)
        default: subject.text(total)
        }
    }

    private mutating func match(_ subject: AlertSubject, _ texts: [String], now: Int64) {
        guard !texts.isEmpty, let indices = bySubject[subject] else { return }
        for index in indices {
            guard let text = texts.first(where: { text in watched[index].rule.matching.contains { $0.matches(text) } })
            else { continue }
            add(index, text, now: now)
        }
    }

    private mutating func compare(_ facts: AlertFacts, now: Int64, wall: Int64) {
        for unusual in baseline?.learn(facts, wall: wall) ?? [] {
            for index in bySubject[unusual.subject] ?? [] where unusual.age >= watched[index].rule.learn / 1000 {
                add(index, unusual.seen, now: now)
            }
        }
    }

    private mutating func add(_ index: Int, _ seen: String, now: Int64) {
        // An interval that has ended meanwhile is told before the next one begins.
        if let alert = watched[index].group.take(now: now) { alerts.append(alert) }
        if let alert = watched[index].group.add(seen, now: now) { alerts.append(alert) }
    }
}

extension AlertPattern {
    func matches(_ text: String) -> Bool {
        switch self {
        case .host(let pattern):
            Host(wire: Array((text.utf8.contains(0x3A) ? "[\(text)]" : text).utf8)).map(pattern.matches) ?? false
        case .path(let pattern): CanonicalPath(target: text).map(pattern.matches) ?? false
        case .text(let pattern): pattern.matches(text)
        }
    }
}
