internal import JailCore

/// The keys of one section of a profile: the only place that knows their names.
///
/// Reading, writing, showing and the list of known keys all walk the same table, so a new key is one entry.
package struct SectionTable<Section>: Sendable {
    package let keys: [SectionKey<Section>]

    init(_ keys: [SectionKey<Section>]) { self.keys = keys }

    /// Reads an object into the section. Unknown keys are refused, absent ones leave the section as it is.
    func read(_ field: Field, into section: inout Section) throws(JailError) {
        for member in try field.members() {
            guard let key = keys.first(where: { $0.name == member.key }) else { throw unknownKey(member, in: field) }
            try key.read(field.member(member.key, member.value), &section)
        }
    }

    /// In the order of the table; absent values are left out. What is written can be read again.
    func json(_ section: Section) -> JSON {
        .object(keys.compactMap { key in key.write(section).map { (key.name, $0) } })
    }

    /// What the section says, absent values included.
    func entries(_ section: Section, prefix: String) -> [ProfileEntry] {
        keys.flatMap { $0.entries(section, prefix + $0.name) }
    }

    /// This section and those inside it, with the names of their keys.
    func sections(_ path: String) -> [KnownKeys] {
        let prefix = path.isEmpty ? "" : path + "."
        return [KnownKeys(path: path, names: keys.map(\.name))] + keys.flatMap { $0.sections(prefix + $0.name) }
    }

    private func unknownKey(_ member: JSON5Member, in field: Field) -> JailError {
        let place = field.path.isEmpty ? "the profile" : "'\(field.path)'"
        let names = keys.map(\.name)
        let hint =
            if let nearest = NearestName.find(member.key, among: names) {
                "did you mean '\(nearest)'?"
            } else if let path = Self.elsewhere(member.key) {
                "did you mean '\(path)'?"
            } else {
                "known keys: \(names.joined(separator: ", "))"
            }
        return JailError(
            .profile, operation: member.keyPosition.description.printable,
            reason: "unknown key '\(member.key.excerpt)' in \(place)", hint: hint)
    }

    /// The path of a key of another section, for one that was put into the wrong place.
    private static func elsewhere(_ key: String) -> String? {
        let sections = Profile.sections
        guard let name = NearestName.nearest(key, among: sections.flatMap(\.names), changes: 1),
            let section = sections.first(where: { $0.names.contains(name) })
        else { return nil }
        return section.path.isEmpty ? name : "\(section.path).\(name)"
    }
}

/// The names of the keys of one section; `path` is empty for the profile itself, `network.allow[]` for list elements.
package struct KnownKeys: Equatable, Sendable {
    package let path: String
    package let names: [String]

    package init(path: String, names: [String]) {
        self.path = path
        self.names = names
    }
}

/// One key of a section.
package struct SectionKey<Section>: Sendable {
    package let name: String
    let read: @Sendable (Field, inout Section) throws(JailError) -> Void
    let write: @Sendable (Section) -> JSON?
    let entries: @Sendable (Section, _ path: String) -> [ProfileEntry]
    var sections: @Sendable (_ path: String) -> [KnownKeys] = { _ in [] }

    /// A key that holds one value; `absent` is shown where `write` gives nothing, `show` replaces the JSON's own text.
    init(
        _ name: String, absent: String = "none",
        read: @escaping @Sendable (Field, inout Section) throws(JailError) -> Void,
        write: @escaping @Sendable (Section) -> JSON?,
        show: (@Sendable (Section) -> ProfileEntry.Value)? = nil
    ) {
        self.name = name
        self.read = read
        self.write = write
        entries = { section, path in
            let value = show?(section) ?? write(section).map(ProfileEntry.Value.init) ?? .single(absent)
            return [ProfileEntry(key: path, value: value)]
        }
    }

    /// A key that holds a section with a table of its own; `check` sees the section as a whole.
    init<Inner: Sendable>(
        _ name: String, _ table: SectionTable<Inner>, get: @escaping @Sendable (Section) -> Inner,
        set: @escaping @Sendable (inout Section, Inner) -> Void,
        check: @escaping @Sendable (Field, Inner) throws(JailError) -> Void = { (_, _) throws(JailError) in }
    ) {
        self.name = name
        read = { (field, section) throws(JailError) in
            var inner = get(section)
            try table.read(field, into: &inner)
            try check(field, inner)
            set(&section, inner)
        }
        write = { table.json(get($0)) }
        entries = { table.entries(get($0), prefix: $1 + ".") }
        sections = { table.sections($0) }
    }

    /// Says that the key's value, or each element of it (`suffix` is `[]`), may be an object with this table.
    func holding<Inner>(_ table: SectionTable<Inner>, suffix: String = "") -> SectionKey {
        var copy = self
        copy.sections = { table.sections($0 + suffix) }
        return copy
    }
}
