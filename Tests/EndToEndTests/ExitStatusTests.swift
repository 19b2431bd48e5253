import Foundation
import Testing

@Suite struct ExitStatusTests {
    @Test(arguments: Caller.all, [0, 1, 42, 125, 255]) func `the command's status is passed through`(
        caller: Caller, status: Int32
    ) throws {
        let finished = try Jail(caller).script("exit \(status)")
        #expect(finished.status == status)
        #expect(finished.errors.isEmpty)
    }

    @Test(arguments: Caller.all, [("KILL", 137), ("TERM", 143), ("SEGV", 139), ("INT", 130)] as [(String, Int32)])
    func `128+N for a command ended by signal N`(caller: Caller, signal: (name: String, status: Int32)) throws {
        let jail = try Jail(caller)
        #expect(try jail.script("kill -\(signal.name) $$").status == signal.status)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `127 for a command that is not there`(caller: Caller) throws {
        try Jail(caller).run("no-such-program").expectRefusal(127, "no-such-program")
        try Jail(caller).run("/usr/bin/no-such-program").expectRefusal(127, "/usr/bin/no-such-program")
    }

    @Test(arguments: Caller.all) func `126, and the line to write, for a program that is not listed`(caller: Caller)
        throws
    {
        let finished = try Jail(caller, Profiles.offline).run("ls")
        finished.expectRefusal(126, "'ls' is not in the programs", "extends:", "programs: [\"ls\"]")
    }

    @Test(arguments: Caller.all) func `126 for a file that is no program`(caller: Caller) throws {
        try Jail(caller).run("/etc/passwd").expectRefusal(126, "/etc/passwd")
    }

    @Test(arguments: Caller.all) func `125 for a launch that fails`(caller: Caller) throws {
        let profile = Profiles.session("process: { workingDirectory: '/not/there' }")
        try Jail(caller, profile).run("/bin/true").expectRefusal(125, "/not/there", "process.workingDirectory")
    }

    @Test(arguments: Caller.all) func `64 for wrong usage`(caller: Caller) throws {
        let jail = try Jail(caller)
        #expect(try jail.start(words: ["run", "--no-such-option", "--", "true"]).wait().status == 64)
        #expect(try jail.start(words: ["no-such-command"]).wait().status == 64)
        #expect(try jail.start(words: ["run", "--profile", jail.profile]).wait().status == 64)
        #expect(try jail.run(["--memory", "lots"], command: ["/bin/true"]).status == 64)
        #expect(try jail.run(["--status-fd", "9"], command: ["/bin/true"]).status == 64)
    }

    @Test(.needsRoot) func `78 for root without a user to run as`() throws {
        let jail = try Jail(.root)
        let finished = try jail.start(words: ["run", "--profile", jail.profile, "--", "/bin/true"]).wait()
        finished.expectRefusal(78, "no user is named", "--user")
    }

    @Test(.needsRoot) func `78 for an ordinary user who names another one`() throws {
        let finished = try Jail(.user).run(["--user", "nobody"], command: ["/bin/true"])
        finished.expectRefusal(78, "process.user is 'nobody'")
    }

    // MARK: --status-fd

    private func events(_ caller: Caller, command: [String], before: String = "") throws -> (
        lines: [[String: Any]], status: Int32
    ) {
        var jail = try Jail(caller)
        let file = "\(try Scratch.directory("status", mode: 0o777))/events"
        jail.before = before + "\nexec 5>'\(file)'"
        let finished = try jail.run(["--status-fd", "5"], command: command)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let lines = try text.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        return (lines, finished.status)
    }

    @Test(arguments: Caller.all) func `--status-fd tells the start and the end as JSON lines`(caller: Caller) throws {
        let (lines, status) = try events(caller, command: ["/bin/sh", "-c", "exit 7"])
        #expect(status == 7)
        #expect(lines.map { $0["event"] as? String } == ["started", "exited"])
        #expect((lines.first?["init"] as? NSNumber)?.intValue ?? 0 > 1)
        #expect((lines.last?["status"] as? NSNumber)?.intValue == 7)
    }

    @Test(arguments: Caller.all) func `--status-fd tells a refusal`(caller: Caller) throws {
        let (lines, status) = try events(caller, command: ["no-such-program"])
        #expect(status == 127)
        #expect(lines.map { $0["event"] as? String } == ["failed"])
        #expect((lines.last?["status"] as? NSNumber)?.intValue == 127)
        #expect((lines.last?["message"] as? String)?.contains("no-such-program") == true)
    }

    @Test(arguments: Caller.all) func `--status-fd stays outside`(caller: Caller) throws {
        let (lines, status) = try events(caller, command: ["/bin/sh", "-c", "[ ! -e /proc/self/fd/5 ]"])
        #expect(status == 0)
        #expect(lines.count == 2)
    }
}
