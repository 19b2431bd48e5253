/// The kernel's own name of an operation, small enough to cross a pipe as a number.
///
/// The raw values are only compared between a supervisor and the init that it cloned from itself, so they may change
/// from one build to the next.
package enum KernelCall: UInt16, CaseIterable, Sendable {
    case accept, bind, capget, capset, chdir, clone3, close, closeRange, connect, dup3, eventfd, execve, faccessat
    case fallocate, fchdir, fchmod, fchmodat, fchown, fcntl, fdatasync, fgetxattr, flistxattr, flock, fork,
        fremovexattr, fsetxattr, fsconfig, fsmount, fsopen, fsync,
        ftruncate, getdents, getgroups
    case ioprioSet, personality
    case getrandom, getrlimit, getsockname, getsockopt, ioctl, keyctl, kill, landlockAddRule, landlockCreateRuleset
    case landlockRestrictSelf, linkat, listen, madvise, memfdCreate, mkdirat, mmap, mountSetattr, moveMount, openTree,
        openat2
    case pidfdOpen, pidfdSendSignal, pipe2, pivotRoot, poll, prctl, ptrace, read, readlinkat, recvmsg, renameat,
        renameat2
    case rtnetlink
    case schedGetaffinity, schedSetscheduler
    case seccomp, sendmsg, sendto, setdomainname, setfsuid, setgroups, sethostname, setns, setpgid, setresgid,
        setresuid,
        setrlimit
    case setsid, setsockopt, shutdown, sigaction, signalfd, sigprocmask, socket, socketpair, splice, statfs, statx,
        symlinkat, syncFileRange, syncfs
    case tcsetattr, umount2, uname, unlinkat, unshare, waitid, write
    /// Not a system call: clawjail read something back and found it other than it must be.
    case check

    /// As `man 2` spells it.
    package var name: String {
        switch self {
        case .closeRange: "close_range"
        case .ioprioSet: "ioprio_set"
        case .landlockAddRule: "landlock_add_rule"
        case .landlockCreateRuleset: "landlock_create_ruleset"
        case .landlockRestrictSelf: "landlock_restrict_self"
        case .memfdCreate: "memfd_create"
        case .mountSetattr: "mount_setattr"
        case .moveMount: "move_mount"
        case .openTree: "open_tree"
        case .pidfdOpen: "pidfd_open"
        case .pidfdSendSignal: "pidfd_send_signal"
        case .pivotRoot: "pivot_root"
        case .schedGetaffinity: "sched_getaffinity"
        case .schedSetscheduler: "sched_setscheduler"
        case .syncFileRange: "sync_file_range"
        default: "\(self)"
        }
    }
}

/// A kernel error code. `description` is what strerror(3) says, followed by the number.
package struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static let notPermitted = Errno(1)
    package static let notFound = Errno(2)
    package static let noProcess = Errno(3)
    package static let inputOutput = Errno(5)
    /// ENOEXEC
    package static let notExecutableFormat = Errno(8)
    package static let wouldBlock = Errno(11)
    package static let outOfMemory = Errno(12)
    package static let accessDenied = Errno(13)
    package static let busy = Errno(16)
    package static let exists = Errno(17)
    package static let crossDevice = Errno(18)
    package static let noDevice = Errno(19)
    package static let notDirectory = Errno(20)
    package static let isDirectory = Errno(21)
    package static let invalid = Errno(22)
    package static let tooManyFilesInSystem = Errno(23)
    package static let tooManyFiles = Errno(24)
    package static let notATerminal = Errno(25)
    package static let tooLarge = Errno(27)
    package static let noSpace = Errno(28)
    package static let readOnly = Errno(30)
    package static let brokenPipe = Errno(32)
    package static let nameTooLong = Errno(36)
    package static let notImplemented = Errno(38)
    package static let symlinkLoop = Errno(40)
    package static let notSupported = Errno(95)
    package static let messageTooLong = Errno(90)
    package static let familyNotSupported = Errno(97)
    package static let addressInUse = Errno(98)
    package static let addressNotAvailable = Errno(99)
    package static let connectionReset = Errno(104)
    package static let noBuffers = Errno(105)
    /// ETOOMANYREFS: more descriptors of this user are on their way through sockets than the sender may have open.
    package static let tooManyReferences = Errno(109)
    package static let connectionRefused = Errno(111)
    package static let inProgress = Errno(115)
    package static let quotaExceeded = Errno(122)
    package static let stale = Errno(116)

    /// Whether what was missing may be there again in a moment: room in a socket, memory, descriptors of this process or of
    /// the system, or of those that this user has on their way through sockets. A jail can bring each of them about.
    package var isShortage: Bool {
        [.wouldBlock, .noBuffers, .tooManyReferences, .tooManyFiles, .tooManyFilesInSystem].contains(self)
    }

    package var description: String { "\(System.message(for: rawValue)) (errno \(rawValue))" }
}

/// One failed kernel call. What it was done to is known by whoever made the call, and added there.
package struct SystemError: Error, Hashable, Sendable {
    package let call: KernelCall
    package let errno: Errno

    package init(_ call: KernelCall, _ errno: Errno) {
        self.call = call
        self.errno = errno
    }
}
