package import JailCore

/// What a workspace was like when the jail was started: enough to see that something in it is another one since.
package struct Manifest: Equatable, Sendable {
    /// What the kernel says of one file. Whoever changes it, in whatever way, cannot keep `changed` what it was.
    package struct Entry: Equatable, Sendable {
        package var mode: UInt32
        package var inode: UInt64
        package var size: UInt64
        package var modified: FileTime
        package var changed: FileTime
        package var uid: UInt32
        package var gid: UInt32

        package init(_ status: FileStatus) {
            mode = status.mode
            inode = status.identity.inode
            size = status.size
            modified = status.modifiedAt
            changed = status.changedAt
            uid = status.uid
            gid = status.gid
        }

        var isDirectory: Bool { mode & 0o170000 == 0o040000 }

        /// Whether it is still that file. Of a directory only that it is that directory, and its permissions: what is in it
        /// is known by itself.
        func isStill(_ status: FileStatus) -> Bool {
            let now = Entry(status)
            if isDirectory { return now.inode == inode && now.mode == mode && now.uid == uid && now.gid == gid }
            return now == self
        }
    }

    /// The workspace on the host.
    package var source: String
    /// Its inode.
    package var root: UInt64
    /// Bytes that changes may take.
    package var size: UInt64
    package var entries: [FilePath: Entry] = [:]

    package init(source: String, root: UInt64, size: UInt64) {
        self.source = source
        self.root = root
        self.size = size
    }

    // MARK: Looking

    /// More files than this are too many to be looked at before each start.
    package static let mostEntries = 500_000
    static let deepest = 128

    /// Looks at all that is there. What cannot be opened, or is another file system, is known by itself only: the payload
    /// sees no more of it.
    package static func take(of tree: Descriptor, source: String, size: UInt64) throws(JailError) -> Manifest {
        let root = try attempt(.changes, source) { () throws(SystemError) in try System.status(of: tree) }
        var manifest = Manifest(source: source, root: root.identity.inode, size: size)
        try manifest.add(tree, at: .root, depth: 0)
        return manifest
    }

    private mutating func add(_ directory: Descriptor, at path: FilePath, depth: Int) throws(JailError) {
        let names = try attempt(.changes, path.shown) { () throws(SystemError) in
            try System.entries(in: directory, limit: Self.mostEntries).map(\.name)
        }
        for name in names {
            let place = path.appending(name)
            guard let status = try Tree.status(name, at: directory, place) else { continue }
            entries[place] = Entry(status)
            guard entries.count <= Self.mostEntries else {
                throw JailError(
                    .changes, path: source, reason: "more than \(Self.mostEntries) files lie in it",
                    hint: "review a directory below it")
            }
            guard status.isDirectory, depth < Self.deepest else { continue }
            guard let below = try Self.open(name, at: directory, place) else { continue }
            defer { withExtendedLifetime(below) {} }
            try add(below.borrowed, at: place, depth: depth + 1)
        }
    }

    /// nil: it cannot be looked into.
    private static func open(
        _ name: [UInt8], at directory: Descriptor, _ path: FilePath
    ) throws(JailError) -> SharedDescriptor? {
        do throws(SystemError) {
            return SharedDescriptor(try System.open(name: name, [.readOnly, .directory], at: directory))
        } catch {
            if [.accessDenied, .crossDevice, .notFound, .notDirectory, .symlinkLoop].contains(error.errno) {
                return nil
            }
            throw JailError(.changes, error, path: path.shown)
        }
    }

    // MARK: Later starts

    /// What is known of a workspace that is looked at anew: of what was changed, and of what lies below something that was
    /// removed or replaced, what was known before. All else the payload has never had another version of.
    package func keeping(_ earlier: Manifest, of changes: [Change]) -> Manifest {
        var result = self
        let kept = Set(changes.map(\.path))
        let trees = changes.filter { $0.before?.kind == .directory && $0.kind != .mode }.map(\.path)
        func isKept(_ path: FilePath) -> Bool {
            kept.contains(path) || trees.contains { path.isWithin($0) }
        }
        result.entries = entries.filter { !isKept($0.key) }
        for (path, entry) in earlier.entries where isKept(path) { result.entries[path] = entry }
        return result
    }
}
