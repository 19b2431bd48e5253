internal import JailCgroups

/// What `clawjail top` knows and shows. Pure: looks and keys are told, nothing is asked.
package struct TopState: Sendable {
    package enum Sort: String, CaseIterable, Sendable {
        case name, cpu, memory, processes, network, traffic, denials, up

        /// What to press, and what it is called.
        var key: (character: Character, name: String) {
            switch self {
            case .name: ("n", "name")
            case .cpu: ("c", "cpu")
            case .memory: ("m", "memory")
            case .processes: ("o", "processes")
            case .network: ("w", "network")
            case .traffic: ("b", "bytes")
            case .denials: ("d", "denials")
            case .up: ("u", "up time")
            }
        }
    }

    /// What a person asks of a jail.
    package enum Request: String, Hashable, Sendable { case pause, resume, stop, kill }

    package enum Action: Equatable, Sendable {
        case leave
        case suspend
        case redraw
        case ask(Request, String)
    }

    /// The latest figures of one jail, for its curves.
    struct History: Equatable, Sendable {
        static let most = 240
        var milliCPUs: [UInt64] = []
        var asked: [UInt64] = []
        var memory: [UInt64] = []

        mutating func add(_ row: TopRow) {
            Self.add(row.rates.milliCPUs ?? 0, to: &milliCPUs)
            Self.add(row.sample.figures?.askedLately ?? row.sample.figures?.denialsLately ?? 0, to: &asked)
            Self.add(row.sample.usage?.memory ?? 0, to: &memory)
        }

        private static func add(_ value: UInt64, to values: inout [UInt64]) {
            if values.count == most { values.removeFirst() }
            values.append(value)
        }
    }

    package var hostName = ""
    /// Seconds since the epoch, and what the place is ahead of UTC.
    package var now: Int64 = 0
    package var clockOffset: Int64 = 0
    /// Of the selected jail; nil: not known yet.
    package var events: [EventLine]?
    /// The answer to what was asked last.
    package var message: String?

    private(set) var rows: [TopRow] = []
    private(set) var histories: [String: History] = [:]
    package private(set) var selected: String?
    package var sort = Sort.name
    private(set) var isReversed = false
    private(set) var question: (request: Request, name: String)?
    private(set) var showsHelp = false
    package private(set) var showsDetails = true
    /// How far down a press of a page key goes; what was drawn last.
    package var page = 10

    package init() {}

    // MARK: Looks

    package mutating func take(_ samples: [JailSample]) {
        let before = Dictionary(rows.map { ($0.sample.name, $0.sample) }) { first, _ in first }
        rows = samples.map { TopRow(sample: $0, rates: JailRates($0, since: before[$0.name])) }
        histories = histories.filter { name, _ in samples.contains { $0.name == name } }
        for row in rows {
            // Another one of the same name begins anew.
            if let old = before[row.sample.name], old.supervisor != row.sample.supervisor {
                histories[row.sample.name] = nil
            }
            histories[row.sample.name, default: History()].add(row)
        }
        arrange()
        if let name = question?.name, !rows.contains(where: { $0.sample.name == name }) { question = nil }
        if !rows.contains(where: { $0.sample.name == selected }) { select(rows.first?.sample.name) }
    }

    var selectedRow: TopRow? { rows.first { $0.sample.name == selected } }
    var selectedIndex: Int { rows.firstIndex { $0.sample.name == selected } ?? 0 }

    /// Each jail with the sessions that it has had made below it; both in the order that is asked for.
    private mutating func arrange() {
        let sorted = rows.sorted { one, other in
            isReversed ? comesBefore(other, one) : comesBefore(one, other)
        }
        let names = Set(sorted.map(\.sample.name))
        var arranged: [TopRow] = []
        for row in sorted where !(row.sample.gateway.map { names.contains(String($0)) } ?? false) {
            arranged.append(row)
            let sessions = sorted.filter { $0.sample.gateway.map(String.init) == row.sample.name }
            for (index, session) in sessions.enumerated() {
                var session = session
                session.branch = index == sessions.count - 1 ? .last : .inner
                arranged.append(session)
            }
        }
        rows = arranged
    }

    /// The most first; by name where they are the same.
    private func comesBefore(_ one: TopRow, _ other: TopRow) -> Bool {
        let (first, second) = (value(one), value(other))
        return first == second ? one.sample.name < other.sample.name : first > second
    }

    private func value(_ row: TopRow) -> UInt64 {
        switch sort {
        case .name: 0
        case .cpu: row.rates.milliCPUs ?? 0
        case .memory: row.sample.usage?.memory ?? 0
        case .processes: row.sample.usage?.processes ?? 0
        case .network: row.sample.figures?.askedLately ?? 0
        case .traffic: row.rates.traffic ?? 0
        case .denials: row.sample.figures?.denialsLately ?? 0
        case .up: UInt64(max(0, now - row.sample.started))
        }
    }

    private mutating func select(_ name: String?) {
        guard name != selected else { return }
        selected = name
        events = nil
    }

    // MARK: Keys

    package mutating func press(_ key: Key) -> Action? {
        if key == .interrupt { return .leave }
        if key == .suspend { return .suspend }
        if key == .redraw { return .redraw }
        if let question {
            self.question = nil
            message = nil
            if key == .character("y") || key == .character("Y") { return .ask(question.request, question.name) }
            message = "\(question.request.rawValue): not done"
            return nil
        }
        message = nil
        if showsHelp {
            showsHelp = false
            return nil
        }
        switch key {
        case .up, .character("k"): move(-1)
        case .down, .character("j"): move(1)
        case .pageUp: move(-page)
        case .pageDown: move(page)
        case .home, .character("g"): move(-rows.count)
        case .end, .character("G"): move(rows.count)
        case .enter: showsDetails.toggle()
        case .character(let character): return press(character)
        case .escape, .interrupt, .suspend, .redraw: break
        }
        return nil
    }

    private mutating func press(_ character: Character) -> Action? {
        switch character {
        case "q": return .leave
        case "?", "h": showsHelp = true
        case "r":
            isReversed.toggle()
            arrange()
        case "s": sort(by: Sort.allCases[((Sort.allCases.firstIndex(of: sort) ?? 0) + 1) % Sort.allCases.count])
        case "p": ask(selectedRow?.sample.condition == .paused ? .resume : .pause)
        case "x": ask(.stop)
        case "X": ask(.kill)
        default: if let wanted = Sort.allCases.first(where: { $0.key.character == character }) { sort(by: wanted) }
        }
        return nil
    }

    private mutating func sort(by wanted: Sort) {
        sort = wanted
        isReversed = false
        arrange()
    }

    private mutating func ask(_ request: Request) { question = selected.map { (request, $0) } }

    private mutating func move(_ count: Int) {
        guard !rows.isEmpty else { return }
        select(rows[min(max(0, selectedIndex + count), rows.count - 1)].sample.name)
    }
}

/// One jail on the screen.
struct TopRow: Sendable {
    enum Branch { case inner, last }

    var sample: JailSample
    var rates: JailRates
    /// Below the jail that has had it made.
    var branch: Branch?
}
