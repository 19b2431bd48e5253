package import JailCore
internal import JailPolicy

/// Why somebody's decision does not count.
package struct ApprovalRefusal: Error, Equatable, Sendable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension ApprovalQueue {
    /// What came of an approval.
    package enum Outcome: Sendable {
        case granted(ApprovalGrant)
        /// The first of two: somebody else has to say the same.
        case endorsed
    }

    /// Yes, as far as the terms go.
    ///
    /// - Parameter terms: nil: once; of the second of two, what the first has said.
    package mutating func approve(
        _ id: UInt64, _ terms: ApprovalTerms?, by decider: ApprovalDecider, reason: String?, _ now: ApprovalMoment
    ) throws(ApprovalRefusal) -> Outcome {
        let entry = try entry(id, decider, now)
        if let refusal = terms?.refusal(for: entry.subject) { throw ApprovalRefusal(refusal) }
        guard grants.count < Self.mostGrants else {
            throw ApprovalRefusal("there are \(grants.count) grants already; revoke one, or wait until one is over")
        }
        guard rules.fourEyes.contains(entry.subject.kind) else {
            return .granted(grant(entry, terms ?? .once, by: [decider], reason, now))
        }
        guard let first = entry.endorsement else {
            endorse(entry, .init(decider: decider, terms: terms ?? .once, reason: reason))
            return .endorsed
        }
        guard !first.decider.isSame(as: decider) else {
            throw ApprovalRefusal(
                "\(first.decider.text) has approved it already, and it needs somebody else as well")
        }
        if let terms, terms != first.terms {
            throw ApprovalRefusal(
                "\(first.decider.text) has approved it \(first.terms.text), and both must say the same")
        }
        let reasons = [first.reason, reason].compactMap { $0 }.joined(separator: "; ")
        return .granted(
            grant(entry, first.terms, by: [first.decider, decider], reasons.isEmpty ? nil : reasons, now))
    }

    /// No, to all who wait for it.
    package mutating func deny(
        _ id: UInt64, by decider: ApprovalDecider, reason: String?, _ now: ApprovalMoment
    ) throws(ApprovalRefusal) {
        deny(try entry(id, decider, now), by: decider, reason, now)
    }

    /// Takes back what is left of a grant.
    package mutating func revoke(
        _ id: UInt64, by decider: ApprovalDecider, _ now: ApprovalMoment
    ) throws(ApprovalRefusal) {
        work(now)
        try admit(decider)
        guard grants.contains(where: { $0.id == id }) else { throw ApprovalRefusal("there is no grant \(id)") }
        end(grantsWhere: { $0.id == id }, "\(decider.text) has revoked it")
    }

    /// What waits, and what was granted, for somebody who may see it.
    /// - Parameter jail: its name, which whoever has come through another door knows from here.
    package mutating func json(
        for decider: ApprovalDecider, jail: String, _ now: ApprovalMoment
    ) throws(ApprovalRefusal) -> JSON {
        work(now)
        guard decider.maySee(jailOf: owner), decider.role.may(.see) else { throw Self.invisible }
        let grants: [JSON] = grants.map { grant in
            let left = grant.end.map { JSON.number(max(0, ($0 - now.monotonic) / 1_000_000)) } ?? .null
            return .object(
                [("id", .number(grant.id))] + grant.subject.members + [
                    ("terms", .string(grant.terms.text)), ("by", .strings(grant.by.map(\.text))),
                    ("reason", .optional(grant.reason)), ("made", .number(grant.made)), ("used", .number(grant.used)),
                    ("usesLeft", grant.left.map { .number($0) } ?? .null), ("left", left),
                ])
        }
        let waiting = entries.map { $0.json(now: now, fourEyes: rules.fourEyes.contains($0.subject.kind)) }
        return ["jail": .string(jail), "entries": .array(waiting), "grants": .array(grants)]
    }

    /// Of another tenant's jail nobody learns more than that.
    private static let invisible = ApprovalRefusal("there is no such jail")

    private func admit(_ decider: ApprovalDecider) throws(ApprovalRefusal) {
        guard decider.maySee(jailOf: owner) else { throw Self.invisible }
        guard decider.role.may(.decide) else {
            throw ApprovalRefusal("\(decider.text) is \(decider.role.rawValue), which may look, and not decide")
        }
    }

    private mutating func entry(
        _ id: UInt64, _ decider: ApprovalDecider, _ now: ApprovalMoment
    ) throws(ApprovalRefusal) -> ApprovalEntry {
        // What has run out meanwhile is not to be decided any more.
        work(now)
        try admit(decider)
        guard let entry = entries.first(where: { $0.id == id }) else {
            throw ApprovalRefusal("nothing waits under \(id); it has been decided, or nobody waits for it any more")
        }
        return entry
    }

    private mutating func endorse(_ entry: ApprovalEntry, _ endorsement: ApprovalEntry.Endorsement) {
        guard let index = entries.firstIndex(where: { $0.id == entry.id }) else { return }
        entries[index].endorsement = endorsement
        tell(.endorsed(entry.id, by: endorsement.decider, reason: endorsement.reason), entry.subject)
    }
}
