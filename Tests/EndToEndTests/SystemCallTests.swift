import Foundation
import Testing

@Suite struct SystemCallTests {
    /// Known, and refused.
    static let forbidden = [
        "mount tmpfs", "mount proc", "remount root", "unmount proc", "fsopen", "open_tree clone", "chroot",
        "set host name",
        "unshare user", "unshare mount", "unshare pid", "unshare net", "unshare ipc", "unshare uts", "unshare cgroup",
        "unshare time", "setns", "trace child", "open_by_handle_at", "kcmp", "syslog", "process_vm_readv parent",
        "pidfd_getfd parent", "tiocsti", "tiocsti high bit", "tioclinux", "line discipline", "setgroups",
    ]
    /// Not in the list, so that programs take an older way.
    static let unknown = [
        "keyctl", "add_key", "request_key", "bpf", "io_uring_setup", "perf_event_open", "userfaultfd", "fanotify_init",
        "set_mempolicy", "clone newuser", "clone3", "clone3 newuser", "personality no randomisation",
        "personality read implies exec", "unknown call",
    ]
    static let profiles = [Profiles.session, Profiles.offline, Profiles.research]

    @Test(arguments: profiles) func `what a jail does not need is refused`(profile: String) throws {
        let probe = try Probe.inside(Jail(Caller.all[0], profile))
        for call in Self.forbidden { #expect(probe.result(call) == "errno EPERM", "\(call)") }
        for call in Self.unknown { #expect(probe.result(call) == "errno ENOSYS", "\(call)") }
        #expect(probe.text("process", "seccomp") == "2")
        #expect(probe.text("process", "seccompFilters") == "2")
    }

    @Test(arguments: Caller.all) func `32-bit and x32 calls end the caller`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller))
        #if arch(x86_64)
            #expect(probe.result("x32") == "signal SYS")
            #expect(probe.result("int80") == "signal SYS")
        #endif
    }

    @Test(arguments: profiles) func `what a just-in-time compiler needs is allowed`(profile: String) throws {
        let probe = try Probe.inside(Jail(Caller.all[0], profile))
        // A kernel before 6.3 knows no memory files that cannot be executed, and such profiles then have none.
        let sealed = FileManager.default.fileExists(atPath: "/proc/sys/vm/memfd_noexec") ? ["memfd sealed"] : []
        for call in ["write then execute memory", "personality query", "socket unix stream", "socket unix pair"]
            + sealed
        {
            #expect(probe.result(call) == "ok", "\(call)")
        }
    }

    @Test func `only a profile with a shell has executable memory files`() throws {
        let strict = try Probe.inside(Jail(Caller.all[0], Profiles.offline))
        for attempt in ["memfd", "memfd execveat", "memfd execve"] {
            #expect(strict.result(attempt) != "ok", "\(attempt)")
        }
        let shell = try Probe.inside(Jail(Caller.all[0], Profiles.session))
        #expect(shell.result("memfd execveat") == "ok")
    }

    @Test(arguments: profiles) func `sockets are of the internet, of UNIX and of routing only`(profile: String) throws {
        let probe = try Probe.inside(Jail(Caller.all[0], profile))
        for allowed in ["inet stream", "inet datagram", "inet6 stream", "netlink route"] {
            #expect(probe.result("socket \(allowed)") == "ok", "\(allowed)")
        }
        for family in ["packet", "vsock", "alg", "key", "xdp", "bluetooth", "tipc"] {
            #expect(probe.result("socket \(family)") == "errno EAFNOSUPPORT", "\(family)")
        }
        for kind in ["sock_diag", "xfrm", "audit", "netfilter", "uevent", "generic"] {
            #expect(probe.result("socket netlink \(kind)").hasPrefix("errno "), "\(kind)")
        }
        for kind in ["raw icmp", "raw icmp6", "raw ip", "mark", "set interface"] {
            #expect(probe.result("socket \(kind)") == "errno EPERM", "\(kind)")
        }
    }

    @Test func `a profile can allow one call more`() throws {
        let profile = "{ extends: 'session', process: { programs: ['PROBE'], systemCalls: ['kcmp'] } }".json
        let probe = try Probe.inside(Jail(Caller.all[0], profile))
        #expect(probe.result("kcmp") == "ok")
        #expect(probe.result("keyctl") == "errno ENOSYS")
    }

    @Test func `an unknown system call in a profile is refused`() throws {
        let profile = "{ extends: 'session', process: { systemCalls: ['no_such_call'] } }".json
        try Jail(Caller.all[0], profile).run("/bin/true").expectRefusal(78, "no_such_call")
    }
}
