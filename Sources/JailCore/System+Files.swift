internal import CLinux
internal import Glibc

/// What statx(2) says of a file.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Sendable { case regular, directory, symlink, socket, fifo, characterDevice, blockDevice, other }

    package let identity: FileIdentity
    package let size: UInt64
    /// Blocks of 512 bytes that are really there.
    package let blocks: UInt64
    /// When it or what is known of it was changed last: seconds since the epoch.
    package let changed: Int64
    /// The same to the nanosecond; and when its content was.
    package let changedAt: FileTime
    package let modifiedAt: FileTime
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32
    /// How many names it has.
    package let links: UInt32
    private let deviceMajor: UInt32
    private let deviceMinor: UInt32

    /// Device 0/0: what an overlay puts in the place of a file that was removed.
    package var isWhiteout: Bool { kind == .characterDevice && deviceMajor == 0 && deviceMinor == 0 }

    /// Whether it stands for the null device, see null(4), in whatever file system: a service may have a /dev of its own.
    package var isNullDevice: Bool { kind == .characterDevice && deviceMajor == 1 && deviceMinor == 3 }

    package var permissions: UInt32 { mode & 0o7777 }
    package var isDirectory: Bool { kind == .directory }

    package var kind: Kind {
        switch mode & 0o170000 {
        case 0o100000: .regular
        case 0o040000: .directory
        case 0o120000: .symlink
        case 0o140000: .socket
        case 0o010000: .fifo
        case 0o020000: .characterDevice
        case 0o060000: .blockDevice
        default: .other
        }
    }

    init(_ raw: cl_stat) {
        identity = FileIdentity(device: raw.device, inode: raw.inode)
        size = raw.size
        blocks = raw.blocks
        changed = Int64(clamping: raw.changed_seconds)
        changedAt = FileTime(seconds: changed, nanoseconds: Int64(clamping: raw.changed_nanoseconds))
        modifiedAt = FileTime(seconds: raw.modified_seconds, nanoseconds: raw.modified_nanoseconds)
        mode = raw.mode
        uid = raw.uid
        gid = raw.gid
        links = raw.links
        deviceMajor = raw.device_major
        deviceMinor = raw.device_minor
    }
}

/// A time of a file's, since the epoch.
package struct FileTime: Hashable, Sendable {
    package let seconds: Int64
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

/// Which file it is, whatever its name. Recorded when a launch is planned, compared when it is carried out.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// Open flags, see open(2).
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Not generic, as the one of the standard library is: that one costs every launch 0.1 ms of type metadata.
    package init(arrayLiteral elements: OpenFlags...) {
        var bits: UInt64 = 0
        for element in elements { bits |= element.rawValue }
        self.init(rawValue: bits)
    }

    package static let readOnly = OpenFlags([])
    package static let writeOnly = OpenFlags(rawValue: 0o1)
    package static let readWrite = OpenFlags(rawValue: 0o2)
    package static let create = OpenFlags(rawValue: 0o100)
    package static let exclusive = OpenFlags(rawValue: 0o200)
    package static let noControllingTerminal = OpenFlags(rawValue: 0o400)
    package static let truncate = OpenFlags(rawValue: 0o1000)
    package static let append = OpenFlags(rawValue: 0o2000)
    package static let nonBlocking = OpenFlags(rawValue: 0o4000)
    package static let directory = OpenFlags(rawValue: UInt64(bitPattern: Int64(O_DIRECTORY)))
    package static let noFollow = OpenFlags(rawValue: UInt64(bitPattern: Int64(O_NOFOLLOW)))
    package static let pathOnly = OpenFlags(rawValue: 0o10000000)
}

/// How openat2(2) may resolve a path.
package struct ResolveFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Not generic, as the one of the standard library is: that one costs every launch 0.1 ms of type metadata.
    package init(arrayLiteral elements: ResolveFlags...) {
        var bits: UInt64 = 0
        for element in elements { bits |= element.rawValue }
        self.init(rawValue: bits)
    }

    package static let noMountCrossing = ResolveFlags(rawValue: 0x01)
    package static let noMagicLinks = ResolveFlags(rawValue: 0x02)
    package static let noSymlinks = ResolveFlags(rawValue: 0x04)
    package static let beneath = ResolveFlags(rawValue: 0x08)
    package static let inRoot = ResolveFlags(rawValue: 0x10)
}

package enum LockKind: Int32, Sendable {
    case shared = 1
    case exclusive = 2
    case unlock = 8
}

/// What statfs(2) says of a file system.
package struct FileSystemStatus: Sendable {
    package let type: UInt64
    package let blockSize: UInt64
    package let blocks: UInt64
    package let blocksFree: UInt64
    package let inodes: UInt64
    package let inodesFree: UInt64

    /// CGROUP2_SUPER_MAGIC, TMPFS_MAGIC and CGROUP_SUPER_MAGIC of linux/magic.h.
    package static let cgroup2: UInt64 = 0x6367_7270
    package static let cgroup1: UInt64 = 0x0027_e0eb
    package static let tmpfs: UInt64 = 0x0102_1994
    package static let proc: UInt64 = 0x9fa0
    package static let fuse: UInt64 = 0x6573_5546
}

extension System {
    /// openat2(2). Always close-on-exec.
    package static func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0, at directory: Descriptor = .workingDirectory,
        resolve: ResolveFlags = []
    ) throws(SystemError) -> OwnedDescriptor {
        let flags = flags.rawValue | UInt64(bitPattern: Int64(O_CLOEXEC))
        return OwnedDescriptor(
            try check(.openat2, unsafe cl_openat2(directory.number, path, flags, UInt64(mode), resolve.rawValue)))
    }

    /// statx(2) of a path; the last component is not followed if it is a symlink, unless asked.
    package static func status(
        _ path: String, at directory: Descriptor = .workingDirectory, followSymlink: Bool = false
    ) throws(SystemError) -> FileStatus {
        var raw = cl_stat()
        try check(.statx, unsafe cl_statx(directory.number, path, followSymlink ? 0 : AT_SYMLINK_NOFOLLOW, &raw))
        return FileStatus(raw)
    }

    package static func status(of descriptor: Descriptor) throws(SystemError) -> FileStatus {
        var raw = cl_stat()
        try check(.statx, unsafe cl_statx(descriptor.number, "", atEmptyPath, &raw))
        return FileStatus(raw)
    }

    package static func fileSystem(of descriptor: Descriptor) throws(SystemError) -> FileSystemStatus {
        var raw = cl_statfs()
        try check(.statfs, unsafe cl_fstatfs(descriptor.number, &raw))
        return FileSystemStatus(raw)
    }

    package static func fileSystem(at path: String) throws(SystemError) -> FileSystemStatus {
        var raw = cl_statfs()
        try check(.statfs, unsafe cl_statfs(path, &raw))
        return FileSystemStatus(raw)
    }

    /// Reads a whole file of at most `limit` bytes; a longer one is an error (EFBIG).
    package static func readFile(
        _ path: String, limit: Int = 1 << 20, at directory: Descriptor = .workingDirectory, resolve: ResolveFlags = []
    ) throws(SystemError) -> [UInt8] {
        let file = try open(path, [.readOnly, .noControllingTerminal, .nonBlocking], at: directory, resolve: resolve)
        return try readAll(file.borrowed, limit: limit)
    }

    package static func readAll(_ descriptor: Descriptor, limit: Int = 1 << 20) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let part = try read(descriptor, most: 16384)
            if part.isEmpty { return content }
            content += part
            guard content.count <= limit else { throw SystemError(.read, Errno(EFBIG)) }
        }
    }

    /// One read(2) of at most `most` bytes; empty at the end of the file.
    package static func read(_ descriptor: Descriptor, most: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            let result = unsafe cl_read(descriptor.number, buffer.baseAddress, buffer.count)
            if result < 0 { failure = SystemError(.read, Errno(Int32(-result))) }
            count = max(0, result)
        }
        if let failure { throw failure }
        return bytes
    }

    /// One pread(2) of at most `most` bytes at `offset`; fewer at the end of the file.
    package static func read(_ descriptor: Descriptor, at offset: UInt64, most: Int) throws(SystemError) -> [UInt8] {
        guard let offset = Int64(exactly: offset) else { throw SystemError(.read, .invalid) }
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            let result = unsafe cl_pread(descriptor.number, buffer.baseAddress, buffer.count, offset)
            if result < 0 { failure = SystemError(.read, Errno(Int32(-result))) }
            count = max(0, result)
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes everything, in as many write(2) calls as it takes.
    package static func writeAll(_ descriptor: Descriptor, _ bytes: [UInt8]) throws(SystemError) {
        var offset = 0
        while offset < bytes.count { offset += try write(descriptor, bytes[offset...]) }
    }

    package static func writeAll(_ descriptor: Descriptor, _ text: String) throws(SystemError) {
        try writeAll(descriptor, Array(text.utf8))
    }

    /// One write(2); returns how many bytes it took.
    package static func write(_ descriptor: Descriptor, _ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let result = unsafe bytes.withUnsafeBytes { unsafe cl_write(descriptor.number, $0.baseAddress, $0.count) }
        return try check(.write, result)
    }

    /// Moves bytes from one pipe to another, and waits for neither, whatever their flags say: they may be somebody else's.
    ///
    /// - Returns: how many; 0: nobody writes to the source any more.
    /// - Throws: EAGAIN where the source is empty, or the target full.
    package static func splice(from source: Descriptor, to target: Descriptor, most: Int) throws(SystemError) -> Int {
        try check(.splice, cl_splice(source.number, target.number, most))
    }

    package static func makeDirectory(
        _ path: String, mode: UInt32, at directory: Descriptor = .workingDirectory
    ) throws(SystemError) {
        try check(.mkdirat, unsafe cl_mkdirat(directory.number, path, mode))
    }

    package static func makeSymlink(
        _ path: String, to target: String, at directory: Descriptor = .workingDirectory
    ) throws(SystemError) {
        try check(.symlinkat, unsafe cl_symlinkat(target, directory.number, path))
    }

    package static func unlink(
        _ path: String, at directory: Descriptor = .workingDirectory, isDirectory: Bool = false
    ) throws(SystemError) {
        try check(.unlinkat, unsafe cl_unlinkat(directory.number, path, isDirectory ? AT_REMOVEDIR : 0))
    }

    package static func rename(
        _ path: String, to target: String, at directory: Descriptor = .workingDirectory
    ) throws(SystemError) {
        try check(.renameat, unsafe cl_renameat(directory.number, path, directory.number, target))
    }

    /// renameat2(2) within a directory, as one step: each gets the other's name, or `target` must not be there yet.
    package static func rename(
        _ path: String, _ kind: RenameKind, _ target: String, at directory: Descriptor
    ) throws(SystemError) {
        try check(.renameat2, unsafe cl_renameat2(directory.number, path, target, kind.rawValue))
    }

    package enum RenameKind: UInt32, Sendable {
        case newName = 1
        case exchange = 2
    }

    /// What was written to the descriptor's file system outlasts a power cut from here on.
    package static func synchronizeAll(on descriptor: Descriptor) throws(SystemError) {
        try check(.syncfs, cl_syncfs(descriptor.number))
    }

    package static func changeMode(
        _ path: String, _ mode: UInt32, at directory: Descriptor = .workingDirectory
    ) throws(SystemError) {
        try check(.fchmodat, unsafe cl_fchmodat(directory.number, path, mode))
    }

    package static func changeOwner(_ descriptor: Descriptor, uid: UInt32, gid: UInt32) throws(SystemError) {
        try check(.fchown, cl_fchown(descriptor.number, uid, gid))
    }

    package static func changeOwner(_ path: String, uid: UInt32, gid: UInt32) throws(SystemError) {
        try check(.fchown, unsafe cl_fchownat(Descriptor.workingDirectory.number, path, uid, gid, AT_SYMLINK_NOFOLLOW))
    }

    package static func readLink(
        _ path: String, at directory: Descriptor = .workingDirectory
    ) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe cl_readlinkat(directory.number, path, buffer.baseAddress, buffer.count)
        }
        return String(decoding: buffer.prefix(try check(.readlinkat, count)), as: UTF8.self)
    }

    /// Whether the effective user may read (4), write (2) or execute (1), see faccessat(2) with 0x200.
    package static func mayAccess(_ path: String, _ mode: Int32, at directory: Descriptor = .workingDirectory) -> Bool {
        unsafe cl_faccessat(directory.number, path, mode, 0x200) == 0
    }

    /// The names in a directory without `.` and `..`, with what getdents64(2) says of their kind (DT_DIR is 4).
    package static func names(
        in directory: Descriptor, limit: Int = .max
    ) throws(SystemError) -> [(name: String, kind: UInt8)] {
        try entries(in: directory, limit: limit).map { (String(decoding: $0.name, as: UTF8.self), $0.kind) }
    }

    /// flock(2) without waiting; false if somebody else holds it.
    package static func tryLock(_ descriptor: Descriptor, _ kind: LockKind) throws(SystemError) -> Bool {
        let result = cl_flock(descriptor.number, kind.rawValue | LOCK_NB)
        if result == -EAGAIN { return false }
        try check(.flock, result)
        return true
    }

    /// flock(2), waiting.
    package static func lock(_ descriptor: Descriptor, _ kind: LockKind) throws(SystemError) {
        try check(.flock, cl_flock(descriptor.number, kind.rawValue))
    }

    package static func changeDirectory(_ path: String) throws(SystemError) {
        try check(.chdir, unsafe cl_chdir(path))
    }

    package static func changeDirectory(_ descriptor: Descriptor) throws(SystemError) {
        try check(.fchdir, cl_fchdir(descriptor.number))
    }

    package static func duplicate(
        _ descriptor: Descriptor, to number: Int32, closeOnExec: Bool
    ) throws(SystemError) {
        try check(.dup3, cl_dup3(descriptor.number, number, closeOnExec ? O_CLOEXEC : 0))
    }

    /// A duplicate with a number of at least `lowest`.
    package static func duplicate(_ descriptor: Descriptor, atLeast lowest: Int32) throws(SystemError)
        -> OwnedDescriptor
    {
        OwnedDescriptor(try check(.fcntl, cl_fcntl(descriptor.number, F_DUPFD_CLOEXEC, Int(lowest))))
    }

    package static func setNonBlocking(_ descriptor: Descriptor, _ enabled: Bool = true) throws(SystemError) {
        let flags = try check(.fcntl, cl_fcntl(descriptor.number, F_GETFL, 0))
        try check(.fcntl, cl_fcntl(descriptor.number, F_SETFL, Int(enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)))
    }

    package static func truncate(_ descriptor: Descriptor, to length: UInt64) throws(SystemError) {
        guard let length = Int64(exactly: length) else { throw SystemError(.ftruncate, .invalid) }
        try check(.ftruncate, cl_ftruncate(descriptor.number, length))
    }

    /// Room beyond the end of a file, which keeps its size: what is written there later cannot meet a full disk.
    /// EOPNOTSUPP: the file system knows no such thing. See fallocate(2).
    package static func reserve(_ descriptor: Descriptor, from offset: UInt64, _ length: UInt64) throws(SystemError) {
        try check(
            .fallocate, cl_reserve(descriptor.number, Int64(clamping: offset), Int64(clamping: length)))
    }

    /// fdatasync(2): returns when the content would outlast a power cut.
    package static func synchronizeData(_ descriptor: Descriptor) throws(SystemError) {
        try check(.fdatasync, cl_fdatasync(descriptor.number))
    }

    /// fsync(2): returns when the content, of a directory the names, would outlast a power cut.
    package static func synchronize(_ descriptor: Descriptor) throws(SystemError) {
        try check(.fsync, cl_fsync(descriptor.number))
    }

    /// Has the kernel begin to write a file out, and waits for nothing.
    package static func beginWriteback(_ descriptor: Descriptor) throws(SystemError) {
        try check(.syncFileRange, cl_begin_writeback(descriptor.number))
    }

    /// What is in the file can only be added to from now on, see `chattr +a`. Takes CAP_LINUX_IMMUTABLE.
    package static func makeAppendOnly(_ descriptor: Descriptor) throws(SystemError) {
        try check(.ioctl, cl_make_append_only(descriptor.number))
    }

    package static func setCloseOnExec(_ descriptor: Descriptor) throws(SystemError) {
        try check(.fcntl, cl_fcntl(descriptor.number, F_SETFD, Int(FD_CLOEXEC)))
    }

    /// Closes a number that was given away by its owner.
    package static func close(_ number: Int32) { _ = OwnedDescriptor(number) }

    /// Whether the descriptor stands for a place in the tree only, see O_PATH in open(2).
    package static func isPathOnly(_ descriptor: Descriptor) throws(SystemError) -> Bool {
        UInt64(try check(.fcntl, cl_fcntl(descriptor.number, F_GETFL, 0))) & OpenFlags.pathOnly.rawValue != 0
    }

    /// Whether the number is an open descriptor.
    package static func isOpen(_ number: Int32) -> Bool { cl_fcntl(number, F_GETFD, 0) >= 0 }

    package static func pipe() throws(SystemError) -> Pipe {
        var fds: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &fds) {
            unsafe cl_pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC)
        }
        try check(.pipe2, result)
        return Pipe(readEnd: OwnedDescriptor(fds.0), writeEnd: OwnedDescriptor(fds.1))
    }

    package static func eventDescriptor() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(try check(.eventfd, cl_eventfd(0, O_CLOEXEC | O_NONBLOCK)))
    }
}

package struct Pipe: ~Copyable {
    package var readEnd: OwnedDescriptor
    package var writeEnd: OwnedDescriptor

    /// Gives both numbers away.
    package consuming func release() -> (readEnd: Int32, writeEnd: Int32) { (readEnd.release(), writeEnd.release()) }

    /// Keeps the reading end; the other is closed.
    package consuming func takeReadEnd() -> OwnedDescriptor { readEnd }
}

extension FileSystemStatus {
    init(_ raw: cl_statfs) {
        type = raw.type
        blockSize = raw.block_size
        blocks = raw.blocks
        blocksFree = raw.blocks_free
        inodes = raw.files
        inodesFree = raw.files_free
    }
}
