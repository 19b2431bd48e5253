internal import JailCore

/// Opens files that hold secrets, and only those that nobody else can have written or read.
enum TrustedFile {
    /// Whose a file may be.
    struct Owners {
        var uids: [UInt32]
        /// Permissions that it must not have.
        var forbidden: UInt32 = 0o077

        /// This user alone.
        static var own: Owners { Owners(uids: [System.effectiveUserID]) }
        /// This user, or root who has put it there.
        static var ownOrRoot: Owners { Owners(uids: [System.effectiveUserID, 0]) }
    }

    /// A regular file that is no symlink, with one name, of at most `limit` bytes.
    static func open(
        _ name: String, at directory: Descriptor = .workingDirectory, path: String, owners: Owners, limit: Int
    ) throws(JailError) -> SharedDescriptor {
        let file: SharedDescriptor
        let status: FileStatus
        do throws(SystemError) {
            file = SharedDescriptor(
                try System.open(name, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal], at: directory))
            status = try System.status(of: file.borrowed)
        } catch {
            throw JailError(
                .secrets, error, path: path,
                hint: error.errno == .symlinkLoop ? "it must be a file, and no symlink" : nil,
                status: error.errno == .notFound ? ExitStatus.notThere : nil)
        }
        guard let fault = fault(status, owners, limit) else { return file }
        throw JailError(.secrets, path: path, reason: fault.reason, hint: fault.hint)
    }

    private static func fault(
        _ status: FileStatus, _ owners: Owners, _ limit: Int
    ) -> (reason: String, hint: String?)? {
        guard status.kind == .regular else { return ("it is no regular file", nil) }
        guard owners.uids.contains(status.uid) else {
            return ("it belongs to uid \(status.uid)", "it must be yours: chown it")
        }
        guard status.permissions & owners.forbidden == 0 else {
            return ("others may read or write it (mode \(String(status.permissions, radix: 8)))", "chmod 600 it")
        }
        guard status.links == 1 else { return ("it has \(status.links) names", "somebody may have it elsewhere") }
        guard status.size <= UInt64(limit) else { return ("it is longer than \(limit) bytes", nil) }
        return nil
    }

    /// The content, which may have grown since.
    static func read(_ file: SharedDescriptor, path: String, limit: Int) throws(JailError) -> SecretBytes {
        defer { withExtendedLifetime(file) {} }
        return try attempt(.secrets, path) { () throws(SystemError) in
            try System.readSecret(file.borrowed, limit: limit)
        }
    }
}
