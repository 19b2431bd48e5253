package import JailCore

/// The shipped profiles, each with the one that it extends: who stands one rung above whom.
///
/// A rung only adds to the one below it, since lists of a profile only grow: so a step up takes nothing away that works.
package struct ProfileLadder: Equatable, Sendable {
    /// By name; nil: the lowest, or apart from the ladder.
    package let parents: [String: String?]

    package init(parents: [String: String?]) { self.parents = parents }

    /// - Parameter loader: looks where the shipped profiles are, and nowhere else: what a user calls `shell` is no rung.
    package init(_ loader: ProfileLoader) throws(JailError) {
        var parents: [String: String?] = [:]
        for entry in loader.available() { parents[entry.name] = .some(try loader.parent(of: entry.name)) }
        self.init(parents: parents)
    }

    package func isRung(_ name: String) -> Bool { parents[name] != nil }

    /// Those that extend it directly, sorted.
    package func above(_ name: String) -> [String] { parents.filter { $0.value == name }.map(\.key).sorted() }

    /// The one that it extends; nil: none.
    package func below(_ name: String) -> String? { parents[name] ?? nil }

    /// - Throws: unless `new` is the next rung above `old`.
    package func checkStep(from old: String, to new: String) throws(JailError) {
        guard isRung(new) else {
            throw refusal(
                "'\(new.printable)' is no rung of the ladder", near: NearestName.find(new, among: Array(parents.keys)))
        }
        if below(new) == old { return }
        guard old != new else { throw refusal("it stands on '\(old)' already", from: old) }
        if chain(below: new).contains(old) {
            throw refusal("'\(new)' is more than one rung above '\(old)', and it is one at a time", from: old)
        }
        if chain(below: old).contains(new) {
            throw JailError(.profile, reason: "'\(new)' is below '\(old)'", hint: "clawjail demote goes down")
        }
        throw JailError(
            .profile, reason: "'\(new)' stands beside '\(old)', not above it: it would take away what '\(old)' allows",
            hint: "add what you need of it to the profile itself: clawjail profile diff \(old) \(new)")
    }

    private func refusal(_ reason: String, near: String? = nil, from old: String? = nil) -> JailError {
        let next = old.map(above) ?? []
        let hint =
            near.map { "did you mean '\($0)'?" }
            ?? (next.isEmpty ? nil : "above '\(old ?? "")': \(next.joined(separator: ", "))")
        return JailError(.profile, reason: reason, hint: hint)
    }

    /// What it extends, what that extends, and so on. The loader has refused circles; this ends in any case.
    private func chain(below name: String) -> [String] {
        var chain: [String] = []
        var next = below(name)
        while let parent = next, !chain.contains(parent) {
            chain.append(parent)
            next = below(parent)
        }
        return chain
    }
}
