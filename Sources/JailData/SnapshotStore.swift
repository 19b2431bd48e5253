package import JailCore

/// Where the snapshots of one jail lie: `snapshots/NAME` in clawjail's state directory, for nobody else.
///
/// A snapshot is there once its manifest is: the archive has its name, and is on the disk, before that. What something that
/// was killed has left, the next one who may change anything here removes.
package final class SnapshotStore {
    package let jail: String
    package let path: String
    let directory: SharedDescriptor
    private var lock: SharedDescriptor?

    static let draftSuffix = ".new"
    private static let lockName = "lock"

    /// - Parameter path: of the directory, which is there.
    package init(_ path: String, of jail: String) throws(JailError) {
        self.jail = jail
        self.path = path
        directory = try attempt(.data, path) { () throws(SystemError) in
            SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
        }
        let status = try attempt(.data, path) { () throws(SystemError) in try System.status(of: directory.borrowed) }
        guard status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
            throw JailError(
                .data, path: path, reason: "it must be a directory of this user's own with mode 0700",
                status: ExitStatus.configuration)
        }
    }

    /// From here on nobody else changes anything here. Removes what others did not bring to an end.
    package func takeLock() throws(JailError) {
        let file = try attempt(.data, "\(path)/\(Self.lockName)") { () throws(SystemError) in
            SharedDescriptor(
                try System.open(
                    Self.lockName, [.writeOnly, .create, .noFollow], mode: 0o600, at: directory.borrowed))
        }
        defer { withExtendedLifetime(file) {} }
        let isOurs = try attempt(.data, path) { () throws(SystemError) in
            try System.tryLock(file.borrowed, .exclusive)
        }
        guard isOurs else {
            throw JailError(
                .data, reason: "somebody else is at the snapshots of '\(jail)' just now", hint: "try again later",
                status: ExitStatus.exists)
        }
        lock = file
        try removeUnfinished()
    }

    /// Somebody else may change something from here on.
    func releaseLock() { lock = nil }

    private func removeUnfinished() throws(JailError) {
        let names = try names()
        let archives = Compression.allCases.map { "." + $0.suffix }
        for name in names {
            let isUnfinished =
                name.hasSuffix(Self.draftSuffix)
                || archives.contains { suffix in
                    name.hasSuffix(suffix)
                        && !names.contains(String(name.dropLast(suffix.count)) + SnapshotManifest.suffix)
                }
            if isUnfinished { try remove(name) }
        }
    }

    private func names() throws(JailError) -> [String] {
        try attempt(.data, path) { () throws(SystemError) in
            // By another descriptor: one that has been read to its end stays there.
            let directory = SharedDescriptor(try System.open(".", [.readOnly, .directory], at: directory.borrowed))
            return try withExtendedLifetime(directory) { () throws(SystemError) in
                try System.names(in: directory.borrowed).map(\.name)
            }
        }
    }

    // MARK: Reading

    /// The snapshots, the oldest first, and the names of those whose manifests cannot be read.
    package func all() throws(JailError) -> (snapshots: [SnapshotManifest], unreadable: [String]) {
        var snapshots: [SnapshotManifest] = []
        var unreadable: [String] = []
        for name in try names() where name.hasSuffix(SnapshotManifest.suffix) {
            let id = String(name.dropLast(SnapshotManifest.suffix.count))
            if SnapshotManifest.isID(id), let bytes = try? System.readFile(name, at: directory.borrowed),
                let manifest = SnapshotManifest(bytes, id: id, jail: jail)
            {
                snapshots.append(manifest)
            } else {
                unreadable.append(id.printable)
            }
        }
        snapshots.sort { $0.order < $1.order }
        return (snapshots, unreadable.sorted())
    }

    /// - Parameter id: nil: the newest one.
    package func snapshot(_ id: String?) throws(JailError) -> SnapshotManifest {
        let (snapshots, unreadable) = try all()
        if let id, unreadable.contains(id) {
            throw JailError(.data, reason: "the manifest of snapshot '\(id)' cannot be read")
        }
        guard let found = id == nil ? snapshots.last : snapshots.first(where: { $0.id == id }) else {
            throw JailError(
                .data,
                reason: id.map { "there is no snapshot '\($0.printable)' of '\(jail)'" }
                    ?? "there is no snapshot of '\(jail)'",
                hint: "'clawjail data list \(jail)' lists them", status: ExitStatus.notThere)
        }
        return found
    }

    /// The archive, once it is what it was when it was made.
    ///
    /// - Parameter reader: as whom it is read.
    /// - Throws: what is wrong with it.
    package func open(_ snapshot: SnapshotManifest, as reader: DataOwner) throws(JailError) -> SharedDescriptor {
        let path = "\(path)/\(snapshot.archiveName)"
        let file = try attempt(.data, path) { () throws(SystemError) in
            SharedDescriptor(try System.open(snapshot.archiveName, [.readOnly, .noFollow], at: directory.borrowed))
        }
        defer { withExtendedLifetime(file) {} }
        let status = try attempt(.data, path) { () throws(SystemError) in try System.status(of: file.borrowed) }
        guard status.kind == .regular, status.size == snapshot.size else {
            throw JailError(
                .data, path: path, reason: "it has \(status.size) bytes, and had \(snapshot.size) when it was made")
        }
        guard try Archive.checksum(of: file.borrowed, for: reader) == snapshot.checksum else {
            throw JailError(.data, path: path, reason: "it has changed since it was made: its SHA-256 is another one")
        }
        // A file of its own: the checksum has read the other one to its end.
        return try attempt(.data, path) { () throws(SystemError) in
            SharedDescriptor(try System.open("/proc/self/fd/\(file.borrowed.number)", [.readOnly]))
        }
    }

    // MARK: Changing

    /// Gives a finished draft its name, for good.
    func commit(_ draft: Descriptor, named name: String) throws(JailError) {
        try attempt(.data, "\(path)/\(name)") { () throws(SystemError) in
            try System.synchronize(draft)
            try System.rename(name + Self.draftSuffix, to: name, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
        }
    }

    func makeDraft(_ name: String) throws(JailError) -> SharedDescriptor {
        try attempt(.data, "\(path)/\(name)") { () throws(SystemError) in
            SharedDescriptor(
                try System.open(
                    name + Self.draftSuffix, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600,
                    at: directory.borrowed))
        }
    }

    func write(_ manifest: SnapshotManifest) throws(JailError) {
        let draft = try makeDraft(manifest.fileName)
        defer { withExtendedLifetime(draft) {} }
        try attempt(.data, "\(path)/\(manifest.fileName)") { () throws(SystemError) in
            try System.writeAll(draft.borrowed, manifest.json.text(pretty: true) + "\n")
        }
        try commit(draft.borrowed, named: manifest.fileName)
    }

    /// The manifest first: without it the archive is nobody's.
    package func remove(_ snapshot: SnapshotManifest) throws(JailError) {
        try remove(snapshot.fileName)
        try remove(snapshot.archiveName)
        try attempt(.data, path) { () throws(SystemError) in try System.synchronize(directory.borrowed) }
    }

    func remove(_ name: String) throws(JailError) {
        do throws(SystemError) { try System.unlink(name, at: directory.borrowed) } catch {
            guard error.errno == .notFound else { throw JailError(.data, error, path: "\(path)/\(name)") }
        }
    }

    /// A name that no snapshot has yet.
    func newID(_ time: Int64) throws(JailError) -> String {
        let taken = try names()
        let first = UTCTime.compact(time)
        var id = first
        var number = 1
        while taken.contains(where: { $0.hasPrefix(id + ".") }) {
            number += 1
            id = "\(first)-\(number)"
        }
        return id
    }
}
