extension SystemCallRules {
    static func list(shell: Bool, additional: [String]) -> [SystemCallRule] {
        var rules = (SystemCallList.allowed + additional).map { SystemCallRule(.allow, $0) }
        rules += SystemCallList.refused.filter { !additional.contains($0) }
            .map { SystemCallRule(.errno(notPermitted), $0) }
        // No new namespaces. clone3 is not in the list: its flags lie behind a pointer, and libc falls back to clone.
        rules.append(SystemCallRule(.allow, "clone", .masked(0, mask: newNamespaces, equals: 0)))
        // UNIX, INET, INET6, and of netlink the routing family, without which getifaddrs(3) fails.
        for family: UInt64 in [1, 2, 10] { rules.append(SystemCallRule(.allow, "socket", .equal(0, family))) }
        rules.append(SystemCallRule(.allow, "socket", .equal(0, 16), .equal(2, 0)))
        for family: UInt64 in [0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15] {
            rules.append(SystemCallRule(.errno(noFamily), "socket", .equal(0, family)))
        }
        rules.append(SystemCallRule(.errno(noFamily), "socket", .greater(0, 16)))
        rules.append(SystemCallRule(.allow, "socketpair", .equal(0, 1)))
        for option in SystemCallList.prctlOptions { rules.append(SystemCallRule(.allow, "prctl", .equal(0, option))) }
        // Only what personality(2) is by default, and the question what it is.
        for persona: UInt64 in [0, 0xFFFF_FFFF] {
            rules.append(SystemCallRule(.allow, "personality", .equal(0, persona)))
        }
        rules.append(SystemCallRule(.allow, "ioctl"))
        if shell {
            rules.append(SystemCallRule(.allow, "memfd_create"))
            rules.append(SystemCallRule(.allow, "execveat"))
        } else {
            // MFD_NOEXEC_SEAL: memory that can never be executed. AT_EMPTY_PATH: the descriptor itself.
            rules.append(SystemCallRule(.allow, "memfd_create", .masked(1, mask: 0x8, equals: 0x8)))
            rules.append(SystemCallRule(.allow, "execveat", .masked(4, mask: 0x1000, equals: 0)))
        }
        return rules
    }

    /// CLONE_NEW* of all namespaces but time, whose bit clone(2) has for something else.
    package static let newNamespaces: UInt64 = 0x7E02_0000

    static let denied: [SystemCallRule] = {
        // TIOCSTI types into a terminal, TIOCLINUX pastes into a console, TIOCSETD loads line disciplines.
        var rules = [0x5412, 0x541C, 0x5423].map { (request: UInt64) in
            SystemCallRule(.errno(notPermitted), "ioctl", .masked(1, mask: 0xFFFF_FFFF, equals: request))
        }
        // Init has the payload's user, and so the kernel would let it change init's limits and its share of the processor.
        for call in ["prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"] {
            rules.append(SystemCallRule(.errno(notPermitted), call, .masked(0, mask: 0xFFFF_FFFF, equals: 1)))
        }
        for call in ["setpriority", "ioprio_set"] {
            rules.append(SystemCallRule(.errno(notPermitted), call, .masked(1, mask: 0xFFFF_FFFF, equals: 1)))
        }
        return rules + setID
    }()

    /// No set-user-ID and set-group-ID files. Inside they mean nothing (every mount is nosuid); but in a directory of the
    /// host's they would let any other user of the host act as this one.
    private static let setID: [SystemCallRule] = {
        let modes: [(call: String, argument: UInt32)] = [
            ("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("mkdir", 1), ("mkdirat", 2), ("mknod", 1),
            ("mknodat", 2), ("creat", 1),
        ]
        var rules: [SystemCallRule] = []
        for bit: UInt64 in [0o4000, 0o2000] {
            for (call, argument) in modes {
                rules.append(SystemCallRule(.errno(notPermitted), call, .masked(argument, mask: bit, equals: bit)))
            }
            // The mode counts where a file can come into being: O_CREAT, or the bit that is O_TMPFILE's own.
            for flag: UInt64 in [0o100, 0o20_000_000] {
                rules.append(
                    SystemCallRule(
                        .errno(notPermitted), "open", .masked(1, mask: flag, equals: flag),
                        .masked(2, mask: bit, equals: bit)))
                rules.append(
                    SystemCallRule(
                        .errno(notPermitted), "openat", .masked(2, mask: flag, equals: flag),
                        .masked(3, mask: bit, equals: bit)))
            }
        }
        // Its mode lies behind a pointer; programs fall back to openat.
        rules.append(SystemCallRule(.errno(notThere), "openat2"))
        return rules
    }()
}
