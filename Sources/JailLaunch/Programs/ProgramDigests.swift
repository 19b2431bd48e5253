internal import AuditLog
internal import JailCore
internal import JailPlan

/// Which programs a jail was started with: their SHA-256, for the log.
///
/// They are read when the command runs, a piece in each turn of the supervisor's loop: a launch does not wait for a hundred
/// megabytes. While a program runs the kernel lets nobody write to its file (ETXTBSY).
struct ProgramDigests {
    /// What a program is to the jail.
    enum Role: String { case clawjail, egress, command, interpreter }

    private struct Program {
        let role: Role
        let path: String
        let file: SharedDescriptor?
        var digest: AuditDigest?
        /// Why there is none.
        var reason: String?
    }

    private var programs: [Program] = []
    private let cache: DigestCache
    private var known: [DigestCache.Key: AuditDigest] = [:]
    private var stream = AuditDigest.Stream()
    private var offset: UInt64 = 0
    /// The next to be read.
    private var index = 0

    /// Bytes for each turn of the loop, about a millisecond; and those of the longest program, which is not read at all if
    /// it has more.
    private static let piece = 2 << 20
    private static let longest: UInt64 = 2 << 30

    init(_ plan: LaunchPlan) {
        cache = DigestCache("\(plan.stateDirectory)/audit/.digests")
        add(.clawjail, (try? System.readLink("/proc/self/exe")) ?? "clawjail", open: "/proc/self/exe", root: nil)
        if let egress = plan.network.egress { add(.egress, egress.program, open: egress.program, root: nil) }
        let root = plan.command.root == "/" ? nil : plan.command.root
        if !plan.command.isNone { add(.command, plan.command.path, open: plan.command.path, root: root) }
        for path in plan.command.interpreters { add(.interpreter, path, open: path, root: root) }
        // What was read for an earlier launch.
        known = cache.read()
        for index in programs.indices { examine(index) }
    }

    private mutating func add(_ role: Role, _ path: String, open name: String, root: String?) {
        do throws(SystemError) {
            // Whatever it is by now: nobody is waited for.
            let flags: OpenFlags = [.readOnly, .nonBlocking, .noControllingTerminal]
            let file: OwnedDescriptor
            if let root {
                let directory = try System.open(root, [.pathOnly, .directory, .noFollow])
                file = try System.open(name, flags, at: directory.borrowed, resolve: [.inRoot, .noMagicLinks])
            } else {
                file = try System.open(name, flags)
            }
            programs.append(Program(role: role, path: path, file: SharedDescriptor(file)))
        } catch {
            programs.append(
                Program(role: role, path: path, file: nil, reason: "\(error.call.name): \(error.errno)"))
        }
    }

    private mutating func examine(_ index: Int) {
        guard let file = programs[index].file else { return }
        do throws(SystemError) {
            let status = try System.status(of: file.borrowed)
            if status.kind != .regular { programs[index].reason = "it is no regular file" }
            if status.size > Self.longest { programs[index].reason = "it is longer than is read" }
            // Whoever serves it may let whoever reads it wait for ever.
            if try System.fileSystem(of: file.borrowed).type == FileSystemStatus.fuse {
                programs[index].reason = "its file system is a program's"
            }
            programs[index].digest = known[DigestCache.Key(status)]
        } catch { programs[index].reason = "\(error.call.name): \(error.errno)" }
    }

    /// Reads on.
    ///
    /// - Returns: whether everything is known that can be.
    mutating func work() -> Bool {
        while index < programs.count {
            guard programs[index].digest == nil, programs[index].reason == nil, let file = programs[index].file else {
                index += 1
                continue
            }
            do throws(SystemError) {
                let bytes = try System.read(file.borrowed, at: offset, most: Self.piece)
                guard bytes.isEmpty || offset > Self.longest else {
                    stream.take(bytes)
                    offset += UInt64(bytes.count)
                    return false
                }
                try finish(file.borrowed)
            } catch { programs[index].reason = "\(error.call.name): \(error.errno)" }
            stream = AuditDigest.Stream()
            offset = 0
        }
        return true
    }

    private mutating func finish(_ file: Descriptor) throws(SystemError) {
        let status = try System.status(of: file)
        guard status.size == offset else {
            programs[index].reason = "it was changed while it was read"
            return
        }
        let digest = stream.finish()
        programs[index].digest = digest
        cache.keep(digest, of: status)
    }

    /// The event, see docs/audit.md.
    var event: JSON {
        [
            "event": "programs",
            "programs": .array(
                programs.map { program in
                    var members: [(String, JSON)] = [
                        ("role", .string(program.role.rawValue)), ("path", .string(program.path)),
                        ("sha256", .optional(program.digest?.description)),
                    ]
                    if program.digest == nil { members.append(("reason", .optional(program.reason))) }
                    return .object(members)
                }),
        ]
    }
}
