/// Covers secrets in a stream of bytes with as many stars, and changes nothing else. Bytes wait only while they may be part
/// of a secret.
package struct SecretRedactor: Sendable {
    private let traces: SecretTraces
    private var walker: TraceWalker
    /// Bytes that wait, and how many went before them.
    private var held: [UInt8] = []
    private var released = 0
    /// The last part that was covered: whatever else comes of its bytes, they stay so.
    private var covered = 0..<0

    package init(_ traces: SecretTraces) {
        self.traces = traces
        walker = TraceWalker(traces)
    }

    /// - Parameter bytes: the next ones, any number.
    /// - Returns: those that nothing more can come of, in their order.
    package mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
        let start = held.count
        if start == 0 { held = bytes } else { held += bytes }
        walker.walk(held, from: start)
        return release()
    }

    /// - Returns: the rest. There is nothing more to come.
    package mutating func finish() -> [UInt8] {
        walker.finish()
        cover()
        defer { held = [] }
        released += held.count
        return held
    }

    /// The names of those found so far.
    package var found: [String] { traces.names(walker.owners) }
    package var hasFound: Bool { !walker.owners.isEmpty }
    package var heldCount: Int { held.count }

    /// One text for itself; nil: there is no secret in it.
    package static func cover(_ text: String, _ traces: SecretTraces, found: inout Set<String>) -> String? {
        var redactor = SecretRedactor(traces)
        let covered = redactor.feed(Array(text.utf8)) + redactor.finish()
        guard redactor.hasFound else { return nil }
        found.formUnion(redactor.found)
        return String(decoding: covered, as: UTF8.self)
    }

    private mutating func cover() {
        for range in walker.takeRanges() {
            // What was covered before may have gone already.
            let rest = range.clamped(to: released..<released + held.count)
            for index in rest { held[index - released] = UInt8(ascii: "*") }
            covered =
                range.lowerBound <= covered.upperBound && covered.lowerBound <= range.upperBound
                ? min(range.lowerBound, covered.lowerBound)..<max(range.upperBound, covered.upperBound) : range
        }
    }

    private mutating func release() -> [UInt8] {
        cover()
        var hold = walker.hold
        if hold >= covered.lowerBound { hold = max(hold, covered.upperBound) }
        let count = max(hold - released, 0)
        released += count
        if count == held.count {
            defer { held = [] }
            return held
        }
        let bytes = Array(held[..<count])
        held.removeFirst(count)
        return bytes
    }
}
