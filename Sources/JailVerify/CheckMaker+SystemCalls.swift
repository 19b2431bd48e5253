internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What the kernel does not do for the command.
extension CheckMaker {
    func systemCalls() -> [Check] {
        var checks = [
            filter,
            refused(
                "calls.namespaces", "no new namespace, no other one entered",
                [
                    "unshare user", "unshare mount", "unshare pid", "unshare net", "unshare ipc", "unshare uts",
                    "unshare cgroup", "unshare time", "setns", "clone newuser", "clone3 newuser",
                ]),
            refused(
                "calls.mounts", "nothing mounted, unmounted or remounted",
                [
                    "mount tmpfs", "mount proc", "remount root", "unmount proc", "fsopen", "open_tree clone", "chroot",
                    "open_by_handle_at",
                ]),
            refused(
                "calls.others", "no process traced or read by another",
                ["trace child", "process_vm_readv parent", "pidfd_getfd parent", "kcmp"]),
            refused(
                "calls.kernel", "no keys, bpf, io_uring, perf, userfaultfd, nor what the filter does not know",
                [
                    "keyctl", "add_key", "request_key", "bpf", "io_uring_setup", "perf_event_open", "userfaultfd",
                    "fanotify_init", "set_mempolicy", "syslog", "clone3", "personality no randomisation",
                    "personality read implies exec", "unknown call",
                ]),
            sockets,
            Check(
                "calls.needed", "what programs do need is allowed: just-in-time code, sockets, routes",
                tried: "mprotect(), socket()",
                Expectation.attempts(
                    [
                        "write then execute memory", "personality query", "socket unix stream", "socket unix pair",
                        "socket inet stream", "socket netlink route",
                    ], are: "ok")),
        ]
        #if arch(x86_64)
            checks.append(
                Check(
                    "calls.architectures", "32-bit and x32 calls end who makes them", tried: "int 0x80, x32",
                    Expectation.attempts(["x32", "int80"], are: "signal SYS")))
        #endif
        return checks
    }

    private var filter: Check {
        Check(
            "calls.filter", "system calls pass a filter", keys: ["process.systemCalls"], tried: "/proc/self/status",
            [.fact("process", "seccomp", is: "2")],
            judge: { evidence in
                // clawjail installs two; whoever started it may have more.
                let filters = evidence.inside.fact(["process", "seccompFilters"]).flatMap { Int($0) } ?? 0
                return Judgement(filters >= 2, "mode 2, \(filters) filters")
            })
    }

    /// Which call of the profile's list allows an attempt.
    private static let calls = [
        "mount": ["mount tmpfs", "mount proc", "remount root"], "umount2": ["unmount proc"],
        "open_tree": ["open_tree clone"], "unshare": ["unshare "], "ptrace": ["trace child"],
        "process_vm_readv": ["process_vm_readv parent"], "pidfd_getfd": ["pidfd_getfd parent"],
        "clone": ["clone newuser"], "clone3": ["clone3", "clone3 newuser"], "personality": ["personality "],
    ]

    private func refused(_ id: String, _ promise: String, _ attempts: [String]) -> Check {
        let allowed = plan.seccomp.additional.flatMap { Self.calls[$0] ?? [$0] }
        let left = attempts.filter { attempt in
            !allowed.contains { $0 == attempt || ($0.hasSuffix(" ") && attempt.hasPrefix($0)) }
        }
        return Check(
            id, promise, keys: ["process.systemCalls"], tried: "\(left.count) calls",
            Expectation.attempts(left, are: "errno EPERM", "errno ENOSYS"))
    }

    private var sockets: Check {
        let families = ["packet", "alg", "vsock", "key", "xdp", "bluetooth", "tipc", "dccp"]
        let netlink = ["sock_diag", "xfrm", "audit", "netfilter", "uevent", "generic"].map { "netlink \($0)" }
        let rights = ["raw icmp", "raw icmp6", "raw ip", "mark", "set interface"]
        return Check(
            "calls.sockets", "no raw sockets, none of other families, no change of the network",
            tried: "\(families.count + netlink.count + rights.count) kinds",
            (families + netlink + rights).map {
                Expectation(
                    .attempt("socket \($0)"),
                    [
                        "errno EAFNOSUPPORT", "errno ESOCKTNOSUPPORT", "errno EPROTONOSUPPORT", "errno EPERM",
                        "errno ENOSYS", "errno EACCES",
                    ])
            })
    }
}
