/// Which arguments of a system call say what it is about. By names, so that it holds for every architecture.
enum CallShape: Equatable, Sendable {
    /// What a name in a directory is wanted for. `directory`: which argument, or the working directory; `path`: which.
    case path(directory: Int?, path: Int, use: Use)
    case descriptor(Int)
    /// A structure of sockaddr(3type), and its length.
    case address(binds: Bool)
    /// A process or a thread.
    case process
    case memory
    /// Whatever it is about, no profile has a say in it but by the call's name.
    case plain

    enum Use: Equatable, Sendable {
        case read, write, execute
        /// By the flags of open(2) in this argument.
        case open(flags: Int)
        /// By the mode of access(2) in this argument.
        case probe(mode: Int)
    }

    static func of(_ name: String) -> CallShape { table[name] ?? .plain }

    private static let table: [String: CallShape] = {
        var table: [String: CallShape] = [:]
        func add(_ names: String, _ shape: CallShape) {
            for name in names.split(separator: " ") { table[String(name)] = shape }
        }
        add("open", .path(directory: nil, path: 0, use: .open(flags: 1)))
        add("openat", .path(directory: 0, path: 1, use: .open(flags: 2)))
        add("access", .path(directory: nil, path: 0, use: .probe(mode: 1)))
        add("faccessat faccessat2", .path(directory: 0, path: 1, use: .probe(mode: 2)))
        add(
            "stat lstat readlink chdir statfs getxattr lgetxattr listxattr llistxattr",
            .path(directory: nil, path: 0, use: .read))
        add("inotify_add_watch", .path(directory: nil, path: 1, use: .read))
        add("newfstatat statx readlinkat", .path(directory: 0, path: 1, use: .read))
        add(
            """
            creat mkdir rmdir unlink rename chmod chown lchown truncate utime utimes mknod setxattr lsetxattr \
            removexattr lremovexattr
            """, .path(directory: nil, path: 0, use: .write))
        add("link symlink", .path(directory: nil, path: 1, use: .write))
        add(
            "mkdirat unlinkat renameat renameat2 fchmodat fchmodat2 fchownat futimesat utimensat mknodat",
            .path(directory: 0, path: 1, use: .write))
        add("linkat", .path(directory: 2, path: 3, use: .write))
        add("symlinkat", .path(directory: 1, path: 2, use: .write))
        add("execve", .path(directory: nil, path: 0, use: .execute))
        add("execveat", .path(directory: 0, path: 1, use: .execute))
        add("write pwrite64 writev pwritev pwritev2 ftruncate fallocate sendfile fsync fdatasync", .descriptor(0))
        add("copy_file_range", .descriptor(2))
        add("bind", .address(binds: true))
        add("connect", .address(binds: false))
        add("fork vfork clone", .process)
        add("mmap mremap brk", .memory)
        return table
    }()

    /// Refused by every profile, and nobody misses them: libraries take the older call.
    static let alwaysRefused: Set<String> = ["clone3", "openat2"]

    /// Those of which EPERM says that a jail may not make them (or not with these arguments), and nothing of a file or of
    /// another process.
    static let refusable: Set<String> = [
        "capset", "chown", "fchown", "fchownat", "ioctl", "ioprio_set", "lchown", "mknod", "mknodat", "personality",
        "prctl", "prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "setgid",
        "setgroups", "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit", "setuid", "socket",
    ]
}
