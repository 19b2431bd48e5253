package import JailCore

extension Profile {
    /// What a profile says that extends this one with these changes. Errors are of the stage `profile`.
    ///
    /// - Parameter home: what `~` stands for.
    package func adding(_ changes: [ProfileChange], home: String? = nil) throws(JailError) -> Profile {
        var tree = try Self.tree(json.text())
        for change in changes {
            tree = try ProfileMerge.merge(profile: tree, child: try Self.tree("{ \(change.text) }"))
        }
        var result = try ProfileLoader.decode(tree, name: name, home: home)
        result.files = files
        return result
    }

    private static func tree(_ text: String) throws(JailError) -> JSON5Value {
        do throws(JSON5Error) {
            return try JSON5Reader.read(Array(text.utf8), file: "change")
        } catch {
            throw JailError(.profile, operation: error.position.description, reason: error.reason)
        }
    }
}
