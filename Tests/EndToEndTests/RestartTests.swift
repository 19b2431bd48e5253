import Foundation
import Glibc
import Testing

/// A jail that is started again, and the process that sees to it.
@Suite(.needs("python3")) struct RestartTests {
    /// A profile with /data and a restart policy.
    private static func profile(_ restart: String, _ more: String = "") -> String {
        """
        { extends: 'session', process: { stopGrace: '2s' }, filesystem: { data: { size: '16M' } },
          restart: { \(restart) }, \(more) }
        """.json
    }

    private static let quick = "on: 'failure', delay: '100ms', longest: '400ms', most: 3, within: '1m'"
    private static let patient = "on: 'failure', delay: '50s', longest: '1m'"

    /// Counts its starts in /data, says which it is, and goes on as `script` says with that number in `n`.
    private static func counting(_ script: String) -> [String] {
        [
            "/bin/sh", "-c",
            "n=$(cat /data/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /data/n; echo run $n; " + script,
        ]
    }

    private func words(_ jail: Jail, _ words: String...) throws -> Finished { try jail.start(words: words).wait() }

    /// What lasts of a jail, and of a test that has failed.
    private func clear(_ jail: Jail, _ running: Running? = nil) {
        running?.signal(SIGKILL)
        for place in ["data/\(jail.name)", "logs/\(jail.name).log", "baselines/\(jail.name).json"] {
            _ = try? shell("rm -rf -- \"$1\"", "\(jail.stateDirectory)/\(place)")
        }
    }

    private func row(_ jail: Jail) throws -> [String] {
        let line = try words(jail, "ps").lines.first { $0.hasPrefix(jail.name + " ") } ?? ""
        return line.split(separator: " ").map(String.init)
    }

    private func awaitState(_ jail: Jail, _ state: String) throws -> Bool {
        try eventually(10) { try row(jail).dropFirst(3).first == state }
    }

    /// The supervisor below a guardian.
    private func supervisor(_ running: Running) throws -> Int32 {
        var found: [Int32] = []
        #expect(
            eventually(5) {
                found = Tree.children(of: running.pid)
                return found.count == 1
            }, "\(found)")
        return try #require(found.first)
    }

    @Test(arguments: Caller.all) func `a command that fails twice and then stays is started twice`(caller: Caller)
        throws
    {
        let jail = try Jail(caller, Self.profile(Self.quick))
        let running = try jail.startAndAwait("run 3", command: Self.counting("[ $n -ge 3 ] || exit 5; exec sleep 61"))
        defer { clear(jail, running) }
        #expect(running.text == "run 1\nrun 2\nrun 3\n")
        #expect(
            running.errorText == """
                clawjail: restart: exit status 5; it is started again in 100ms, number 1
                clawjail: restart: exit status 5; it is started again in 200ms, number 2

                """)
        let row = try row(jail)
        #expect(row[2] == "\(running.pid)" && row[3] == "runs", "\(row)")
        let seen = try words(jail, "inspect", jail.name).text
        #expect(seen.contains("restarts     2; process \(running.pid) watches over it"), "\(seen)")
        #expect(try words(jail, "exec", jail.name, "--", "/bin/true").status == 0)
        // Once it has returned nothing is left, and the name is free.
        #expect(try words(jail, "stop", jail.name).status == 0)
        try jail.expectNothingLeft()
        #expect(try running.wait().status == 143)
        let log = try words(jail, "audit", "show", jail.name).text
        #expect(log.components(separatedBy: "restarting: exit status 5, number ").count == 3, "\(log)")
        #expect(try words(jail, "audit", "verify", jail.name).status == 0)
    }

    @Test(arguments: Caller.all) func `too many restarts end it, with its status and the reason`(caller: Caller) throws
    {
        let jail = try Jail(
            caller, Self.profile("on: 'always', delay: '100ms', longest: '100ms', most: 2, within: '1m'"))
        defer { clear(jail) }
        let finished = try jail.run(command: Self.counting("exit $((n - 3 ? 0 : 7))"))
        #expect(finished.text == "run 1\nrun 2\nrun 3\n")
        #expect(finished.status == 7, "\(finished.errors)")
        #expect(
            finished.errorLines.last
                == "clawjail: restart: exit status 7, and it was started again 2 times within 1m already: it stays ended"
        )
        #expect(
            try words(jail, "audit", "show", jail.name).text.contains("restarts ended: restart: exit status 7"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `while it waits, the guardian answers for it`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile(Self.patient))
        let running = try jail.start(command: Self.counting("exit 3"))
        defer { clear(jail, running) }
        #expect(try awaitState(jail, "waiting"), "\(running.errorText)")
        #expect(Tree.children(of: running.pid).isEmpty)
        let seen = try words(jail, "inspect", jail.name).text
        #expect(
            seen.contains(": waiting\n") && seen.contains("waits        exit status 3; started again in "), "\(seen)")
        let json = try words(jail, "ps", "--json").lines.first { $0.contains(jail.name) } ?? ""
        #expect(json.contains("\"waiting\":{\"until\":") && json.contains("\"restarts\":1"), "\(json)")
        try words(jail, "exec", jail.name, "--", "/bin/true").expectRefusal(121, "has ended (exit status 3)")
        try jail.run("/bin/true").expectRefusal(122, "a jail named '\(jail.name)' is running")
        #expect(try words(jail, "stats", jail.name).status == 0)
        #expect(try words(jail, "top", "--once").text.contains("waiting"))
        // Its data stands still by itself, and is the whole of it.
        let made = try words(jail, "data", "snapshot", jail.name)
        #expect(made.text.contains(", consistent, "), "\(made.text) \(made.errors)")
        #expect(try words(jail, "stop", jail.name).status == 0)
        try jail.expectNothingLeft()
        #expect(try running.wait().status == 3)
        #expect(running.text == "run 1\n")
        _ = try shell("rm -rf -- \"$1\"", "\(jail.stateDirectory)/snapshots/\(jail.name)")
    }

    @Test(arguments: Caller.all) func `a pause holds the next start, and resume lets it come`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile("on: 'failure', delay: '3s', longest: '3s'"))
        let running = try jail.start(command: Self.counting("[ $n -ge 2 ] || exit 3; exec sleep 62"))
        defer { clear(jail, running) }
        #expect(try awaitState(jail, "waiting"))
        #expect(try words(jail, "pause", jail.name).status == 0)
        usleep(3_500_000)
        #expect(running.text == "run 1\n")
        #expect(try words(jail, "resume", jail.name).status == 0)
        #expect(eventually(5) { running.text == "run 1\nrun 2\n" })
        running.signal(SIGTERM)
        #expect(try running.wait().status == 143)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `signals are the guardian's, and those that end it end it for good`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Self.profile("on: 'always', delay: '100ms'"))
        let script = "trap 'echo usr; wait' USR1; trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"
        let running = try jail.startAndAwait("up", command: Self.counting(script))
        defer { clear(jail, running) }
        running.signal(SIGUSR1)
        #expect(eventually(5) { running.text.contains("usr\n") })
        // The whole process group, as timeout(1) and a terminal do: one stop, and not two.
        kill(-running.pid, SIGTERM)
        #expect(try running.wait().status == 9)
        #expect(running.errorText.isEmpty, "\(running.errorText)")
        try jail.expectNothingLeft()
        let waiting = try Jail(caller, Self.profile(Self.patient))
        let other = try waiting.start(command: Self.counting("exit 3"))
        defer { clear(waiting, other) }
        #expect(try awaitState(waiting, "waiting"))
        other.signal(SIGINT)
        #expect(try other.wait(5).status == 3)
        try waiting.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a detached jail is started again, logged and stopped`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile(Self.quick))
        defer { clear(jail) }
        let started = try jail.run(["--detach"], command: Self.counting("[ $n -ge 2 ] || exit 4; exec sleep 63"))
        #expect(started.status == 0 && started.errors.isEmpty && started.output.isEmpty, "\(started.errors)")
        let log = "\(jail.stateDirectory)/logs/\(jail.name).log"
        let expected =
            "run 1\nclawjail: restart: exit status 4; it is started again in 100ms, number 1\nrun 2\n"
        #expect(eventually(5) { (try? String(contentsOfFile: log, encoding: .utf8)) == expected })
        #expect(try words(jail, "stop", jail.name).status == 0)
        try jail.expectNothingLeft()
        #expect(try jail.run("/bin/true").status == 0)
    }

    @Test(arguments: Caller.all) func `one that is unhealthy is stopped and started again`(caller: Caller) throws {
        let health =
            "health: { exec: ['/bin/sh', '-c', '[ -e /tmp/well ]'], startPeriod: '10s', interval: '100ms', retries: 2 }"
        let jail = try Jail(
            caller, Self.profile("on: 'unhealthy', delay: '100ms'", health + ", network: { publish: [] }"))
        let script = "touch /tmp/well; [ $n -ge 2 ] || { sleep 1; rm /tmp/well; }; exec sleep 64"
        let running = try jail.startAndAwait("run 2", command: Self.counting(script))
        defer { clear(jail, running) }
        #expect(
            running.errorText.contains("clawjail: restart: unhealthy: 2 times in a row: "), "\(running.errorText)")
        #expect(try awaitState(jail, "healthy"))
        running.signal(SIGTERM)
        #expect(try running.wait().status == 143)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a guardian that is killed takes everything with it`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile(Self.quick))
        let running = try jail.startAndAwait("run 1", command: Self.counting("exec sleep 65"))
        defer { clear(jail, running) }
        let below = try Tree.descendants(of: running.pid)
        #expect(below.count >= 3)
        running.signal(SIGKILL)
        #expect(eventually(5) { !below.contains(where: Tree.isAlive) })
        // The supervisor has cleared up behind both of them.
        try jail.expectNothingLeft()
        // One that waits leaves a directory without a lock, which stands in nobody's way.
        let other = try Jail(caller, Self.profile(Self.patient))
        let waiting = try other.start(command: Self.counting("[ $n -lt 2 ] && exit 3"))
        defer { clear(other, waiting) }
        #expect(try awaitState(other, "waiting"))
        waiting.signal(SIGKILL)
        #expect(eventually(5) { waiting.status != nil })
        #expect(try other.run(command: Self.counting("exit 0")).status == 0)
        try other.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a supervisor that is killed is a failure, and everything is made anew`(
        caller: Caller
    ) throws {
        let port = try Listeners.freePort()
        let jail = try Jail(caller, Self.profile(Self.quick, "network: { publish: ['\(port):7000'] }"))
        let running = try jail.startAndAwait("run 1", command: Self.counting("exec sleep 66"))
        defer { clear(jail, running) }
        let first = try supervisor(running)
        // The command speaks a moment before its supervisor knows, and has told, that it runs.
        #expect(try awaitState(jail, "runs"))
        moment(0.2)
        kill(first, SIGKILL)
        #expect(
            eventually(10) { running.text.contains("run 2\n") },
            "\(running.errorText), status \(running.status ?? -1)")
        #expect(running.errorText.hasPrefix("clawjail: restart: its supervisor was killed by signal 9; "))
        // What it had left was in nobody's way.
        #expect(running.errorText.split(separator: "\n").count == 1, "\(running.errorText)")
        let second = try supervisor(running)
        #expect(second != first)
        let row = try row(jail)
        #expect(row.contains("127.0.0.1:\(port):7000"), "\(row)")
        #expect(try words(jail, "exec", jail.name, "--", "/bin/sh", "-c", "[ $(cat /data/n) = 2 ]").status == 0)
        #expect(try words(jail, "stop", jail.name).status == 0)
        #expect(!Tree.isAlive(second))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `what another start would not mend is not tried again`(caller: Caller) throws {
        for status in [78, 127] as [Int32] {
            let jail = try Jail(caller, Self.profile("on: 'always', delay: '100ms'"))
            defer { clear(jail) }
            let finished = try jail.run(command: Self.counting("exit \(status)"))
            #expect(finished.status == status && finished.text == "run 1\n")
            #expect(finished.errors.contains("restart: status \(status) is none that another start would mend"))
            try jail.expectNothingLeft()
        }
        let never = try Jail(caller, Self.profile("on: 'always', delay: '100ms'"))
        defer { clear(never) }
        try never.run("no-such-program").expectRefusal(127, "no-such-program")
        try never.run(["--detach"], command: ["no-such-program"]).expectRefusal(127, "no-such-program")
        try never.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a jail that is locked down is not started again`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile("on: 'always', delay: '2s'"))
        let running = try jail.start(command: Self.counting("exit 3"))
        defer { clear(jail, running) }
        defer { _ = try? words(jail, "unlock", jail.name, "--reason", "test") }
        #expect(try awaitState(jail, "waiting"))
        #expect(try words(jail, "lockdown", jail.name, "--reason", "test", "--no-evidence").status == 0)
        #expect(try running.wait().status == 3)
        #expect(running.text == "run 1\n")
        try jail.expectNothingLeft()
        #expect(try words(jail, "unlock", jail.name, "--reason", "test").status == 0)
        let again = try jail.startAndAwait("run 2", command: Self.counting("exec sleep 67"))
        defer { again.signal(SIGKILL) }
        #expect(try words(jail, "lockdown", jail.name, "--reason", "test", "--no-evidence").status == 0)
        #expect(try again.wait().status == 78)
        #expect(again.text == "run 2\n" && !again.errorText.contains("restart:"), "\(again.errorText)")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a terminal comes back as it was, also from one that was killed`(caller: Caller)
        throws
    {
        let jail = try Jail(caller, Self.profile("on: 'failure', delay: '1s'"))
        defer { clear(jail) }
        let session = try TerminalSession(
            jail, options: ["--tty"], command: Self.counting("[ $n -ge 2 ] && exit 0; exec sleep 68"))
        let before = session.attributes
        try session.expect("run 1")
        #expect(session.attributes != before)
        #expect(try awaitState(jail, "runs"))
        moment(0.2)
        kill(try supervisor(session.running), SIGKILL)
        try session.expect("started again in 1s")
        #expect(session.attributes == before)
        try session.expect("run 2")
        #expect(try session.finish().status == 0)
        #expect(session.attributes == before)
        try jail.expectNothingLeft()
    }

    /// Who is behind the socket, as the kernel says: whom a lockdown kills that gets no answer.
    @Test func `the socket names who is behind it`() throws {
        let jail = try Jail(Caller.all[0], Self.profile("on: 'failure', delay: '40s', longest: '1m'"))
        let running = try jail.startAndAwait("run 1", command: Self.counting("exec sleep 69"))
        defer { clear(jail, running) }
        let below = try supervisor(running)
        #expect(try peer(jail) == below)
        kill(below, SIGKILL)
        #expect(try awaitState(jail, "waiting"))
        #expect(try peer(jail) == running.pid)
    }

    private func peer(_ jail: Jail) throws -> Int32 {
        let script = """
            import os, socket, struct, sys
            os.chdir(sys.argv[1])
            caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            caller.connect("control.sock")
            print(struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
            """
        let said = try shell("exec python3 -c \"$1\" \"$2\"", script, "\(jail.runtimeDirectory)/\(jail.name)")
        return try #require(Int32(said.lines.first ?? ""), "\(said.errors)")
    }

    @Test func `what a rule has stopped stays stopped`() throws {
        let rule = "alerts: { rules: [{ name: 'loud', watch: 'stderr', above: '1K', actions: ['stop'] }] }"
        let jail = try Jail(Caller.all[0], Self.profile("on: 'always', delay: '100ms'", rule))
        defer { clear(jail) }
        let script = "yes | head -c 4096 >&2; while :; do sleep 0.05; done"
        let finished = try jail.run(command: Self.counting(script))
        #expect(finished.text == "run 1\n" && !finished.errors.contains("restart:"), "\(finished.errors.suffix(300))")
        try jail.expectNothingLeft()
    }

    @Test func `a service manager does it by itself, and that is said`() throws {
        var jail = try Jail(Caller.all[0], Self.profile("on: 'always', delay: '100ms'"))
        defer { clear(jail) }
        jail.environment["NOTIFY_SOCKET"] = "@nobody-listens-here"
        let finished = try jail.run(command: Self.counting("exit 3"))
        #expect(finished.status == 3 && finished.text == "run 1\n")
        #expect(finished.errors.contains("restart is left to the service manager"), "\(finished.errors)")
    }

    @Test func `a profile that changes meanwhile counts from the next start on, and one that is wrong ends it`() throws
    {
        let jail = try Jail(Caller.all[0], Self.profile("on: 'failure', delay: '1s'"))
        let running = try jail.start(command: Self.counting("exit 3"))
        defer { clear(jail, running) }
        #expect(try awaitState(jail, "waiting"))
        try Scratch.write("{ extends: 'session', nonsense: 1 }", to: jail.profile)
        #expect(try running.wait().status == 78)
        #expect(
            running.text == "run 1\n" && running.errorText.contains("unknown key 'nonsense'"), "\(running.errorText)")
        try jail.expectNothingLeft()
    }
}
