import Foundation
import Glibc
import Testing

/// The probe tells the difference: what it reports as impossible inside is possible outside.
@Suite struct ProbeTests {
    /// What every jail refuses, and this machine allows to whoever runs the tests.
    static let refusedInside = [
        "mount tmpfs", "mount proc", "remount root", "fsopen", "open_tree clone", "chroot", "set host name",
        "unshare user", "unshare mount", "unshare pid", "unshare net", "unshare ipc", "unshare uts", "unshare cgroup",
        "setns", "trace child", "open_by_handle_at", "tiocsti", "tiocsti high bit", "become root", "setgroups",
        "keyctl",
        "add_key", "bpf", "io_uring_setup", "perf_event_open", "userfaultfd", "kcmp", "syslog",
        "process_vm_readv parent",
        "clone newuser", "clone3", "clone3 newuser", "personality no randomisation", "socket raw icmp", "socket packet",
        "socket netlink audit", "socket netlink generic", "socket mark", "socket set interface", "create in /",
        "create in /usr", "create in /etc", "create in /dev", "execute from /tmp", "execute from /dev/shm",
        "map executable from /tmp", "make device in /tmp", "write /proc/sys/kernel/core_pattern",
    ]

    /// Debian 13 and others mount /tmp without devices.
    private static func isImpossibleHere(_ attempt: String) -> Bool {
        var status = statvfs()
        guard attempt == "make device in /tmp", unsafe statvfs("/tmp", &status) == 0 else { return false }
        // ST_NODEV of statvfs(3).
        return status.f_flag & 4 != 0
    }

    @Test(.needsRoot) func `unconfined, the probe can do what it finds impossible inside`() throws {
        let probe = try Probe.unconfined()
        for attempt in Self.refusedInside where !Self.isImpossibleHere(attempt) {
            #expect(probe.result(attempt) == "ok", "\(attempt)")
        }
        #expect(probe.pids.contains(1))
        #expect(probe.capabilities["effective"] != "0000000000000000")
    }

    @Test(arguments: Caller.all, [Profiles.session, Profiles.offline, Profiles.research])
    func `inside, the same attempts are refused`(caller: Caller, profile: String) throws {
        let probe = try Probe.inside(Jail(caller, profile))
        for attempt in Self.refusedInside { #expect(probe.result(attempt) != "ok", "\(attempt)") }
    }

    @Test(.needs("bwrap")) func `under bubblewrap the probe finds other walls than under clawjail`() throws {
        let command = [
            "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev",
            "--tmpfs",
            "/tmp", try Host.probe,
        ]
        let probe = try Probe(Running(command, environment: Host.environment).wait().output)
        // Its namespaces are seen,
        #expect(!probe.namespaces.isEmpty)
        #expect(probe.namespaces["pid"] != (try Probe.unconfined(["--facts"])).namespaces["pid"])
        #expect(probe.result("create in /usr") != "ok")
        // and so is what it leaves to its user.
        #expect(probe.result("keyctl") == "ok")
        #expect(probe.result("io_uring_setup") == "ok")
        #expect(probe.result("unshare user") == "ok")
        #expect(probe.result("execute from /tmp") == "ok")
        #expect(probe.result("personality no randomisation") == "ok")
        #expect(probe.text("process", "seccomp") == "0")
    }

    @Test func `no attempt hangs or fails to be made`() throws {
        let probe = try Probe.unconfined()
        #expect(probe.attempts.count > 100)
        for (attempt, result) in probe.attempts {
            #expect(
                result == "ok" || result.hasPrefix("errno ") || result.hasPrefix("signal "), "\(attempt): \(result)")
        }
    }

    @Test func `an unknown option is refused with status 64`() throws {
        let finished = try Running([Host.probe, "--what"], environment: Host.environment).wait()
        #expect(finished.status == 64)
        #expect(finished.errors.hasPrefix("jailprobe: usage:"))
    }
}
