import Testing

@testable import FilterCompiler
@testable import JailSeccomp

/// What programs meet, call by call: written down, not derived from the list.
struct `Outcomes of system calls` {
    typealias Decision = FilterMachine.Decision

    static let allowed = [
        "read", "write", "openat", "close", "mmap", "mprotect", "brk", "futex", "epoll_pwait", "eventfd2",
        "execve", "exit_group", "wait4", "kill", "rt_sigaction", "getrandom", "clock_gettime", "statx", "renameat2",
        "fchmodat2", "cachestat", "connect", "accept4", "sendmsg", "getdents64", "inotify_add_watch", "setsid",
        "prlimit64", "seccomp", "landlock_restrict_self", "pidfd_open", "shmget", "mq_open",
    ]
    static let refused = [
        "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount", "open_tree", "fsopen", "fsmount",
        "mount_setattr", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kexec_load", "init_module",
        "finit_module", "delete_module", "reboot", "swapon", "open_by_handle_at", "settimeofday", "sethostname",
        "syslog",
    ]
    static let absent = [
        "clone3", "openat2", "io_uring_setup", "io_uring_enter", "bpf", "perf_event_open", "userfaultfd", "keyctl",
        "add_key",
        "request_key", "name_to_handle_at", "fanotify_init", "lookup_dcookie", "mbind", "move_pages", "rseq_none",
    ]

    static func decide(
        _ name: String, _ arguments: [UInt64], shell: Bool = false, _ architecture: FilterCompiler.Architecture
    ) throws -> Decision? {
        guard let number = architecture.number(of: name) else { return nil }
        let call = FilterMachine.Call(number: number, architecture: architecture.token, arguments: arguments)
        let programs = [
            try FilterCompiler.deny(for: architecture), try FilterCompiler.allow(shell: shell, for: architecture),
        ]
        // Of several filters the strictest answer counts; an error beats permission.
        let decisions = try programs.map { try FilterMachine(program: $0).decide(call) }
        return decisions.first { $0 != .allow } ?? .allow
    }

    @Test(arguments: FilterCompiler.Architecture.allCases)
    func `these are free, these refused, and these not there`(architecture: FilterCompiler.Architecture) throws {
        for name in Self.allowed { #expect(try Self.decide(name, [], architecture) == .allow, "\(name)") }
        for name in Self.refused { #expect(try Self.decide(name, [], architecture) == .errno(1), "\(name)") }
        for name in Self.absent {
            #expect([nil, .errno(38)].contains(try Self.decide(name, [], architecture)), "\(name)")
        }
        #expect(try Self.decide("io_uring_setup", [], architecture) == .errno(38))
    }

    struct Rule: Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: [UInt64]
        let strict: Decision
        let shell: Decision
        var testDescription: String { "\(name)(\(arguments.map { String($0, radix: 16) }.joined(separator: ", ")))" }

        init(_ name: String, _ arguments: [UInt64], _ strict: Decision, shell: Decision? = nil) {
            self.name = name
            self.arguments = arguments
            self.strict = strict
            self.shell = shell ?? strict
        }
    }

    static let high: UInt64 = 0xFFFF_FFFF_0000_0000
    static let namespaces: [UInt64] = [
        0x20000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]
    static let threads: UInt64 = 0x003D_0F00
    static let rules: [Rule] =
        namespaces.flatMap { [Rule("clone", [$0], .errno(38)), Rule("clone", [$0 | threads], .errno(38))] }
        + [
            Rule("clone", [threads], .allow), Rule("clone", [17], .allow), Rule("clone", [0x4111], .allow),
        ]
        + [
            Rule("fchmod", [3, 0o755], .allow), Rule("fchmod", [3, 0o4755], .errno(1)),
            Rule("fchmodat", [3, 0, 0o2755], .errno(1)), Rule("fchmodat", [3, 0, high | 0o4000], .errno(1)),
            Rule("mkdirat", [3, 0, 0o2775], .errno(1)), Rule("mkdirat", [3, 0, 0o775], .allow),
            Rule("openat", [3, 0, 0o101, 0o4755], .errno(1)), Rule("openat", [3, 0, 0o101, 0o755], .allow),
            // Without O_CREAT the mode is whatever lay in the register.
            Rule("openat", [3, 0, 0o2, 0o4755], .allow), Rule("openat", [3, 0, 0o20_200_002, 0o4755], .errno(1)),
        ]
        + [1, 2, 10].map { Rule("socket", [$0, 1, 0], .allow) }
        + [0, 3, 4, 9, 15, 17, 29, 38, 40, 44, 0xFFFF_FFFF].map { Rule("socket", [$0, 3, 0], .errno(97)) }
        + [
            Rule("socket", [16, 3, 0], .allow), Rule("socketpair", [1, 1, 0], .allow),
            Rule("socketpair", [2, 1, 0], .errno(38)),
            // Not the routing family: audit, firewall, uevents, generic.
            Rule("socket", [16, 3, 9], .errno(38)), Rule("socket", [16, 3, 12], .errno(38)),
            Rule("socket", [16, 3, 15], .errno(38)), Rule("socket", [16, 3, 16], .errno(38)),
        ]
        + [0x5412, 0x541C, 0x5423].flatMap {
            [Rule("ioctl", [0, $0], .errno(1)), Rule("ioctl", [0, $0 | high], .errno(1))]
        }
        + [0x5401, 0x5413, 0x5421, 0x5411].map { Rule("ioctl", [0, $0], .allow) }
        + [
            Rule("memfd_create", [0, 0], .errno(38), shell: .allow),
            Rule("memfd_create", [0, 1], .errno(38), shell: .allow),
            Rule("memfd_create", [0, 0x10], .errno(38), shell: .allow), Rule("memfd_create", [0, 0x8], .allow),
            Rule("memfd_create", [0, 0xB], .allow),
            Rule("execveat", [3, 0, 0, 0, 0x1000], .errno(38), shell: .allow),
            Rule("execveat", [3, 0, 0, 0, 0x1100], .errno(38), shell: .allow),
            Rule("execveat", [3, 0, 0, 0, 0x100], .allow),
            Rule("personality", [0], .allow), Rule("personality", [0xFFFF_FFFF], .allow),
            Rule("personality", [0x0040_0000], .errno(38)), Rule("personality", [0x0004_0000], .errno(38)),
            Rule("personality", [8], .errno(38)),
        ]
        + [1, 4, 15, 22, 38, 0x5356_4D41].map { Rule("prctl", [$0], .allow) }
        // PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_MM, PR_SET_SYSCALL_USER_DISPATCH, PR_SET_TSC
        + [24, 28, 35, 59, 26].map { Rule("prctl", [$0], .errno(38)) }

    @Test(arguments: rules)
    func `depend on arguments so, on both architectures`(rule: Rule) throws {
        for architecture in FilterCompiler.Architecture.allCases {
            #expect(try Self.decide(rule.name, rule.arguments, architecture) == rule.strict, "\(architecture)")
            #expect(
                try Self.decide(rule.name, rule.arguments, shell: true, architecture) == rule.shell, "\(architecture)")
        }
    }
}
