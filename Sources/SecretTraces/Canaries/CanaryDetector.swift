/// Where a canary was seen.
package enum CanaryPlace: String, CaseIterable, Sendable {
    case request, upload, name, log
    case publishedPort = "published-port"
}

/// Recognises canaries in whatever passes. Made once for all that are planted.
///
/// One that is cut up, encrypted or compressed is not seen: it is a tripwire and no wall.
package final class CanaryDetector: Sendable {
    private let exact: SecretTraces
    private let folded: SecretTraces

    package convenience init(_ canaries: [Canary]) throws(SecretTraces.Refusal) { try self.init(canaries.map(\.known)) }

    package init(_ canaries: [KnownCanary]) throws(SecretTraces.Refusal) {
        let secrets = canaries.flatMap { canary in
            canary.marks.map { SecretTraces.Secret(name: canary.id, value: $0) }
        }
        exact = try SecretTraces(secrets)
        folded = try SecretTraces(secrets, ignoringCase: true)
    }

    /// One for each stream of bytes: a request with its body, an upload, the lines of a log, an answer of a published port.
    package func scan() -> Scan { Scan(exact) }

    package struct Scan: Sendable {
        private let traces: SecretTraces
        private var walker: TraceWalker
        private var told: Set<String> = []

        fileprivate init(_ traces: SecretTraces) {
            self.traces = traces
            walker = TraceWalker(traces)
        }

        /// - Parameter bytes: the next ones, any number.
        /// - Returns: the ids of canaries that were not seen in this stream before.
        package mutating func feed(_ bytes: some Sequence<UInt8>) -> [String] {
            walker.walk(Array(bytes))
            return new()
        }

        /// There is nothing more to come.
        package mutating func finish() -> [String] {
            walker.finish()
            return new()
        }

        private mutating func new() -> [String] {
            guard !walker.takeRanges().isEmpty else { return [] }
            let found = Set(traces.names(walker.owners)).subtracting(told)
            told.formUnion(found)
            return found.sorted()
        }
    }

    /// In a name that is asked for: there case is lost, and what is longer than a label stands in several.
    package func ids(inName name: String) -> [String] {
        let bytes = name.utf8.filter { $0 != UInt8(ascii: ".") }.map(\.lowercased)
        var scan = Scan(folded)
        return scan.feed(bytes) + scan.finish()
    }

    /// In one text for itself: a line of a log, a path, a field.
    package func ids(in text: String) -> [String] {
        var scan = scan()
        return scan.feed(Array(text.utf8)) + scan.finish()
    }
}
