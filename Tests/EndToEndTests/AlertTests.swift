import Foundation
import Glibc
import Testing

/// Alerts of jails that run: what sets them off, and what they do.
@Suite struct AlertTests {
    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(20)
    }

    /// A program of the host's that keeps what it is told, and the file that it keeps it in.
    private func keeper() throws -> (program: String, file: String) {
        let directory = try Scratch.directory("alerts")
        unsafe chmod(directory, 0o755)
        // Whoever is not trusted could put another program there.
        if Host.isRoot { unsafe chown(directory, 0, 0) }
        let file = directory + "/told"
        try Scratch.write("", to: file)
        unsafe chmod(file, 0o666)
        let program = directory + "/keep"
        try Scratch.write(
            "#!/bin/sh\ncat >> '\(file)'\ngrep -E 'NoNewPrivs|CapEff' /proc/self/status > '\(file).rights'\n",
            to: program)
        unsafe chmod(program, 0o755)
        try Scratch.write("", to: file + ".rights")
        unsafe chmod(file + ".rights", 0o666)
        return (program, file)
    }

    private func content(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    private func alerts(_ rules: String, _ more: String = "") -> String {
        Profiles.session("alerts: { \(more) rules: [\(rules)] }")
    }

    @Test(arguments: Caller.all) func `a command of the host is told what was executed in the jail`(
        caller: Caller
    ) throws {
        let (program, file) = try keeper()
        let jail = try Jail(
            caller,
            alerts(
                "{ name: 'who', watch: 'commands', matching: ['*whoami*'], actions: ['command'] }",
                "command: ['\(program)'],"))
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/echo", "hello").status == 0)
        for _ in 0..<3 { #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/echo", "whoami").status == 0) }
        #expect(eventually { content(file).hasSuffix("\n") })
        let lines = content(file).split(separator: "\n")
        #expect(lines.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
        #expect(object?["event"] as? String == "alert" && object?["rule"] as? String == "who")
        #expect(object?["seen"] as? String == "/bin/echo whoami" && object?["jail"] as? String == jail.name)
        // Of root's rights CAP_DAC_OVERRIDE is left, and no program gives more back.
        let rights = content(file + ".rights").split(separator: "\n").map { $0.split(separator: "\t").last ?? "" }
        #expect(rights == [caller == .root ? "0000000000000002" : "0000000000000000", "1"])
        running.signal(SIGTERM)
        let finished = try running.wait()
        // The others are told as one when the jail ends, to the log and to the command.
        let said = finished.errorLines.filter { $0.contains("alert, warning: who:") }
        #expect(said.count == 2 && said[1].contains("seen 2 times more"), "\(finished.errors)")
        #expect(content(file).split(separator: "\n").count == 2)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `much on standard error stops the jail, and all of it arrives`(caller: Caller)
        throws
    {
        let jail = try Jail(caller, alerts("{ name: 'loud', watch: 'stderr', above: '1K', actions: ['stop'] }"))
        let finished = try jail.script(
            "trap 'exit 7' TERM; head -c 3000 /dev/zero | tr '\\0' x >&2; while :; do sleep 0.05; done")
        #expect(finished.status == 7, "\(finished.errors)")
        #expect(finished.errors.filter { $0 == "x" }.count >= 3000)
        #expect(finished.errors.contains("alert, warning: loud: more than 1K on standard error within 1m"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `little on standard error is nobody's business`(caller: Caller) throws {
        let jail = try Jail(caller, alerts("{ name: 'loud', watch: 'stderr', above: '4K', actions: ['stop'] }"))
        let finished = try jail.script("head -c 3000 /dev/zero | tr '\\0' x >&2; sleep 0.3; echo out; exit 4")
        #expect(finished.status == 4 && finished.text == "out\n" && finished.errors.utf8.count == 3000)
    }

    @Test(arguments: Caller.all) func `a detached jail's standard error is counted, and stays in its log`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, alerts("{ name: 'loud', watch: 'stderr', above: '1K', actions: ['stop'] }"))
        let log = "\(jail.stateDirectory)/logs/\(jail.name).log"
        defer { unsafe unlink(log) }
        let script = "echo out; head -c 3000 /dev/zero | tr '\\0' x >&2; exec sleep 60"
        #expect(try jail.run(["--detach"], command: ["/bin/sh", "-c", script]).status == 0)
        #expect(eventually { !FileManager.default.fileExists(atPath: "\(jail.runtimeDirectory)/\(jail.name)") })
        let text = content(log)
        #expect(text.contains("out\n") && text.filter { $0 == "x" }.count >= 3000)
        #expect(text.contains("clawjail: alert, warning: loud:"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a jail is paused by an alert, and again after it was let go on`(
        caller: Caller
    ) throws {
        let jail = try Jail(
            caller, alerts("{ name: 'who', watch: 'commands', matching: ['*whoami*'], actions: ['pause'] }"))
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        // It stands still with the jail, if it has not ended before: nobody waits for it here.
        let words = ["exec", jail.name, "--", "/bin/sh", "-c", "echo whoami; sleep 1"]
        let first = try jail.start(words: words)
        #expect(try eventually { try clawjail(jail, "ps").text.contains("paused") })
        // Whoever lets it go on has looked; the next one pauses it again.
        #expect(try clawjail(jail, "resume", jail.name).status == 0)
        #expect(try first.wait().status == 0)
        let second = try jail.start(words: words)
        #expect(try eventually { try clawjail(jail, "ps").text.contains("paused") })
        running.signal(SIGTERM)
        #expect(try running.wait().status == 143)
        _ = try second.wait()
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `memory in use is looked at now and then`(caller: Caller) throws {
        let jail = try Jail(
            caller, alerts("{ name: 'big', watch: 'memory', above: '20M', severity: 'critical', actions: ['stop'] }"))
        let finished = try jail.script("head -c 40M /dev/zero > /tmp/x; exec sleep 60", seconds: 30)
        #expect(finished.status == 143, "\(finished.errors)")
        #expect(
            finished.errors.contains("alert, critical: big: more than 20M of memory in use: 4"), "\(finished.errors)")
    }

    @Test(arguments: Caller.all) func `denials by the hundred are two lines, and the supervisor still answers`(
        caller: Caller
    ) throws {
        let rules =
            "{ name: 'many', watch: 'denials', above: 10 }, { name: 'onion', watch: 'hosts', matching: ['*.onion'] }"
        let jail = try Jail(
            caller,
            Profiles.session("network: { allow: [{ hosts: ['example.org'] }] }, alerts: { rules: [\(rules)] }"))
        let script = """
            echo up; getent ahosts x.onion; for i in $(seq 200); do getent ahosts h$i.example.net; done; echo done
            exec sleep 60
            """
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", script])
        #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/echo", "on").text == "on\n")
        #expect(eventually(30) { running.text.contains("done\n") })
        #expect(eventually { running.errorText.contains("onion: a host like *.onion is asked for: x.onion") })
        running.signal(SIGTERM)
        let finished = try running.wait()
        let lines = finished.errorLines.filter { $0.contains("alert, warning: many:") }
        #expect(lines.count == 2 && lines[0].hasSuffix(": 11") && lines[1].contains("times more"), "\(lines)")
    }

    @Test(arguments: Caller.all) func `what was allowed is told to the rules though nobody else listens`(
        caller: Caller
    ) throws {
        let origin = try Origin("here")
        let jail = try Jail(
            caller,
            Profiles.session(
                "network: { allow: [{ hosts: ['127.0.0.1'], schemes: ['http'], ports: [\(origin.port)] }], "
                    + "allowPrivate: ['127.0.0.0/8'] }, "
                    + "alerts: { rules: [{ name: 'busy', watch: 'connections', above: 2, actions: ['stop'] }] }"))
        let finished = try jail.script(
            "for i in 1 2 3 4; do curl -s -m 5 -x $http_proxy http://127.0.0.1:\(origin.port)/; done; exec sleep 60")
        #expect(finished.status == 143, "\(finished.errors)")
        #expect(
            finished.errors.contains("busy: more than 2 connections and requests within 1m: 3"), "\(finished.errors)")
    }

    @Test(arguments: Caller.all) func `what is usual is learned, kept, and compared at the next start`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, alerts("{ name: 'hour', watch: 'unusualHour', learn: '0s', severity: 'info' }"))
        let file = "\(jail.stateDirectory)/baselines/\(jail.name).json"
        defer { unsafe unlink(file) }
        for isFirst in [true, false] {
            let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
            #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/true").status == 0)
            running.signal(SIGTERM)
            let errors = try running.wait().errors
            // Unless the hour has just ended.
            #expect(errors.contains("alert, info: hour:") == isFirst, "\(errors)")
            #expect(content(file).contains("\"version\":1"))
        }
        try Scratch.write("{}", to: file)
        unsafe chmod(file, 0o600)
        let finished = try jail.run("/bin/true")
        #expect(finished.status == 0 && finished.errors.contains("it is learned anew"), "\(finished.errors)")
    }

    @Test(arguments: Caller.all) func `a program that the jail could replace is none to start`(caller: Caller) throws {
        let rule = "{ name: 'a', watch: 'denials', above: 1, actions: ['command'] }"
        let shared = try Scratch.directory("shared", mode: 0o755)
        if Host.isRoot { unsafe chown(shared, try Host.user.get().uid, try Host.user.get().gid) }
        try Scratch.write("#!/bin/sh\n", to: shared + "/x")
        unsafe chmod(shared + "/x", 0o755)
        for command in ["['\(shared)/x']", "['/bin/sh', '\(shared)/x']"] {
            let jail = try Jail(
                caller,
                Profiles.session(
                    "filesystem: { write: ['\(shared)'] }, alerts: { rules: [\(rule)], command: \(command) }"))
            try jail.run("/bin/true").expectRefusal(78, "alerts.command names it", "the jail may write to '\(shared)'")
        }
        let jail = try Jail(caller, alerts(rule, "command: ['/nowhere/x'],"))
        try jail.run("/bin/true").expectRefusal(78, "alerts.command names it", "no such file")
    }

    @Test(arguments: Caller.all) func `a rule can be tried without a jail`(caller: Caller) throws {
        let (program, file) = try keeper()
        let rule = "{ name: 'try', watch: 'denials', above: 1, actions: ['command', 'pause'] }"
        let jail = try Jail(caller, alerts(rule, "command: ['\(program)'],"))
        let finished = try clawjail(jail, "alerts", "test", "--profile", jail.profile, "try")
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(finished.text.contains("command: done\n") && finished.text.contains("pause: not tried"))
        #expect(content(file).contains("\"rule\":\"try\""))
        try clawjail(jail, "alerts", "test", "--profile", jail.profile, "tri").expectRefusal(64, "did you mean 'try'?")
    }
}
