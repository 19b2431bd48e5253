package import JailCore

/// What becomes of one question.
package enum ApprovalAnswer: Equatable, Sendable {
    /// By this grant, of which one use is gone now.
    case granted(grant: UInt64)
    case denied(Denial)

    package enum Denial: Equatable, Sendable {
        /// Somebody said no; why, if they said so.
        case refused(String?)
        /// The same was refused a moment ago: nobody is asked again so soon.
        case refusedBefore
        /// Nobody answered, for so many milliseconds.
        case unanswered(UInt64)
        /// There are too many questions already.
        case full
        /// They come too fast.
        case flood
        /// A clock was set, or the host slept, while it waited.
        case clock
        /// The jail ends, or nobody can be asked any more.
        case ended

        /// Continues `an approval was asked for, and not given: `.
        package var text: String {
            switch self {
            case .refused(let reason): "it was denied" + (reason.map { " (\($0))" } ?? "")
            case .refusedBefore: "the same was denied a moment ago"
            case .unanswered(let time): "nobody answered within \(time / 1000) s"
            case .full: "too many questions wait already"
            case .flood: "questions come too fast"
            case .clock: "a clock was set meanwhile, or the host slept"
            case .ended: "nobody can be asked any more"
            }
        }

        /// For logs: one word.
        var word: String {
            switch self {
            case .refused: "denied"
            case .refusedBefore: "denied-before"
            case .unanswered: "unanswered"
            case .full: "full"
            case .flood: "flood"
            case .clock: "clock"
            case .ended: "ended"
            }
        }
    }
}

/// What is to be told to the log and to people, in the order in which it happened.
package struct ApprovalNews: Sendable {
    package enum What: Sendable {
        /// A new question, with its number.
        case asked(UInt64)
        /// The first of two who have to.
        case endorsed(UInt64, by: ApprovalDecider, reason: String?)
        case approved(UInt64, ApprovalGrant)
        case denied(UInt64, by: ApprovalDecider, reason: String?)
        /// Nobody is there any more who waits for an answer.
        case withdrawn(UInt64)
        /// So many of those that waited, for a reason that nobody has decided.
        case dropped(UInt64, ApprovalAnswer.Denial, count: Int)
        case used(grant: UInt64, left: UInt64?)
        case ended(grant: UInt64, why: String)
    }

    package var what: What
    package var subject: ApprovalSubject

    /// For the log.
    package var event: JSON {
        var members: [(String, JSON)] = [("event", "approval"), ("what", .string(word))]
        switch what {
        case .asked(let id), .withdrawn(let id): members.append(("id", .number(id)))
        case .endorsed(let id, let decider, let reason), .denied(let id, let decider, let reason):
            members += [("id", .number(id)), ("by", .string(decider.text)), ("reason", .optional(reason))]
        case .approved(let id, let grant):
            members += [
                ("id", .number(id)), ("grant", .number(grant.id)), ("by", .strings(grant.by.map(\.text))),
                ("reason", .optional(grant.reason)), ("terms", .string(grant.terms.text)),
            ]
            members += grant.terms.members
        case .dropped(let id, _, let count):
            members += [("id", .number(id)), ("count", .number(count))]
        case .used(let grant, let left):
            members += [("grant", .number(grant)), ("left", left.map { .number($0) } ?? .null)]
        case .ended(let grant, let why): members += [("grant", .number(grant)), ("reason", .string(why))]
        }
        return .object(members + subject.members)
    }

    private var word: String {
        switch what {
        case .asked: "asked"
        case .endorsed: "endorsed"
        case .approved: "approved"
        case .denied: "denied"
        case .withdrawn: "withdrawn"
        case .dropped(_, let denial, _): denial.word
        case .used: "used"
        case .ended: "ended"
        }
    }

    /// For people, where one wants to hear of it while it happens.
    package func note(jail: String) -> String? {
        switch what {
        case .asked(let id):
            "asks for approval: \(subject.text); 'clawjail approvals approve \(jail) \(id)', or deny"
        case .endorsed(let id, let decider, _):
            "\(decider.text) approves \(id), which needs a second one: \(subject.text)"
        case .approved(_, let grant):
            "approved by \(grant.by.map(\.text).joined(separator: " and ")), \(grant.terms.text): \(subject.text)"
        case .denied(_, let decider, _): "denied by \(decider.text): \(subject.text)"
        case .dropped, .withdrawn, .used, .ended: nil
        }
    }
}
