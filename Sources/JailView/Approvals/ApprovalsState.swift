/// What `clawjail approvals watch` knows and shows. Pure: answers and keys are told, nothing is asked.
package struct ApprovalsState: Sendable {
    /// One entry of one jail's. Never a place in a list, which moves while somebody reaches for a key.
    package struct Entry: Hashable, Sendable {
        package var jail: String
        package var id: UInt64
    }

    package enum Decision: Hashable, Sendable {
        case once
        /// For five minutes.
        case minutes
        case untilEnd
        case deny
    }

    package enum Action: Equatable, Sendable {
        case leave
        case suspend
        case redraw
        case decide(Entry, Decision)
    }

    /// The answer to what was asked last.
    package var message: String?
    package private(set) var queues: [ApprovalsView] = []
    package private(set) var selected: Entry?
    /// Wants to be said twice: it lets through more than what is seen.
    package private(set) var question: Entry?

    package init() {}

    var entries: [(entry: Entry, waiting: ApprovalsView.Waiting)] {
        queues.flatMap { queue in queue.waiting.map { (Entry(jail: queue.jail, id: $0.id), $0) } }
    }

    /// What is selected stays it; once that is gone nothing is, until somebody selects again: a key that was meant for
    /// one entry must not be about another.
    package mutating func take(_ queues: [ApprovalsView]) {
        let isFirst = entries.isEmpty && selected == nil
        self.queues = queues
        if let selected, !entries.contains(where: { $0.entry == selected }) {
            self.selected = nil
            message = message ?? "what was selected does not wait any more"
        }
        if let question, question != selected { self.question = nil }
        if isFirst { selected = entries.first?.entry }
    }

    package mutating func press(_ key: Key) -> Action? {
        let asked = question
        question = nil
        message = nil
        switch key {
        case .interrupt, .escape, .character("q"): return .leave
        case .suspend: return .suspend
        case .redraw: return .redraw
        case .up, .character("k"): move(-1)
        case .down, .character("j"): move(1)
        case .home: selected = entries.first?.entry
        case .end: selected = entries.last?.entry
        case .character("a"): return decide(.once)
        case .character("m"): return decide(.minutes)
        case .character("e"):
            // Of the widest kind, and next to the others on the keyboard.
            if let selected, asked == selected { return decide(.untilEnd) }
            question = selected
        case .character("d"): return decide(.deny)
        default: break
        }
        return nil
    }

    private mutating func move(_ step: Int) {
        let all = entries.map(\.entry)
        guard let selected, let index = all.firstIndex(of: selected) else {
            self.selected = step > 0 ? all.first : all.last
            return
        }
        self.selected = all[min(max(index + step, 0), all.count - 1)]
    }

    private mutating func decide(_ decision: Decision) -> Action? {
        guard let selected else {
            message = "nothing is selected"
            return nil
        }
        return .decide(selected, decision)
    }
}
