package import JailCore

/// A value of a profile, as `profile show` has it.
package struct ProfileSource: Hashable, Sendable {
    /// `filesystem.read`
    package var key: String
    /// The element, for a key that is a list.
    package var value: String?

    package init(_ key: String, _ value: String? = nil) {
        self.key = key
        self.value = value
    }
}

/// Which file, and which line of it, each value of a merged profile comes from.
package struct ProfileOrigins: Sendable {
    private let tree: JSON5Value
    private let home: String?

    /// - Parameters:
    ///   - tree: of the whole chain, merged. Values in it keep the place that they come from.
    ///   - home: what `~` stands for.
    init(_ tree: JSON5Value, home: String?) {
        self.tree = tree
        self.home = home
    }

    /// Where a value stands. nil: no file says it, and it is the default (or comes from the command line).
    package func position(of source: ProfileSource) -> SourcePosition? {
        guard let value = value(at: source.key) else { return nil }
        guard let text = source.value else { return value.position }
        switch value.content {
        case .array(let elements):
            return elements.first { shown($0, as: source.key).contains(text) }?.position ?? value.position
        case .object(let members):
            return members.first { text.hasPrefix("\($0.key)=") }?.value.position ?? value.position
        default: return value.position
        }
    }

    /// Every value that the files say, in the order of the keys.
    package func all(of profile: Profile) -> [(source: ProfileSource, position: SourcePosition)] {
        profile.entries.flatMap { entry in
            entry.sources.compactMap { source in position(of: source).map { (source: source, position: $0) } }
        }
    }

    package func json(of profile: Profile) -> JSON {
        .array(
            all(of: profile).map { source, position in
                [
                    "key": .string(source.key), "value": .optional(source.value), "file": .string(position.file),
                    "line": .number(position.line), "column": .number(position.column),
                ]
            })
    }

    private func value(at key: String) -> JSON5Value? {
        var value: JSON5Value? = tree
        for name in key.split(separator: ".") { value = value?[String(name)] }
        return value
    }

    /// What one element of a list is as people see it: that of a profile which says nothing else.
    private func shown(_ element: JSON5Value, as key: String) -> [String] {
        var value = JSON5Value(.array([element]), at: element.position)
        for name in key.split(separator: ".").reversed() {
            let member = JSON5Member(key: String(name), keyPosition: element.position, value: value)
            value = JSON5Value(.object([member]), at: element.position)
        }
        var profile = Profile(name: "")
        guard (try? Profile.table.read(Field(value: value, path: "", home: home), into: &profile)) != nil else {
            return []
        }
        return profile.entries.first { $0.key == key }?.value.elements ?? []
    }
}

extension ProfileEntry {
    /// The key with each of its elements, or alone where its value is a single one.
    package var sources: [ProfileSource] {
        switch value {
        case .single: [ProfileSource(key)]
        case .list(let elements): elements.map { ProfileSource(key, $0) }
        case .named(let members): members.map { ProfileSource(key, "\($0.name)=\($0.value)") }
        }
    }
}
