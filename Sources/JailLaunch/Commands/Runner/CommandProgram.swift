internal import AuditLog
internal import JailCore
internal import JailPlan

/// A program that was opened and looked at: what was looked at is what is executed.
struct CommandProgram {
    private let path: String
    private let file: SharedDescriptor
    private let identity: FileIdentity
    private let isScript: Bool

    /// Bytes of the longest program that is read for its digest.
    private static let longest: UInt64 = 2 << 30
    private static let piece = 1 << 20

    /// Opens it with the rights of whoever will run it.
    ///
    /// - Parameters:
    ///   - path: canonical; a symlink on the way that was not there when the jail was planned is refused.
    ///   - user: may own it, as root may.
    ///   - digest: its SHA-256; nil: whatever is there.
    init(_ path: String, user: UInt32, digest: String?) throws(CommandFailure) {
        let file = try Self.open(path, mustRead: digest != nil)
        let status = try CommandStart.step(path) { () throws(SystemError) in try System.status(of: file.borrowed) }
        guard status.kind == .regular, status.mode & 0o111 != 0 else {
            throw CommandFailure("'\(path)' is not a program")
        }
        guard [0, user].contains(status.uid), status.mode & 0o002 == 0, status.mode & 0o020 == 0 || status.gid == 0
        else { throw CommandFailure("others than root and the command's user may write to '\(path)'") }
        if let digest { try Self.check(file.borrowed, path, digest) }
        self.path = path
        self.file = file
        identity = status.identity
        // What cannot be read is no script: its interpreter could not read it either.
        isScript = (try? System.read(file.borrowed, at: 0, most: 2)) == Array("#!".utf8)
    }

    /// clawjail itself, the same that has started the jail.
    init(launcher path: String, identity: FileIdentity) throws(CommandFailure) {
        let file = try CommandStart.step(path) { () throws(SystemError) in
            SharedDescriptor(try System.open(path, .pathOnly, resolve: [.noSymlinks, .noMagicLinks]))
        }
        let status = try CommandStart.step(path) { () throws(SystemError) in try System.status(of: file.borrowed) }
        guard status.kind == .regular, status.identity == identity else {
            throw CommandFailure("clawjail was replaced since this jail was started: start the jail again")
        }
        self.path = path
        self.file = file
        self.identity = identity
        isScript = false
    }

    private static func open(_ path: String, mustRead: Bool) throws(CommandFailure) -> SharedDescriptor {
        let resolve: ResolveFlags = [.noSymlinks, .noMagicLinks]
        do throws(SystemError) {
            // Whatever it is by now: nobody is waited for.
            return SharedDescriptor(
                try System.open(path, [.readOnly, .nonBlocking, .noControllingTerminal], resolve: resolve))
        } catch {
            switch error.errno {
            case .accessDenied where !mustRead:
                // One that may be executed and not read.
                return try CommandStart.step(path) { () throws(SystemError) in
                    SharedDescriptor(try System.open(path, .pathOnly, resolve: resolve))
                }
            case .notFound, .notDirectory:
                throw CommandFailure("'\(path)' is not there", status: ExitStatus.notFound)
            case .symlinkLoop: throw CommandFailure("a symlink is on the way to '\(path)', which was not there before")
            default: throw CommandFailure(error, path)
            }
        }
    }

    // MARK: Digests

    /// For a program whose jail is still to be made: what leads to it is root's, or whoever's has started the jail.
    ///
    /// - Parameter root: what the path leads from.
    static func check(_ program: String, below root: String, _ digest: String) throws(CommandFailure) {
        let file = try CommandStart.step(program) { () throws(SystemError) in
            let directory = try System.open(root, [.pathOnly, .directory])
            return SharedDescriptor(
                try System.open(
                    program, [.readOnly, .nonBlocking, .noControllingTerminal], at: directory.borrowed,
                    resolve: [.inRoot, .noMagicLinks]))
        }
        let status = try CommandStart.step(program) { () throws(SystemError) in try System.status(of: file.borrowed) }
        guard status.kind == .regular else { throw CommandFailure("'\(program)' is not a program") }
        try check(file.borrowed, program, digest)
    }

    private static func check(_ file: Descriptor, _ path: String, _ digest: String) throws(CommandFailure) {
        var stream = AuditDigest.Stream()
        var offset: UInt64 = 0
        while offset <= longest {
            let bytes = try CommandStart.step(path) { () throws(SystemError) in
                try System.read(file, at: offset, most: piece)
            }
            if bytes.isEmpty { break }
            stream.take(bytes)
            offset += UInt64(bytes.count)
        }
        guard offset <= longest, stream.finish().description == digest else {
            throw CommandFailure("'\(path)' is another file than the profile's sha256 says")
        }
    }

    // MARK: Executing

    /// A binary by its descriptor: no name leads elsewhere any more. Of a script the kernel hands a name on to the interpreter,
    /// which of a descriptor would be one of /dev/fd that has to stay open; so it is executed by its path, after that was
    /// seen to lead to the same file. Whoever could still change that may write what is executed anyway.
    func execute(_ arguments: [String], environment: [String]) throws(CommandFailure) -> Never {
        let path = path
        guard isScript else {
            try CommandStart.step(path) { () throws(SystemError) -> Never in
                try System.execute(file.borrowed, arguments: arguments, environment: environment)
            }
        }
        let now = try CommandStart.step(path) { () throws(SystemError) in try System.status(path) }
        guard now.identity == identity else { throw CommandFailure("'\(path)' was replaced while it was looked at") }
        try CommandStart.step(path) { () throws(SystemError) -> Never in
            try System.execute(path, arguments: arguments, environment: environment)
        }
    }
}
