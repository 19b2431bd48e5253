package import JailCore
internal import JailPolicy

/// How far an approval goes: how often, for how long, and below which path.
package struct ApprovalTerms: Hashable, Sendable {
    /// nil: as often as is asked.
    package var uses: UInt64?
    /// Milliseconds from the decision on; nil: until the jail ends.
    package var time: UInt64?
    /// Of a request, besides the path that was asked for: those below this one. Ends with `/`.
    package var below: String?

    package static let once = ApprovalTerms(uses: 1)
    package static let mostUses: UInt64 = 1000
    /// In milliseconds: one day.
    package static let longest: UInt64 = 86_400_000

    package init(uses: UInt64? = nil, time: UInt64? = nil, below: String? = nil) {
        self.uses = uses
        self.time = time
        self.below = below
    }

    /// Why these are none that could be granted for that; nil: they are.
    func refusal(for subject: ApprovalSubject) -> String? {
        if let uses, !(1...Self.mostUses).contains(uses) { return "uses are from 1 to \(Self.mostUses)" }
        if let time, !(1000...Self.longest).contains(time) {
            return "a time is from 1s to \(TimeSpan.format(Self.longest)); until the jail ends is another thing to say"
        }
        guard let below else { return nil }
        guard case .network(let network) = subject else { return "only requests have paths" }
        guard let path = CanonicalPath(target: below), path.query == nil, path.path == below, below.hasSuffix("/")
        else {
            return "the path above must be as requests have it, and end with '/'"
        }
        return network.path.path.hasPrefix(below) ? nil : "what is asked for is not below '\(below.excerpt)'"
    }

    /// Whether a question is one that a grant for the other answers.
    func cover(_ asked: ApprovalSubject, as granted: ApprovalSubject) -> Bool {
        if asked == granted { return true }
        guard let below, case .network(var one) = asked, case .network(let other) = granted,
            one.path.path.hasPrefix(below)
        else { return false }
        one.path = other.path
        return one == other
    }

    /// `once`, `3 times within 5m`, `until the jail ends`.
    package var text: String {
        let count = uses.map { $0 == 1 ? "once" : "\($0) times" }
        let span = time.map { "\(count == nil ? "for" : "within") \(TimeSpan.format($0))" }
        let extent = [count, span].compactMap { $0 }.joined(separator: " ")
        let scope = below.map { ", also for paths below \($0)" } ?? ""
        return (extent.isEmpty ? "until the jail ends" : extent) + scope.printable
    }

    package var members: [(String, JSON)] {
        var members: [(String, JSON)] = []
        if let uses { members.append(("uses", .number(uses))) }
        if let time { members.append(("milliseconds", .number(time))) }
        if let below { members.append(("below", .string(below))) }
        return members
    }
}
