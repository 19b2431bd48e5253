import JailCore
import TestSupport
import Testing

/// The order of confinement, as the kernel sees it: a trace of one launch, and the calls that init makes in it.
@Suite(.needsRoot, .needs("strace", "script"), .timeLimit(.minutes(2)))
struct `The order of confinement` {
    /// Each step, by what its line in the trace begins with and contains; a step comes after the one above it.
    static let steps: [(name: String, call: String, contains: String)] = [
        ("namespaces", "unshare(", "CLONE_NEWNS"),
        ("cgroup namespace", "unshare(", "CLONE_NEWCGROUP"),
        ("descriptors closed", "close_range(", "4294967295"),
        ("clocks", "openat2(", "timens_offsets"),
        ("data cloned", "open_tree(", "%DATA%"),
        ("group", "setresgid(", "1000"),
        ("user", "setresuid(", "1000"),
        ("death with the supervisor", "prctl(PR_SET_PDEATHSIG", "SIGKILL"),
        ("session", "setsid(", ""),
        ("keyring", "keyctl(KEYCTL_JOIN_SESSION_KEYRING", "NULL"),
        ("loopback", "ioctl(", "SIOCSIFFLAGS"),
        ("sources cloned", "open_tree(", "/dev/null"),
        ("root", "fsopen(\"tmpfs\"", ""),
        ("proc", "fsopen(\"proc\"", ""),
        ("pivot", "pivot_root(\".\", \".\"", ""),
        ("old root", "umount2(\".\", MNT_DETACH", ""),
        ("root read-only", "mount_setattr(", "MOUNT_ATTR_RDONLY"),
        ("terminal", "openat(AT_FDCWD, \"/dev/ptmx\"", ""),
        ("limits", "prlimit64(0, RLIMIT_CORE, {", ""),
        ("landlock", "landlock_restrict_self(", ""),
        ("bounding set", "prctl(PR_CAPBSET_DROP", ""),
        ("secure bits", "prctl(PR_SET_SECUREBITS", "SECBIT_NOROOT_LOCKED"),
        ("capabilities", "capset(", "effective=0, permitted=0, inheritable=0"),
        ("no new privileges", "prctl(PR_SET_NO_NEW_PRIVS, 1", ""),
        ("not dumpable", "prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE", ""),
        ("filter of arguments", "seccomp(SECCOMP_SET_MODE_FILTER", ""),
        ("filter of calls", "seccomp(SECCOMP_SET_MODE_FILTER", ""),
        ("command", "vfork(", ""),
    ]

    /// Those of the process above the way out.
    static let stepsOfEgress: [(name: String, call: String, contains: String)] = [
        ("namespaces", "unshare(", "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC"),
        ("supervisor's word", "recvmsg(", ""),
        ("score for memory", "openat2(", "oom_score_adj"),
        ("control socket", "dup3(", "4, O_CLOEXEC"),
        ("program", "dup3(", "5, O_CLOEXEC"),
        ("input", "dup3(", "0, 0)"),
        ("output", "dup3(", "1, 0)"),
        ("errors", "dup3(", "2, 0)"),
        ("number of the channel closed", "close_range(", "3, 3,"),
        ("descriptors closed", "close_range(", "6, 4294967295"),
        ("cgroup namespace", "unshare(", "CLONE_NEWCGROUP"),
        ("groups", "setgroups(", "0, []"),
        ("group", "setresgid(", "1000"),
        ("user", "setresuid(", "1000"),
        ("death with the supervisor", "prctl(PR_SET_PDEATHSIG", "SIGKILL"),
        ("supervisor still there", "poll(", "fd=4"),
        ("session", "setsid(", ""),
        ("keyring", "keyctl(KEYCTL_JOIN_SESSION_KEYRING", "NULL"),
        ("root", "fsopen(\"tmpfs\"", ""),
        ("pivot", "pivot_root(\".\", \".\"", ""),
        ("old root", "umount2(\".\", MNT_DETACH", ""),
        ("root read-only", "mount_setattr(", "MOUNT_ATTR_RDONLY"),
        ("root empty", "getdents64(", ""),
        ("limits", "prlimit64(0, RLIMIT_CORE, {", ""),
        ("bounding set", "prctl(PR_CAPBSET_DROP", ""),
        ("secure bits", "prctl(PR_SET_SECUREBITS", "SECBIT_NOROOT_LOCKED"),
        ("capabilities", "capset(", "effective=0, permitted=0, inheritable=0"),
        ("no new privileges", "prctl(PR_SET_NO_NEW_PRIVS, 1", ""),
        ("not dumpable", "prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE", ""),
        ("order to start", "recvmsg(", ""),
        ("gateway", "vfork(", ""),
    ]

    /// The calls of that process of a launch which makes one that begins so; what another interrupted, in one.
    static func trace(
        _ name: String, _ directory: TemporaryDirectory, _ profile: String, ofWhoCalls known: String
    ) throws -> [String] {
        let profile = try directory.file("order.json5", profile)
        let name = "\(name)-\(System.processID)"
        let command =
            "strace -f -s 200 -o \(directory.path)/trace \(try Program.built("clawjail")) run --tty "
            + "--profile \(profile) --name \(name) --user nobody -- true"
        let script = try #require(Program.path(of: "script"))
        let result = try Program.run(script, ["-qefc", command, "/dev/null"])
        #expect(result.status == 0, "\(result.output)")
        let lines = String(decoding: try System.readFile("\(directory.path)/trace", limit: 64 << 20), as: UTF8.self)
            .split(separator: "\n").map { line in
                let rest = line.drop { $0 != " " }.drop { $0 == " " }
                return (pid: line.prefix { $0 != " " }, call: String(rest))
            }
        let pid = try #require(lines.first { $0.call.hasPrefix(known) }).pid
        let calls = lines.filter { $0.pid == pid }.map(\.call)
        return calls.enumerated().compactMap { (index, call) -> String? in
            if call.hasPrefix("<... ") { return nil }
            guard call.hasSuffix(" <unfinished ...>") else { return call }
            // Of one process the next line is the other half.
            let rest = index + 1 < calls.count ? calls[index + 1].split(separator: " resumed>", maxSplits: 1).last : nil
            return String(call.dropLast(" <unfinished ...>".count)) + (rest ?? "")
        }
    }

    /// The first step that does not come after the one before it; nil: there is none.
    static func missing(
        _ steps: [(name: String, call: String, contains: String)], in lines: [String], data: String = ""
    ) -> String? {
        var position = 0
        for step in steps {
            let wanted = step.contains == "%DATA%" ? data : step.contains
            let found = lines[position...].firstIndex { $0.hasPrefix(step.call) && $0.contains(wanted) }
            guard let found else { return step.name }
            position = found + 1
        }
        return nil
    }

    @Test func `each wall is built after what it would forbid, and before the command`() throws {
        let directory = try TemporaryDirectory(mode: 0o755)
        let data = try directory.directory("data", mode: 0o700)
        try System.changeOwner(data, uid: 65534, gid: 65534)
        let profile = """
            { process: { programs: ["true"] }, filesystem: { tmp: "1M", data: { size: "1M", source: "\(data)" } },
              optional: ["cgroup", "landlock", "time"] }
            """
        let lines = try Self.trace("order", directory, profile, ofWhoCalls: "pivot_root(")
        #expect(Self.missing(Self.steps, in: lines, data: data) == nil)
        // What must have ended when the next begins.
        func last(_ call: String, _ contained: String = "") -> Int {
            lines.lastIndex { $0.hasPrefix(call) && $0.contains(contained) } ?? -1
        }
        func first(_ call: String, _ contained: String = "") -> Int {
            lines.firstIndex { $0.hasPrefix(call) && $0.contains(contained) } ?? lines.count
        }
        #expect(last("move_mount(") < first("landlock_restrict_self("))
        #expect(last("mount_setattr(") < first("landlock_restrict_self("))
        #expect(last("open_tree(") < first("pivot_root("))
        #expect(first("setresuid(") < first("open_tree(", "/usr/"))
        #expect(last("prctl(PR_CAPBSET_DROP") < first("capset("))
        #expect(last("seccomp(SECCOMP_SET_MODE_FILTER") < first("vfork("))
        #expect(!lines[first("seccomp(SECCOMP_SET_MODE_FILTER")...].contains { $0.hasPrefix("openat2(") })
    }

    @Test func `the process above the way out gives up everything before it starts the gateway`() throws {
        let directory = try TemporaryDirectory(mode: 0o755)
        let profile = """
            { process: { programs: ["true"] }, network: { allow: [{ hosts: ["example.org"] }] },
              optional: ["cgroup", "landlock", "time"] }
            """
        let lines = try Self.trace(
            "order-out", directory, profile, ofWhoCalls: "prctl(PR_SET_NAME, \"egress-init\"")
        #expect(Self.missing(Self.stepsOfEgress, in: lines) == nil)
        let start = lines.firstIndex { $0.hasPrefix("vfork(") } ?? 0
        // Nothing of the host is opened once it is out of sight, and no right is used once it is given up.
        let pivot = lines.firstIndex { $0.hasPrefix("pivot_root(") } ?? 0
        #expect(lines[pivot...].filter { $0.hasPrefix("open") && !$0.contains("\"/\"") } == [])
        let dropped = lines.lastIndex { $0.hasPrefix("capset(") } ?? 0
        let needRights = [
            "unshare(", "set", "mount", "umount2(", "move_mount(", "fs", "pivot_root(", "open", "prlimit64(",
        ]
        #expect(lines[dropped..<start].filter { line in needRights.contains { line.hasPrefix($0) } } == [])
        #expect(!lines[start...].contains { $0.hasPrefix("open") || $0.hasPrefix("socket") })
    }
}
