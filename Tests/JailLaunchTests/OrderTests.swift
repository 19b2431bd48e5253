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

    /// The lines of init: the one process that pivots.
    static func traceOfInit(_ directory: TemporaryDirectory, data: String) throws -> [String] {
        let profile = try directory.file(
            "order.json5",
            """
            { process: { programs: ["true"] }, filesystem: { tmp: "1M", data: { size: "1M", source: "\(data)" } },
              optional: ["cgroup", "landlock", "time"] }
            """)
        let name = "order-\(System.processID)"
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
        let pid = try #require(lines.first { $0.call.hasPrefix("pivot_root(") }).pid
        return lines.filter { $0.pid == pid }.map(\.call)
    }

    @Test func `each wall is built after what it would forbid, and before the command`() throws {
        let directory = try TemporaryDirectory(mode: 0o755)
        let data = try directory.directory("data", mode: 0o700)
        try System.changeOwner(data, uid: 65534, gid: 65534)
        let lines = try Self.traceOfInit(directory, data: data)
        var position = 0
        for step in Self.steps {
            let wanted = step.contains == "%DATA%" ? data : step.contains
            let found = lines[position...].firstIndex { $0.hasPrefix(step.call) && $0.contains(wanted) }
            guard let found else {
                Issue.record("'\(step.name)' does not come after the step before it")
                return
            }
            position = found + 1
        }
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
}
