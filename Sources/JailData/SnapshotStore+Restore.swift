package import JailCore

extension SnapshotStore {
    /// Puts the content of a snapshot in the place of what is there, of which a snapshot is made first.
    ///
    /// - Parameters:
    ///   - present: the jail's directory as it is now; nil: there is none. Nobody else may change it meanwhile.
    ///   - owner: whose it shall be.
    /// - Returns: the snapshot of what was there.
    package func restore(
        _ snapshot: SnapshotManifest, to place: Replacement, _ means: Replacement.Means, of owner: DataOwner,
        present: SharedDescriptor?, path: String
    ) throws(JailError) -> SnapshotManifest? {
        let archive = try open(snapshot, as: owner)
        defer { withExtendedLifetime((archive, present)) {} }
        try place.removeUnfinished(means)
        let saved = try present.map { (tree) throws(JailError) in
            try make(
                of: tree.borrowed, path: path, profile: snapshot.profile, reason: "before '\(snapshot.id)' was restored"
            ) { Rest() }
        }
        // What could not be read as one moment saw it would be lost for good.
        if let saved, let inconsistency = saved.inconsistency {
            throw JailError(
                .data, path: path, reason: "it changes while it is saved: \(inconsistency)",
                hint: "end what writes to it; nothing was restored")
        }
        try place.replace(means) { (tree) throws(JailError) in
            try Archive.unpack(archive.borrowed, snapshot.compression, into: tree, of: owner, count: snapshot.count)
            try confirm(tree, owner, path)
        }
        return saved
    }

    /// The archive says of the directory itself what it was like; a launch refuses one that others may write to.
    private func confirm(_ tree: Descriptor, _ owner: DataOwner, _ path: String) throws(JailError) {
        try attempt(.data, path) { () throws(SystemError) in
            try System.changeMode("/proc/self/fd/\(tree.number)", 0o700)
            let status = try System.status(of: tree)
            guard status.isDirectory, status.uid == owner.uid, status.permissions & 0o077 == 0 else {
                throw SystemError(.check, .notPermitted)
            }
        }
    }
}
