import Foundation
import Testing

/// Nothing of the caller's state reaches the command.
@Suite struct CleanStartTests {
    private func facts(_ caller: Caller, before: String, wrapper: [String] = []) throws -> Probe {
        var jail = try Jail(caller)
        jail.before = before
        jail.wrapper = wrapper
        return try Probe.inside(jail, arguments: ["--facts"])
    }

    @Test(arguments: Caller.all) func `descriptors: three, whatever the caller had open`(caller: Caller) throws {
        let probe = try facts(caller, before: "exec 3</etc/passwd 4</ 5>&2 7<>/dev/zero")
        #expect(probe.descriptors == [0, 1, 2])
    }

    @Test(arguments: Caller.all) func `environment: only what the profile passes`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.environment = [
            "SECRET_TOKEN": "x", "LD_PRELOAD": "", "NODE_OPTIONS": "--inspect", "TZ": "UTC", "HOME": jail.home,
            "BASH_ENV": "/x",
        ]
        let environment = try Probe.inside(jail, options: ["--env", "GIVEN=by hand"], arguments: ["--facts"])
            .environment
        #expect(Set(environment.keys) == ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "GIVEN"])
        #expect(environment["HOME"] == "/home/claw")
        #expect(environment["USER"] == "claw")
        #expect(environment["GIVEN"] == "by hand")
    }

    @Test(arguments: Caller.all, ["077", "000"]) func `file mode mask: 022`(caller: Caller, mask: String) throws {
        #expect(try facts(caller, before: "umask \(mask)").text("process", "umask") == "22")
    }

    @Test(arguments: Caller.all) func `working directory: the jail's`(caller: Caller) throws {
        #expect(try facts(caller, before: "cd /var/log").text("process", "cwd") == "/")
    }

    @Test(.needsRoot) func `scheduling: no advantage over others`() throws {
        let probe = try facts(.root, before: "", wrapper: ["nice", "-n", "-5"])
        #expect(probe.number("process", "nice") == 0)
        #expect(probe.number("process", "scheduler") == 0)
        let batch = try facts(.root, before: "", wrapper: ["chrt", "--batch", "0"])
        #expect(batch.number("process", "scheduler") == 0)
    }

    @Test(arguments: Caller.all) func `signals: none ignored, as under nohup`(caller: Caller) throws {
        let probe = try facts(caller, before: "trap '' HUP INT QUIT TERM USR1 PIPE CHLD")
        #expect(probe.text("process", "ignoredSignals") == "0000000000000000")
    }

    @Test(.needs("perl"), arguments: Caller.all) func `signals: none blocked`(caller: Caller) throws {
        let block = "use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(1, 2, 10, 12, 15, 17)); exec @ARGV"
        let probe = try facts(caller, before: "", wrapper: ["perl", "-e", block])
        #expect(probe.text("process", "blockedSignals") == "0000000000000000")
    }

    @Test(.needsRoot) func `groups: none of root's`() throws {
        let probe = try facts(.root, before: "", wrapper: ["setpriv", "--groups=0,4,27,42", "--"])
        #expect(probe.groups.isEmpty)
    }

    /// On the host as well: not hidden by the map, but gone.
    @Test(.needsRoot) func `groups: none as the host sees it`() throws {
        var jail = try Jail(.root)
        jail.wrapper = ["setpriv", "--groups=0,4,27,42", "--"]
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 20"])
        defer { running.signal(SIGTERM) }
        for pid in try Tree.descendants(of: running.pid) {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let groups = status.split(separator: "\n").first { $0.hasPrefix("Groups:") }
            #expect(groups?.trimmingCharacters(in: .whitespaces) == "Groups:", "\(pid)")
        }
        running.signal(SIGTERM)
        _ = try running.wait()
    }

    @Test(.needs("perl"), arguments: Caller.all) func `keyring: not the caller's`(caller: Caller) throws {
        #if arch(x86_64)
            let (addKey, keyctl) = (248, 250)
        #else
            let (addKey, keyctl) = (217, 219)
        #endif
        // A session keyring of its own with a key in it, see keyctl(2).
        let keep = """
            my ($type, $name, $secret) = ("user", "e2e-secret", "x"); syscall(\(keyctl), 1, 0) > 0 or exit 95; \
            syscall(\(addKey), $type, $name, $secret, 1, -3) > 0 or exit 96; exec @ARGV
            """
        var jail = try Jail(
            caller, "{ extends: 'session', process: { programs: ['PROBE'], systemCalls: ['keyctl'] } }".json)
        jail.wrapper = ["perl", "-e", keep]
        let inside = try Probe.inside(jail, arguments: ["--key", "e2e-secret"])
        #expect(inside.result("keyctl") == "ok")
        #expect(inside.result("key e2e-secret") == "errno ENOKEY")
        let outside = try Running(
            ["perl", "-e", keep, Host.probe, "--key", "e2e-secret"], environment: Host.environment
        ).wait()
        #expect(try Probe(outside.output).result("key e2e-secret") == "ok")
    }

    @Test(arguments: Caller.all) func `limits: the profile's, and no cores`(caller: Caller) throws {
        let probe = try facts(caller, before: "ulimit -S -n 4000; ulimit -c unlimited 2>/dev/null || true")
        #expect(probe.limit("core") == ["0", "0"])
        #expect(probe.limit("openFiles") == ["1024", "1024"])
    }

    @Test(arguments: Caller.all) func `limits: soft limits of the caller's shell stay with it`(caller: Caller) throws {
        let probe = try facts(caller, before: "ulimit -S -s 2048; ulimit -S -f 100000; ulimit -S -t 500")
        #expect(probe.limit("stack")[0] != "2097152")
        #expect(probe.limit("fileSize")[0] == probe.limit("fileSize")[1])
        #expect(probe.limit("cpu")[0] == probe.limit("cpu")[1])
    }

    @Test(arguments: Caller.all) func `terminal: not the caller's`(caller: Caller) throws {
        let terminal = try TerminalSession(try Jail(caller), options: [], command: [Host.probe, "--facts"])
        let finished = try terminal.finish()
        let probe = try Probe(Data(finished.output.drop { $0 != UInt8(ascii: "{") }))
        // A pipe stands in its place, which the supervisor feeds from the terminal.
        #expect(probe.section("process")["standardInputIsTerminal"] as? Bool == false)
        #expect(probe.section("process")["controllingTerminal"] as? Bool == false)
        #expect(probe.number("process", "session") == probe.number("process", "pid"))
    }

    @Test(arguments: Caller.all) func `death signal: none that a program would not expect`(caller: Caller) throws {
        let probe = try facts(caller, before: "")
        #expect(probe.number("process", "parentDeathSignal") == 0)
        #expect(probe.number("process", "dumpable") == 1)
        #expect(probe.text("process", "personality") == "00000000")
    }
}
