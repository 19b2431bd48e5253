internal import JailCore

/// Observations with the same subject, outcome, knowledge, errno and program, counted. So many, and no more: what asks is a
/// program in a jail.
package struct ObservationTally: Sendable {
    private struct Key: Hashable, Sendable {
        var subject: Observation.Subject
        var outcome: Observation.Outcome
        var knowledge: Observation.Knowledge
        var errno: String?
        var program: String?

        init(_ observation: Observation) {
            subject = observation.subject
            outcome = observation.outcome
            knowledge = observation.knowledge
            errno = observation.errno
            program = observation.program
        }
    }
    private var places: [Key: Int] = [:]
    /// In the order in which they were seen first.
    package private(set) var observations: [Observation] = []
    /// How often something was seen for which there was no room.
    package private(set) var leftOut = 0
    private let most: Int
    private let mostBytes: Int
    private var used = 0
    private var bytes = 0

    /// - Parameters:
    ///   - most: different ones. What was only used takes at most half of that, so that it leaves room for denials.
    ///   - mostBytes: of their lines in a record, nearly.
    package init(most: Int = ObservationFile.mostObservations, mostBytes: Int = ObservationFile.sizeLimit / 2) {
        self.most = most
        self.mostBytes = mostBytes
    }

    package mutating func add(_ observation: Observation) {
        let key = Key(observation)
        if let place = places[key] {
            observations[place].count = Self.sum(observations[place].count, observation.count)
            return
        }
        // Its count can get 18 digits longer.
        let size = observation.json.text().utf8.count + 20
        guard observations.count < most, bytes + size <= mostBytes, observation.outcome != .used || used < most / 2
        else {
            leftOut = Self.sum(leftOut, observation.count)
            return
        }
        bytes += size
        if observation.outcome == .used { used += 1 }
        places[key] = observations.count
        observations.append(observation)
    }

    package mutating func add(leftOut count: Int) { leftOut = Self.sum(leftOut, count) }

    private static func sum(_ one: Int, _ other: Int) -> Int {
        let (sum, isTooLarge) = one.addingReportingOverflow(other)
        return isTooLarge ? .max : sum
    }
}
