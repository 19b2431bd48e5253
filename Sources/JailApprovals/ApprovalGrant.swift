/// An approval that was given, and what is left of it. Lives in one place, the queue, which takes a use away in the moment in
/// which it says yes.
package struct ApprovalGrant: Sendable {
    package let id: UInt64
    package let subject: ApprovalSubject
    package let terms: ApprovalTerms
    /// One, or two where four eyes are needed.
    package let by: [ApprovalDecider]
    package let reason: String?
    /// Milliseconds since the epoch.
    package let made: Int64
    /// Monotonic nanoseconds at which it is over; nil: with the jail.
    package let end: Int64?
    package private(set) var used: UInt64 = 0

    init(
        id: UInt64, _ subject: ApprovalSubject, _ terms: ApprovalTerms, by: [ApprovalDecider], reason: String?,
        now: ApprovalMoment
    ) {
        self.id = id
        self.subject = subject
        self.terms = terms
        self.by = by
        self.reason = reason
        made = now.realtime
        end = terms.time.map { now.adding(milliseconds: $0) }
    }

    /// nil: any number.
    package var left: UInt64? { terms.uses.map { $0 > used ? $0 - used : 0 } }

    func isOver(_ now: ApprovalMoment) -> Bool { left == 0 || end.map { now.monotonic >= $0 } ?? false }

    /// Takes one use away. False: there is none, or it is for something else.
    mutating func use(for asked: ApprovalSubject, _ now: ApprovalMoment) -> Bool {
        guard !isOver(now), terms.cover(asked, as: subject) else { return false }
        used += 1
        return true
    }
}
