package import JailCore

extension SnapshotStore {
    /// How far the files of a snapshot were at rest.
    package struct Rest {
        /// Why they may have changed meanwhile; nil: they could not.
        package var doubt: String?

        package init(doubt: String? = nil) { self.doubt = doubt }
    }

    /// Packs a tree. Nothing of it stays where something fails.
    ///
    /// - Parameters:
    ///   - tree: the jail's directory.
    ///   - rest: asked when everything has been read.
    package func make(
        of tree: Descriptor, path: String, profile: String?, reason: String? = nil, rest: () -> Rest
    ) throws(JailError) -> SnapshotManifest {
        let owner = try DataOwner(of: tree, path: path)
        let time = System.realtimeSeconds()
        let compression = Compression.best
        var manifest = SnapshotManifest(
            id: try newID(time), jail: jail, profile: profile, time: time, compression: compression, size: 0,
            checksum: "", count: 0, inconsistency: nil, reason: reason)
        do throws(JailError) {
            let draft = try makeDraft(manifest.archiveName)
            defer { withExtendedLifetime(draft) {} }
            let packed = try Archive.pack(tree, of: owner, into: draft.borrowed, compression)
            manifest.count = packed.count
            // Whoever changed something while it was read may have changed more.
            manifest.inconsistency = rest().doubt ?? packed.change
            let reading = try attempt(.data, self.path) { () throws(SystemError) in
                SharedDescriptor(try System.open("/proc/self/fd/\(draft.borrowed.number)", [.readOnly]))
            }
            defer { withExtendedLifetime(reading) {} }
            manifest.checksum = try Archive.checksum(of: reading.borrowed, for: owner)
            manifest.size = try attempt(.data, self.path) { () throws(SystemError) in
                try System.status(of: draft.borrowed).size
            }
            try commit(draft.borrowed, named: manifest.archiveName)
            try write(manifest)
        } catch {
            for name in [manifest.archiveName, manifest.fileName] {
                try? remove(name + Self.draftSuffix)
                try? remove(name)
            }
            throw error
        }
        return manifest
    }
}
