internal import JailCore
internal import JailPolicy

/// System calls, one by one. What is not known to be harmless is advised against.
struct SystemCallSuggester {
    let profile: Profile

    func suggest(_ observations: [Observation]) -> [Found] {
        var wanted: [(name: String, observations: [Observation])] = []
        for observation in observations where observation.isWanted {
            guard case .systemCall(let name) = observation.subject, !profile.process.systemCalls.contains(name) else {
                continue
            }
            if let index = wanted.firstIndex(where: { $0.name == name }) {
                wanted[index].observations.append(observation)
            } else {
                wanted.append((name, [observation]))
            }
        }
        return wanted.map(found)
    }

    private func found(_ name: String, _ observations: [Observation]) -> Found {
        guard (try? Name.checkSystemCall(name)) != nil else { return .no(observations, "it is no system call's name") }
        if let reason = SystemCallRisk.refusal(of: name) { return .no(observations, reason) }
        let suggestion = Suggestion(
            change: ProfileChange(key: "process.systemCalls", value: JSON.string(name).json5, isElement: true),
            evidence: Evidence(observations), risk: SystemCallRisk.text(name),
            advisedAgainst: SystemCallRisk.objection(to: name))
        return profile.offer(suggestion, .systemCall, for: observations) { $0.process.systemCalls.contains(name) }
    }
}

/// What it means to allow a system call beyond the built-in list.
enum SystemCallRisk {
    /// What the filter's own rules decide by the arguments, and a name cannot lift without lifting them all.
    static func refusal(of name: String) -> String? {
        guard byArguments.contains(name) else { return nil }
        return "it is allowed already, and was refused for what it was asked with, which no profile changes"
    }

    static func text(_ name: String) -> String {
        if let risk = harmless[name] { return risk }
        if let (_, risk) = families.first(where: { $0.names.contains(name) }) { return risk }
        return "a part of the kernel becomes reachable of which nothing is known here"
    }

    /// nil for those of a list that was gone through by hand.
    static func objection(to name: String) -> String? {
        if harmless[name] != nil { return nil }
        return families.contains { $0.names.contains(name) }
            ? "walls of the jail depend on its being refused, or bugs of the kernel's are often reached by it"
            : "it is not among those that are known to be harmless"
    }

    /// See ``FilterCompiler``: rules of their own in both filters.
    private static let byArguments: Set<String> = [
        "clone", "socket", "socketpair", "prctl", "personality", "ioctl", "memfd_create", "execveat", "openat2",
    ]

    private static let gone = "the kernel has it no longer, and answers that it is not there"
    private static let placement = "the process's own pages are moved between nodes of memory"

    /// They act on the process itself, or tell about what it sees anyway.
    private static let harmless: [String: String] = [
        "mbind": placement, "set_mempolicy": placement, "get_mempolicy": placement,
        "set_mempolicy_home_node": placement,
        "migrate_pages": placement, "move_pages": placement,
        "remap_file_pages": "a mapping of the process's own is rearranged",
        "mseal": "a mapping of the process's own can no longer be changed",
        "map_shadow_stack": "a stack against attacks on the process itself",
        "process_mrelease": "memory of a process that is being killed is given back",
        "futex_wait": "waiting, as futex does", "futex_wake": "waking, as futex does",
        "futex_requeue": "waiting, as futex does",
        "ustat": "how full a file system is that is shown anyway", "sysfs": "which kinds of file systems there are",
        "lsm_list_modules": "which walls the kernel has", "lsm_get_self_attr": "which walls the process is behind",
        "getxattrat": "as getxattr does", "listxattrat": "as listxattr does", "setxattrat": "as setxattr does",
        "removexattrat": "as removexattr does",
        "_sysctl": gone, "create_module": gone, "get_kernel_syms": gone, "query_module": gone, "getpmsg": gone,
        "putpmsg": gone, "afs_syscall": gone, "tuxcall": gone, "security": gone, "vserver": gone, "uselib": gone,
        "lookup_dcookie": gone,
    ]

    private static let families: [(names: Set<String>, risk: String)] = [
        (
            ["io_uring_setup", "io_uring_enter", "io_uring_register"],
            "files and sockets are used by way of a queue, past the filter; much of the kernel's recent trouble is there"
        ),
        (
            ["bpf", "perf_event_open", "userfaultfd"],
            "programs, counters and pauses within the kernel: what most exploits of it are made with"
        ),
        (
            ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"],
            "other processes of the jail are read and changed: no secret of one is safe from another"
        ),
        (
            [
                "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig",
                "fspick", "mount_setattr", "statmount", "listmount", "open_tree_attr",
            ], "what is shown in the jail is changed"
        ),
        (["unshare", "setns", "clone3"], "new namespaces, in which a program has rights over parts of the kernel"),
        (["add_key", "request_key", "keyctl"], "the kernel's key rings, which are the host's"),
        (
            ["open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark"],
            "files are reached by number, past what is shown, or watched as a whole"
        ),
        (
            ["init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "iopl", "ioperm"],
            "the kernel itself is changed"
        ),
        (
            [
                "reboot", "swapon", "swapoff", "acct", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex",
                "syslog", "sethostname", "setdomainname", "quotactl", "quotactl_fd", "vhangup", "nfsservctl",
            ], "a setting of the whole host"
        ),
        (["modify_ldt"], "segments of memory in a form that nearly nothing uses, with a history of bugs"),
    ]
}
