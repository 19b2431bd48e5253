/// One walk over a stream of bytes: what has been found so far, and what may still come of the last bytes.
struct TraceWalker: Sendable {
    private let traces: SecretTraces
    private var state: TraceAutomaton.State = 0
    private var views = EscapeStyle.allCases.map(EscapeView.init)
    private var awake = 0
    /// Bytes read.
    private(set) var position = 0
    /// Where texts were, since somebody has last asked; those that touch are one.
    private var ranges: [Range<Int>] = []
    /// Whose texts those were, since the beginning.
    private(set) var owners: Set<Int> = []

    init(_ traces: SecretTraces) { self.traces = traces }

    /// - Parameter bytes: of these, those from an index on.
    mutating func walk(_ bytes: [UInt8], from start: Int = 0) {
        var index = start
        while index < bytes.count {
            if state == 0, awake == 0 {
                // What nothing begins with: most bytes are.
                let begin = index
                while index < bytes.count, !traces.isBeginning[Int(bytes[index])] { index += 1 }
                position += index - begin
                guard index < bytes.count else { return }
            }
            take(bytes[index])
            index += 1
        }
    }

    private mutating func take(_ byte: UInt8) {
        let automaton = traces.automaton
        if awake > 0 || traces.isEscape[Int(byte)] { takeInViews(byte) }
        state = automaton.step(state, byte)
        position += 1
        if automaton.hasMatch(state) {
            found(position - automaton.matched(state)..<position, state)
        }
        if awake > 0, state == 0 { sleep() }
    }

    private mutating func takeInViews(_ byte: UInt8) {
        for index in views.indices {
            if !views[index].isAwake {
                guard byte == views[index].style.begin else { continue }
                views[index].wake(state, at: position, traces.automaton)
                awake += 1
            }
            var matches: [(Range<Int>, TraceAutomaton.State)] = []
            views[index].take(byte, at: position, traces.automaton) { matches.append(($0, $1)) }
            for (range, state) in matches { found(range, state) }
        }
    }

    private mutating func sleep() {
        for index in views.indices where views[index].isAwake {
            views[index].sleepIfIdle()
            if !views[index].isAwake { awake -= 1 }
        }
    }

    /// There is nothing more to come.
    mutating func finish() {
        for index in views.indices where views[index].isAwake {
            var matches: [(Range<Int>, TraceAutomaton.State)] = []
            views[index].finish(traces.automaton) { matches.append(($0, $1)) }
            for (range, state) in matches { found(range, state) }
        }
    }

    private mutating func found(_ range: Range<Int>, _ state: TraceAutomaton.State) {
        traces.automaton.owners(state) { owners.insert($0) }
        var range = range
        while let last = ranges.last, last.upperBound >= range.lowerBound, range.upperBound >= last.lowerBound {
            range = min(last.lowerBound, range.lowerBound)..<max(last.upperBound, range.upperBound)
            ranges.removeLast()
        }
        ranges.append(range)
    }

    /// Where texts were that have come to their end since the last time.
    mutating func takeRanges() -> [Range<Int>] {
        defer { ranges.removeAll(keepingCapacity: true) }
        return ranges
    }

    /// From here on bytes may still be part of a text.
    var hold: Int {
        var hold = position - traces.automaton.live(state)
        for view in views where view.isAwake { hold = min(hold, view.hold(traces.automaton) ?? position) }
        return hold
    }
}
