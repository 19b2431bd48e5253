package import JailCore
internal import JailPolicy

/// One question that waits for a person, with all who have asked it.
package struct ApprovalEntry: Sendable {
    package let id: UInt64
    package let subject: ApprovalSubject
    /// Why it is asked: what no rule allows.
    package let why: String
    /// Milliseconds since the epoch.
    package let asked: Int64
    /// How often it was asked, those who went away included.
    package internal(set) var count = 0
    /// The first of two who have to, with what they said.
    package internal(set) var endorsement: Endorsement?
    /// What was decided about the same before, oldest first.
    package let before: [Decision]
    var waiting: [Waiter] = []

    package struct Endorsement: Sendable {
        package var decider: ApprovalDecider
        package var terms: ApprovalTerms
        package var reason: String?
    }

    package struct Decision: Sendable {
        package var approved: Bool
        package var by: [ApprovalDecider]
        /// Milliseconds since the epoch.
        package var time: Int64
    }

    struct Waiter: Sendable {
        let id: UInt64
        /// Monotonic nanoseconds.
        let deadline: Int64
    }

    init(id: UInt64, _ subject: ApprovalSubject, why: String, before: [Decision], now: ApprovalMoment) {
        self.id = id
        self.subject = subject
        self.why = why
        self.before = before
        asked = now.realtime
    }

    /// Those who still wait.
    package var waiters: Int { waiting.count }

    /// Monotonic nanoseconds at which the last one gives up.
    package var deadline: Int64 { waiting.map(\.deadline).max() ?? 0 }

    /// What saying yes would mean, for people.
    package var meaning: String {
        switch subject {
        case .command(let command):
            "'\(command.program.printable)' is executed with exactly these arguments, \(command.place.printable)"
        case .network(let network):
            "\(network.text) goes out, with whatever query, headers and body "
                + "the jail sends"
        case .session: "it is made, with all that its profile allows"
        }
    }

    /// - Parameter redact: what looks like a secret is not to be seen by everybody who may see the queue.
    package func json(now: ApprovalMoment, fourEyes: Bool) -> JSON {
        let left = max(0, (deadline - now.monotonic) / 1_000_000)
        var members: [(String, JSON)] = [("id", .number(id))] + subject.members
        members += [
            ("why", .string(why)), ("meaning", .string(meaning)), ("asked", .number(asked)), ("left", .number(left)),
            ("waiting", .number(waiters)), ("count", .number(count)), ("fourEyes", .boolean(fourEyes)),
            ("endorsedBy", .optional(endorsement?.decider.text)), ("endorsed", .optional(endorsement?.terms.text)),
            (
                "before",
                .array(
                    before.map {
                        [
                            "approved": .boolean($0.approved), "by": .strings($0.by.map(\.text)),
                            "time": .number($0.time),
                        ]
                    })
            ),
        ]
        return .object(members)
    }
}
