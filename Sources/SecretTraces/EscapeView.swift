/// What has been read as it is without the escapes of one style, and where in it each byte came from.
///
/// While there is no escape it sees what everybody sees, and sleeps.
struct EscapeView: Sendable {
    let style: EscapeStyle
    private(set) var isAwake = false
    private(set) var state: TraceAutomaton.State = 0
    /// What may be the beginning of an escape, and where that is.
    private var pending: [UInt8] = []
    private var pendingStart = 0
    /// Where each of the last bytes began: as many as the longest text has, in a ring.
    private var starts: [Int] = []
    private var mask = 0
    private var count = 0

    init(_ style: EscapeStyle) { self.style = style }

    /// Before the first escape: all that has been read so far was the same for everybody.
    ///
    /// - Parameters:
    ///   - state: what that has come to.
    ///   - position: how much that was.
    mutating func wake(_ state: TraceAutomaton.State, at position: Int, _ automaton: TraceAutomaton) {
        if starts.isEmpty {
            var size = 16
            while size < automaton.longest { size *= 2 }
            starts = [Int](repeating: 0, count: size)
            mask = size - 1
        }
        isAwake = true
        self.state = state
        count = automaton.depth(state)
        for index in 0..<count { starts[index & mask] = position - count + index }
    }

    /// The next byte.
    ///
    /// - Parameter found: called with where a text was that has come to its end, and with the state there.
    mutating func take(
        _ byte: UInt8, at position: Int, _ automaton: TraceAutomaton,
        _ found: (Range<Int>, TraceAutomaton.State) -> Void
    ) {
        guard !pending.isEmpty || byte == style.begin else {
            return step(byte, position..<position + 1, automaton, found)
        }
        if pending.isEmpty { pendingStart = position }
        pending.append(byte)
        switch style.read(pending) {
        case .more: return
        case .decoded(let bytes):
            pending.removeAll(keepingCapacity: true)
            for byte in bytes { step(byte, pendingStart..<position + 1, automaton, found) }
        case .none: giveUp(automaton, found)
        }
    }

    /// No escape: its first byte stands for itself, and with another one something else may begin. A few bytes at most.
    private mutating func giveUp(_ automaton: TraceAutomaton, _ found: (Range<Int>, TraceAutomaton.State) -> Void) {
        let bytes = pending
        let start = pendingStart
        pending.removeAll(keepingCapacity: true)
        step(bytes[0], start..<start + 1, automaton, found)
        for index in 1..<bytes.count { take(bytes[index], at: start + index, automaton, found) }
    }

    /// There is nothing more to come: what has begun is no escape.
    mutating func finish(_ automaton: TraceAutomaton, _ found: (Range<Int>, TraceAutomaton.State) -> Void) {
        while let byte = pending.first {
            let rest = Array(pending.dropFirst())
            let start = pendingStart
            pending.removeAll(keepingCapacity: true)
            step(byte, start..<start + 1, automaton, found)
            for (index, byte) in rest.enumerated() { take(byte, at: start + 1 + index, automaton, found) }
        }
    }

    private mutating func step(
        _ byte: UInt8, _ range: Range<Int>, _ automaton: TraceAutomaton,
        _ found: (Range<Int>, TraceAutomaton.State) -> Void
    ) {
        starts[count & mask] = range.lowerBound
        count += 1
        state = automaton.step(state, byte)
        guard automaton.hasMatch(state) else { return }
        found(starts[(count - automaton.matched(state)) & mask]..<range.upperBound, state)
    }

    /// Where the earliest byte is that may still be part of a text; nil: none may.
    func hold(_ automaton: TraceAutomaton) -> Int? {
        let live = automaton.live(state)
        if live > 0 { return starts[(count - live) & mask] }
        return pending.isEmpty ? nil : pendingStart
    }

    /// Sees the same as everybody again.
    mutating func sleepIfIdle() { if pending.isEmpty, state == 0 { isAwake = false } }
}
