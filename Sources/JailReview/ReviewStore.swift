package import JailCore
internal import JailPlan

/// What is kept of one jail's workspace: `changes/NAME` in clawjail's state directory, for nobody else.
///
///     layer/upper  what was changed     layer/work  the kernel's
///     manifest     what the workspace was like     journal  what is being applied
package final class ReviewStore {
    package let path: String
    let directory: SharedDescriptor
    private var lock: SharedDescriptor?

    private static let lockName = "lock"
    private static let manifestName = "manifest"
    private static let journalName = "journal"
    /// What is being removed.
    static let trashName = "trash"
    /// Bytes of a file that is kept here.
    private static let mostBytes = 512 << 20

    /// - Parameter path: of the directory, which is there.
    package init(_ path: String) throws(JailError) {
        self.path = path
        do throws(SystemError) {
            directory = SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
        } catch {
            guard error.errno == .notFound else { throw JailError(.changes, error, path: path) }
            throw JailError(
                .changes, path: path, reason: "there is no workspace to be reviewed of a jail of that name",
                status: ExitStatus.notThere)
        }
        let status = try attempt(.changes, path) { () throws(SystemError) in try System.status(of: directory.borrowed) }
        guard status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
            throw JailError(
                .changes, path: path, reason: "it must be a directory of this user's own with mode 0700",
                status: ExitStatus.configuration)
        }
    }

    /// From here on nobody else changes anything here.
    package func takeLock() throws(JailError) {
        let file = try attempt(.changes, path) { () throws(SystemError) in
            SharedDescriptor(
                try System.open(Self.lockName, [.writeOnly, .create, .noFollow], mode: 0o600, at: directory.borrowed))
        }
        let isOurs = try attempt(.changes, path) { () throws(SystemError) in
            try System.tryLock(file.borrowed, .exclusive)
        }
        guard isOurs else {
            throw JailError(
                .changes, path: path, reason: "somebody else is at these changes just now", hint: "try again later",
                status: ExitStatus.exists)
        }
        lock = file
    }

    /// Removes it as a whole, and what was changed with it: of a jail that was made to be looked at.
    package func remove() throws(JailError) {
        try attempt(.changes, path) { () throws(SystemError) in
            try Tree.empty(directory.borrowed)
            try System.unlink(path, isDirectory: true)
        }
    }

    // MARK: What was changed

    /// The layer's directory with what was changed.
    package func upper() throws(JailError) -> SharedDescriptor {
        let path = "\(ReviewPlan.layerName)/\(OverlayPlan.upper)"
        return try attempt(.changes, "\(self.path)/\(path)") { () throws(SystemError) in
            let place = try System.open(
                path, [.pathOnly, .directory, .noFollow], at: directory.borrowed, resolve: [.beneath, .noSymlinks])
            let permissions = try System.status(of: place.borrowed).permissions
            // The payload may have taken its own permissions for the workspace away.
            if permissions & 0o700 != 0o700 {
                try System.changeMode("/proc/self/fd/\(place.borrowed.number)", permissions | 0o700)
            }
            return SharedDescriptor(try System.open(".", [.readOnly, .directory], at: place.borrowed))
        }
    }

    /// Where directories that are nested too deeply are moved to be removed.
    func trash() throws(JailError) -> SharedDescriptor {
        try attempt(.changes, "\(path)/\(Self.trashName)") { () throws(SystemError) in
            do throws(SystemError) {
                try System.makeDirectory(Self.trashName, mode: 0o700, at: directory.borrowed)
            } catch { guard error.errno == .exists else { throw error } }
            return SharedDescriptor(
                try System.open(Self.trashName, [.readOnly, .directory, .noFollow], at: directory.borrowed))
        }
    }

    /// The workspace that the manifest is of.
    package static func open(_ manifest: Manifest) throws(JailError) -> SharedDescriptor {
        try open(manifest.source, root: manifest.root)
    }

    static func open(_ source: String, root: UInt64) throws(JailError) -> SharedDescriptor {
        let tree = try attempt(.changes, source) { () throws(SystemError) in
            SharedDescriptor(try System.open(source, [.readOnly, .directory], resolve: [.noSymlinks, .noMagicLinks]))
        }
        let status = try attempt(.changes, source) { () throws(SystemError) in try System.status(of: tree.borrowed) }
        guard status.identity.inode == root else {
            throw JailError(
                .changes, path: source, reason: "it is not the directory that was shown to the jail",
                hint: "move that one back, or discard the changes", status: ExitStatus.refused)
        }
        return tree
    }

    // MARK: Files

    /// nil: there is none.
    package func manifest() throws(JailError) -> Manifest? {
        guard let bytes = try read(Self.manifestName) else { return nil }
        guard let manifest = Manifest(bytes) else { throw broken(Self.manifestName) }
        return manifest
    }

    package func write(_ manifest: Manifest) throws(JailError) {
        try write(manifest.text, Self.manifestName)
    }

    /// nil: nothing is being done.
    func journal() throws(JailError) -> Journal? {
        guard let bytes = try read(Self.journalName) else { return nil }
        guard let journal = Journal(bytes) else { throw broken(Self.journalName) }
        return journal
    }

    func write(_ journal: Journal) throws(JailError) { try write(journal.text, Self.journalName) }

    func removeJournal() throws(JailError) {
        try attempt(.changes, "\(path)/\(Self.journalName)") { () throws(SystemError) in
            try System.unlink(Self.journalName, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
        }
    }

    private func broken(_ name: String) -> JailError {
        JailError(
            .changes, path: "\(path)/\(name)", reason: "it is not what clawjail writes",
            hint: "look at it, and at the workspace; without it nothing can be applied",
            status: ExitStatus.configuration)
    }

    private func read(_ name: String) throws(JailError) -> [UInt8]? {
        do throws(SystemError) {
            return try System.readFile(
                name, limit: Self.mostBytes, at: directory.borrowed, resolve: [.beneath, .noSymlinks])
        } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.changes, error, path: "\(path)/\(name)")
        }
    }

    /// Whatever ends this half-way, the old or the new text is there as a whole, also after a power cut.
    private func write(_ text: String, _ name: String) throws(JailError) {
        try attempt(.changes, "\(path)/\(name)") { () throws(SystemError) in
            let draft = name + ".new"
            let file = try System.open(
                draft, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: directory.borrowed)
            try System.writeAll(file.borrowed, text)
            try System.synchronize(file.borrowed)
            try System.rename(draft, to: name, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
        }
    }
}
