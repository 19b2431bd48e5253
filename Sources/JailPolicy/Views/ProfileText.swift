internal import JailCore

/// A profile as people read it.
package enum ProfileText {
    /// One line for each key, defaults included; the elements of a list each on a line of their own.
    ///
    /// - Parameter origins: behind each value that a file says, where it stands.
    package static func lines(_ profile: Profile, origins: ProfileOrigins? = nil) -> [String] {
        let entries = profile.entries
        let width = entries.map(\.key.utf8.count).max() ?? 0
        var lines = [profile.summary.isEmpty ? profile.name : "\(profile.name): \(profile.summary)"]
        lines += profile.files.map { "from \($0.printable)" }
        for entry in entries {
            let padding = String(repeating: " ", count: width - entry.key.utf8.count)
            let sources = entry.sources
            for (index, text) in entry.value.texts.enumerated() {
                let key = index == 0 ? entry.key + padding : String(repeating: " ", count: width)
                let source = index < sources.count ? sources[index] : ProfileSource(entry.key)
                let place = origins?.position(of: source).map { "  [\($0.file.printable):\($0.line)]" } ?? ""
                lines.append("\(key)  \(text.printable)\(place)")
            }
        }
        return lines
    }
}

extension Profile {
    /// What the profile says, key by key in the order of the tables. Its name, description and files are left out.
    package var entries: [ProfileEntry] {
        Self.table.entries(self, prefix: "").filter { $0.key != "extends" && $0.key != "description" }
    }
}

extension ProfileEntry.Value {
    /// At least one.
    fileprivate var texts: [String] {
        switch self {
        case .single(let text): [text]
        case .list(let elements): elements.isEmpty ? ["none"] : elements
        case .named(let members): members.isEmpty ? ["none"] : members.map { "\($0.name)=\($0.value)" }
        }
    }
}
