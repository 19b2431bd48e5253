import Foundation
import Testing

@Suite struct VisibilityTests {
    @Test(arguments: Caller.all) func `no other process is visible, not even init`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller))
        #expect(probe.pids == [probe.number("process", "pid") ?? 0])
        for file in ["exe", "environ", "mem", "root", "fd", "cwd", "maps", "stack", "io"] {
            #expect(probe.result("read /proc/1/\(file)").hasPrefix("errno "), "\(file)")
        }
        #expect(probe.result("list threads of init").hasPrefix("errno "))
    }

    @Test(arguments: Caller.all) func `a process of the host can be neither seen nor signalled`(caller: Caller) throws {
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        let probe = try Probe.inside(Jail(caller), arguments: ["--signal", own, "--read", "/proc/\(own)/stat"])
        #expect(probe.result("signal \(own)") == "errno ESRCH")
        #expect(probe.result("read /proc/\(own)/stat") == "errno ENOENT")
    }

    /// `hidepid` hides what may not be traced: init, because it is not dumpable.
    @Test func `the payload's own processes see one another`() throws {
        let finished = try Jail(Caller.all[0]).script(
            "sleep 5 & sleep 0.3; ls -d /proc/[0-9]* | wc -l; cat /proc/$!/comm; kill $!")
        #expect(finished.lines.last == "sleep")
        // The shell, sleep, ls, wc.
        #expect((Int(finished.lines.first?.trimmingCharacters(in: .whitespaces) ?? "") ?? 0) >= 3)
    }

    /// Init's memory, and the supervisor's, are closed to others of the same user.
    @Test(.needsRoot) func `another process of the user's cannot look into the supervisor`() throws {
        let jail = try Jail(.user)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 69"])
        defer { running.signal(15) }
        let user = try Host.user.get()
        let script = "cat /proc/$1/environ > /dev/null && echo read; readlink /proc/$1/exe && echo exe; ls /proc/$1/fd"
        for pid in [running.pid] + Tree.children(of: running.pid) {
            let look = [
                "setpriv", "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups", "/bin/sh", "-c", script,
                "sh", "\(pid)",
            ]
            #expect(try Running(look, environment: Host.environment).wait().text == "", "\(pid)")
        }
        running.signal(15)
        _ = try running.wait()
    }

    @Test(arguments: Caller.all) func `the clocks begin with the jail`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller), arguments: ["--facts"])
        #expect((probe.number("host", "monotonicSeconds") ?? 999) < 30)
        #expect((probe.number("host", "bootSeconds") ?? 999) < 30)
        #expect((Double(probe.text("host", "uptime").split(separator: " ").first ?? "") ?? 999) < 30)
    }

    @Test(arguments: Caller.all) func `the machine that is shown is the jail's`(caller: Caller) throws {
        let inside = try Probe.inside(Jail(caller), arguments: ["--facts"])
        let outside = try Probe.unconfined(["--facts"])
        #expect(inside.text("host", "name") == "clawjail")
        #expect(inside.text("host", "bootID") != outside.text("host", "bootID"))
        #expect(inside.text("host", "bootID").count == 36)
        #expect(inside.text("host", "memory") == "524288 kB")
        #expect(inside.number("host", "shownProcessors") == 1)
        #expect(inside.text("host", "commandLine") == "")
        #expect(inside.text("host", "load").hasPrefix("0.00 0.00 0.00"))
        #expect(!inside.text("process", "cgroup").contains("clawjail"))
    }

    @Test(arguments: Caller.all) func `the boot id is another one in every jail`(caller: Caller) throws {
        let ids = try (0..<2).map { _ in try Probe.inside(Jail(caller), arguments: ["--facts"]).text("host", "bootID") }
        #expect(ids[0] != ids[1])
    }

    @Test(arguments: Caller.all) func `no listener of the host can be reached`(caller: Caller) throws {
        let listeners = try Listeners()
        let arguments = ["--port", "\(listeners.port)", "--abstract", listeners.name, "--socket", listeners.path]
        let inside = try Probe.inside(Jail(caller), arguments: arguments)
        #expect(inside.result("connect \(listeners.port)") == "errno ECONNREFUSED")
        #expect(inside.result("connect @\(listeners.name)") == "errno ECONNREFUSED")
        #expect(inside.result("connect \(listeners.path)") == "errno ENOENT")
        let outside = try Probe.unconfined(arguments)
        for target in ["\(listeners.port)", "@\(listeners.name)", listeners.path] {
            #expect(outside.result("connect \(target)") == "ok", "\(target)")
        }
    }
}
