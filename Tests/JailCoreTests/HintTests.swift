import JailCore
import Testing

struct `The hints table` {
    /// Every entry of the table, by what leads to it, and a word that only its text has.
    static let entries: [(Stage, KernelCall, Errno, String)] = [
        (.clone, .clone3, .notPermitted, "unprivileged user namespaces"),
        (.clone, .clone3, .noSpace, "unprivileged user namespaces"),
        (.clone, .clone3, .notImplemented, "Linux 5.15"),
        (.clone, .clone3, .wouldBlock, "ulimit -u"),
        (.apparmor, .write, .notFound, "apparmor_parser -r"),
        (.apparmor, .write, .accessDenied, "change_profile -> &"),
        (.apparmor, .write, .notPermitted, "change_profile -> &"),
        (.apparmor, .check, .invalid, "aa-status"),
        (.identity, .write, .notPermitted, "forbids id maps"),
        (.mounts, .fsmount, .notPermitted, "partly masked"),
        (.mounts, .fsconfig, .notPermitted, "partly masked"),
        (.mounts, .openTree, .accessDenied, "permissions of every directory above"),
        (.mounts, .openTree, .notFound, "when the launch was planned"),
        (.mounts, .check, .stale, "replaced between planning and mounting"),
        (.mounts, .moveMount, .noSpace, "fs.mount-max"),
        (.landlock, .landlockCreateRuleset, .notSupported, "lsm="),
        (.landlock, .landlockCreateRuleset, .notImplemented, "lsm="),
        (.cgroup, .mkdirat, .accessDenied, "Delegate=yes"),
        (.cgroup, .openat2, .accessDenied, "Delegate=yes"),
        (.cgroup, .mkdirat, .notPermitted, "Delegate=yes"),
        (.cgroup, .mkdirat, .readOnly, "mounted read-only"),
        (.runtime, .write, .noSpace, "disk is full"),
        (.network, .bind, .addressInUse, "another program listens"),
        (.network, .bind, .accessDenied, "below 1024"),
    ]

    @Test(arguments: entries)
    func `each failure that a person can mend has its hint`(
        stage: Stage, call: KernelCall, errno: Errno, word: String
    ) throws {
        let hint = try #require(Hints.hint(stage: stage, call: call, errno: errno))
        #expect(hint.contains(word))
        #expect(!hint.contains("\n") && !hint.hasSuffix("."))
        #expect(hint.prefix(1) == hint.prefix(1).lowercased() || hint.hasPrefix("AppArmor") || hint.hasPrefix("Linux"))
    }

    @Test func `these say exactly this`() {
        #expect(
            Hints.hint(stage: .mounts, call: .openTree, errno: .notFound)
                == "it was there when the launch was planned; start again")
        #expect(
            Hints.hint(stage: .network, call: .bind, errno: .addressInUse)
                == "another program listens there; publish another port with --publish HOSTPORT:PORT")
        #expect(
            Hints.hint(stage: .mounts, call: .openTree, errno: .accessDenied)
                == "the user that the jail runs as cannot reach it: check the permissions of every directory above it")
    }

    @Test func `what nobody can mend has none`() {
        #expect(Hints.hint(stage: .seccomp, call: .seccomp, errno: .invalid) == nil)
        #expect(Hints.hint(stage: .exec, call: .clone3, errno: .notPermitted) == nil)
        #expect(Hints.hint(stage: .network, call: .listen, errno: .addressInUse) == nil)
    }

    @Test func `an error takes its hint from the table, unless it brings one`() {
        let call = SystemError(.bind, .addressInUse)
        #expect(JailError(.network, call).hint?.contains("--publish") == true)
        #expect(JailError(.network, call, hint: "own").hint == "own")
    }
}
