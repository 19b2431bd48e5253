/// Names of arguments that the filters look at, as the headers have them.
enum ArgumentNames {
    /// All arguments of a call with that one; nil: the name is not known here.
    static func values(_ call: String, _ name: String) -> [UInt64]? {
        guard let value = tables[call]?[name] ?? number(name) else { return nil }
        return switch call {
        case "ioctl", "memfd_create": [0, value]
        case "socket" where value == 16: [value, 3, 0]
        case "execveat": [0, 0, 0, 0, value]
        default: [value]
        }
    }

    private static func number(_ text: String) -> UInt64? {
        text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    }

    private static let namespaces: [String: UInt64] = [
        "CLONE_NEWNS": 0x2_0000, "CLONE_NEWCGROUP": 0x200_0000, "CLONE_NEWUTS": 0x400_0000, "CLONE_NEWIPC": 0x800_0000,
        "CLONE_NEWUSER": 0x1000_0000, "CLONE_NEWPID": 0x2000_0000, "CLONE_NEWNET": 0x4000_0000,
    ]

    private static let tables: [String: [String: UInt64]] = [
        "ioctl": ["TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "TIOCSETD": 0x5423, "FIONREAD": 0x541B, "TCGETS": 0x5401],
        "clone": namespaces.merging(["CLONE_VM": 0x100, "CLONE_THREAD": 0x1_0000]) { own, _ in own },
        "unshare": namespaces,
        "socket": [
            "AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17, "AF_ALG": 38, "AF_VSOCK": 40,
        ],
        "prctl": ["PR_SET_NAME": 15, "PR_SET_DUMPABLE": 4, "PR_SET_MM": 35, "PR_SET_NO_NEW_PRIVS": 38],
        "personality": ["PER_LINUX": 0, "ADDR_NO_RANDOMIZE": 0x4_0000],
        "memfd_create": ["MFD_CLOEXEC": 1, "MFD_NOEXEC_SEAL": 8, "MFD_EXEC": 16],
        "execveat": ["AT_EMPTY_PATH": 0x1000, "AT_SYMLINK_NOFOLLOW": 0x100],
    ]
}

/// What a call brings with it that no jail has otherwise.
enum SystemCallRisks {
    static func risk(_ call: String) -> String? {
        table.first { $0.calls.contains(call) }.map { "advised against: \($0.what)" }
    }

    private static let table: [(calls: Set<String>, what: String)] = [
        (
            ["unshare", "setns", "clone", "clone3"],
            "in a user namespace of its own a program has every capability, and reaches parts of the kernel that "
                + "nothing else does"
        ),
        (
            [
                "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig",
                "fspick", "mount_setattr",
            ], "it changes what files a program sees"
        ),
        (
            ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"],
            "it reads and changes other programs of the jail"
        ),
        (
            [
                "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
                "keyctl",
                "add_key", "request_key", "modify_ldt",
            ],
            "it reaches parts of the kernel in which many errors were found; io_uring passes by this filter"
        ),
        (
            [
                "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon",
                "swapoff", "settimeofday", "clock_settime", "open_by_handle_at", "iopl", "ioperm",
            ],
            "it is the administrator's, and without a capability the kernel refuses it all the same"
        ),
    ]
}
