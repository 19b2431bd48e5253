package import JailCore

/// What somebody else has done to a workspace since the jail was started.
package struct Conflict: Equatable, Sendable {
    package var path: FilePath
    package var reason: String

    /// Compares the workspace with what it was like then, where something is about to be changed in it.
    package static func all(
        _ chosen: [Change], _ manifest: Manifest, in lower: Descriptor
    ) throws(JailError) -> [Conflict] {
        var conflicts: [Conflict] = []
        for change in chosen {
            let expected = manifest.entries[change.path]
            let present = try status(change.path, in: lower)
            let reason: String? =
                switch (expected, present) {
                case (nil, nil): nil
                case (nil, _?): "it was made meanwhile"
                case (_?, nil): "it was removed meanwhile"
                case (let expected?, let present?): expected.isStill(present) ? nil : "it was changed meanwhile"
                }
            if let reason { conflicts.append(Conflict(path: change.path, reason: reason)) }
        }
        return conflicts
    }

    /// Ends with an error that names them.
    package static func refuse(_ conflicts: [Conflict]) throws(JailError) {
        guard let first = conflicts.first else { return }
        let others = conflicts.dropFirst().prefix(4).map { "'\($0.path.shown)'" }
        var text = first.reason
        if !others.isEmpty { text += ", and so were " + others.joined(separator: ", ") }
        if conflicts.count > 5 { text += " and \(conflicts.count - 5) more" }
        throw JailError(
            .changes, path: first.path.shown, reason: text,
            hint: "nothing was applied; leave it out, or discard that change", status: ExitStatus.refused)
    }

    static func status(_ path: FilePath, in root: Descriptor) throws(JailError) -> FileStatus? {
        do throws(SystemError) {
            let parent = try Tree.open(path.parent, below: root)
            return try withExtendedLifetime(parent) { () throws(SystemError) in
                try System.status(path.name, at: parent.borrowed)
            }
        } catch {
            if [.notFound, .notDirectory, .symlinkLoop].contains(error.errno) { return nil }
            throw JailError(.changes, error, path: path.shown)
        }
    }
}
