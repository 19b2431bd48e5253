package import JailCore

/// Finds a profile, follows `extends`, merges, and decodes.
package struct ProfileLoader: Sendable {
    /// Where profiles are looked for by name, the first match counts. A directory need not exist.
    package var directories: [String]
    /// The uids that a profile may belong to: root's and the caller's.
    package var owners: [UInt32]
    /// What `~` in a profile stands for; nil if the caller has no home directory.
    package var home: String?

    /// Profiles in an `extends` chain.
    package static let depthLimit = 8

    package init(directories: [String], owners: [UInt32], home: String?) {
        self.directories = directories
        self.owners = owners
        self.home = home
    }

    /// `argument` is a name, or a file if it contains `/` or ends in `.json5`. Errors are of the stage `profile`.
    package func load(_ argument: String) throws(JailError) -> Profile { try loadWithOrigins(argument).profile }

    /// The same, with the place that each value comes from.
    package func loadWithOrigins(
        _ argument: String
    ) throws(JailError) -> (profile: Profile, origins: ProfileOrigins) {
        let file = try readFirst(argument)
        // The root of the chain first, so that a child has the last word.
        let chain = [file] + (try readParents(of: file))
        var tree = JSON5Value(.object([]), at: file.content.position)
        var profile = Profile(name: file.name)
        for file in chain.reversed() {
            tree = try ProfileMerge.merge(profile: tree, child: file.content)
            // Every profile of the chain must be right by itself: no child hides what is wrong in its parent.
            profile = try Self.decode(tree, name: file.name, home: home)
        }
        profile.files = chain.reversed().map(\.path)
        return (profile, ProfileOrigins(tree, home: home))
    }

    /// The names that can be loaded, sorted, with the file that counts for each. Unreadable directories have none.
    package func available() -> [(name: String, path: String)] {
        var found: [String: String] = [:]
        for directory in directories {
            for name in names(in: directory) where found[name] == nil {
                found[name] = "\(directory)/\(name)\(ProfileFile.suffix)"
            }
        }
        return found.sorted { $0.key < $1.key }.map { (name: $0.key, path: $0.value) }
    }

    /// The name of the profile that one extends; nil: none.
    package func parent(of name: String) throws(JailError) -> String? { try parent(of: readFirst(name))?.name }

    /// Reads a profile from its whole tree. `extends` is checked by ``load(_:)`` alone and means nothing here.
    package static func decode(_ tree: JSON5Value, name: String, home: String?) throws(JailError) -> Profile {
        var profile = Profile(name: name)
        try Profile.table.read(Field(value: tree, path: "", home: home), into: &profile)
        try profile.spend?.check(profile.network)
        try profile.secrets.check(profile, tree)
        try profile.canaries.check(profile, tree)
        try profile.commands.check(profile, tree)
        try profile.restart.check(profile.health)
        return profile
    }

    // MARK: The chain

    /// The parent, its parent, and so on.
    private func readParents(of file: ProfileFile) throws(JailError) -> [ProfileFile] {
        var chain = [file]
        while let file = chain.last, let parent = try parent(of: file) {
            let next = try readNamed(parent.name, extendedAt: parent.position)
            let names = (chain.map(\.name) + [next.name]).joined(separator: " → ")
            guard !chain.contains(where: { $0.identity == next.identity }) else {
                throw JailError(
                    .profile, operation: parent.position.description.printable,
                    reason: "'extends' goes in a circle: \(names)")
            }
            guard chain.count < Self.depthLimit else {
                throw JailError(
                    .profile, operation: parent.position.description.printable,
                    reason: "'extends' goes through more than \(Self.depthLimit) profiles: \(names)")
            }
            chain.append(next)
        }
        return Array(chain.dropFirst())
    }

    private func parent(of file: ProfileFile) throws(JailError) -> (name: String, position: SourcePosition)? {
        let field = Field(value: file.content, path: "", home: home)
        _ = try field.members()
        try ProfileMerge.refuseNulls(in: file.content)
        guard let value = file.content["extends"] else { return nil }
        return (try field.member("extends", value).name(Name.checkProfile), value.position)
    }

    private func readFirst(_ argument: String) throws(JailError) -> ProfileFile {
        guard argument.utf8.contains(UInt8(ascii: "/")) || argument.hasSuffix(ProfileFile.suffix) else {
            return try readNamed(argument, extendedAt: nil)
        }
        let base = argument.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
        let name = base.hasSuffix(ProfileFile.suffix) ? String(base.dropping(last: ProfileFile.suffix.utf8.count)) : ""
        guard (try? Name.checkProfile(name)) != nil else {
            throw JailError(
                .profile, path: argument,
                reason: "a profile's file is called NAME.json5, NAME being of a-z, 0-9, '_' and '-', at most 64")
        }
        guard let file = try ProfileFile.read(path: argument, name: name, label: argument, owners: owners) else {
            throw JailError(.profile, path: argument, reason: "no such file")
        }
        return file
    }

    private func readNamed(_ name: String, extendedAt position: SourcePosition?) throws(JailError) -> ProfileFile {
        do throws(ValueError) {
            try Name.checkProfile(name)
        } catch {
            throw JailError(
                .profile, operation: position?.description.printable, reason: "a profile's name \(error.reason)")
        }
        for directory in directories {
            let base = name + ProfileFile.suffix
            let file = try ProfileFile.read(path: "\(directory)/\(base)", name: name, label: base, owners: owners)
            // A file that is there and must not be used ends the search: the next directory's would be another profile.
            if let file { return file }
        }
        throw notFound(name, extendedAt: position)
    }

    // MARK: Names

    private func notFound(_ name: String, extendedAt position: SourcePosition? = nil) -> JailError {
        let known = available().map(\.name)
        let hint =
            if let nearest = NearestName.find(name, among: known) {
                "did you mean '\(nearest)'?"
            } else if known.isEmpty {
                "there are none in \(directories.joined(separator: ", ").printable)"
            } else {
                "known profiles: \(known.joined(separator: ", "))"
            }
        return JailError(
            .profile, operation: position?.description.printable, reason: "no profile is called '\(name.excerpt)'",
            hint: hint)
    }

    private func names(in directory: String) -> [String] {
        guard let opened = try? System.open(directory, [.readOnly, .directory]),
            let entries = try? System.names(in: opened.borrowed, limit: 10_000)
        else { return [] }
        return entries.map(\.name).filter { $0.hasSuffix(ProfileFile.suffix) }
            .map { String($0.dropping(last: ProfileFile.suffix.utf8.count)) }
            .filter { (try? Name.checkProfile($0)) != nil }
    }
}
