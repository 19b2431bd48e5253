internal import JailCore

/// What one profile says that another does not.
package enum ProfileDiff {
    /// What a change does to a key.
    package enum Change: Equatable, Sendable {
        case added(String)
        case removed(String)
        case changed(from: String, to: String)
    }

    package struct Line: Equatable, Sendable, CustomStringConvertible {
        package let key: String
        package let change: Change

        /// `+ network.publish 127.0.0.1:18789 → 18789`, `- …`, or `~ limits.memory 512M → 1G`.
        package var description: String {
            switch change {
            case .added(let text): "+ \(key) \(text.printable)"
            case .removed(let text): "- \(key) \(text.printable)"
            case .changed(let old, let new): "~ \(key) \(old.printable) → \(new.printable)"
            }
        }
    }

    /// What leads from one profile to the other, in the order of the keys; empty if both say the same. The order of
    /// elements in lists means nothing, nor do name, description and files.
    package static func lines(from old: Profile, to new: Profile) -> [Line] {
        zip(old.entries, new.entries).flatMap { before, after in
            changes(before.value, after.value).map { Line(key: before.key, change: $0) }
        }
    }

    private static func changes(_ old: ProfileEntry.Value, _ new: ProfileEntry.Value) -> [Change] {
        switch (old, new) {
        case (.single(let old), .single(let new)): old == new ? [] : [.changed(from: old, to: new)]
        case (.named(let old), .named(let new)): named(old, new)
        default: list(old.elements, new.elements)
        }
    }

    private static func list(_ old: [String], _ new: [String]) -> [Change] {
        old.filter { !new.contains($0) }.map(Change.removed) + new.filter { !old.contains($0) }.map(Change.added)
    }

    private static func named(_ old: [ProfileEntry.Named], _ new: [ProfileEntry.Named]) -> [Change] {
        let gone = old.filter { member in !new.contains { $0.name == member.name } }
        let others = new.compactMap { member -> Change? in
            guard let before = old.first(where: { $0.name == member.name }) else { return .added(member.text) }
            return before.value == member.value ? nil : .changed(from: before.text, to: member.value)
        }
        return gone.map { .removed($0.text) } + others
    }
}

extension ProfileEntry.Named {
    fileprivate var text: String { "\(name)=\(value)" }
}

extension ProfileEntry.Value {
    /// A list that is absent as a whole, such as `network.listen`, is one element: what its absence means.
    var elements: [String] {
        switch self {
        case .single(let text): [text]
        case .list(let elements): elements
        case .named(let members): members.map(\.text)
        }
    }
}
