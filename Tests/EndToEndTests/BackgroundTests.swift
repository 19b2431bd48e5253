import Foundation
import Glibc
import Testing

@Suite struct BackgroundTests {
    private func words(_ jail: Jail, _ words: String...) throws -> Finished { try jail.start(words: words).wait() }

    private func removeLogs(_ jail: Jail) {
        for suffix in [".log", ".log.1"] { unsafe unlink("\(jail.stateDirectory)/logs/\(jail.name)\(suffix)") }
    }

    private func detach(_ jail: Jail, _ script: String) throws {
        let finished = try jail.run(["--detach"], command: ["/bin/sh", "-c", script])
        try #require(finished.status == 0, "\(finished.errors)")
        #expect(finished.errors.isEmpty && finished.output.isEmpty)
    }

    @Test(arguments: Caller.all) func `a detached jail runs on, is listed, and stops`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        try detach(jail, "trap 'exit 0' TERM; while :; do sleep 0.05; done")
        let rows = try words(jail, "ps").lines
        #expect(rows.first?.hasPrefix("NAME") == true)
        let row = try #require(rows.first { $0.contains(jail.name) })
        let supervisor = try #require(Int32(row.split(separator: " ")[2]))
        #expect(Tree.isAlive(supervisor))
        #expect(try words(jail, "stop", jail.name).status == 0)
        #expect(eventually(3) { !Tree.isAlive(supervisor) })
        #expect(try !words(jail, "ps").text.contains(jail.name))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `ps --json tells what runs`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        try detach(jail, "sleep 65")
        let text = try words(jail, "ps", "--json").lines.first { $0.contains(jail.name) }
        let state = try JSONSerialization.jsonObject(with: Data((text ?? "").utf8)) as? [String: Any]
        #expect(state?["name"] as? String == jail.name)
        #expect(state?["command"] as? [String] == ["/bin/sh", "-c", "sleep 65"])
        #expect(try words(jail, "stop", jail.name).status == 0)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `stop --kill does not wait for the grace`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        try detach(jail, "trap '' TERM; while :; do sleep 0.05; done")
        let start = Date()
        #expect(try words(jail, "stop", "--kill", jail.name).status == 0)
        #expect(Date().timeIntervalSince(start) < 5)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a name that is running is refused`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        try detach(jail, "sleep 66")
        try jail.run("/bin/true").expectRefusal(122, "a jail named '\(jail.name)' is running", "clawjail stop")
        // The one that runs is untouched.
        #expect(try words(jail, "ps").text.contains(jail.name))
        #expect(try words(jail, "stop", jail.name).status == 0)
        #expect(try jail.run("/bin/true").status == 0)
    }

    @Test(arguments: Caller.all) func `a start that fails is told in the foreground`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        try jail.run(["--detach"], command: ["no-such-program"]).expectRefusal(127, "no-such-program")
        let profile = Profiles.session("process: { workingDirectory: '/not/there' }")
        let other = try Jail(caller, profile)
        defer { removeLogs(other) }
        try other.run(["--detach"], command: ["/bin/true"]).expectRefusal(125, "/not/there")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `stop of a name that is not running says so`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        try words(jail, "stop", "nobody-here").expectRefusal(120, "no jail named 'nobody-here' is running")
        try words(jail, "stop", "../x").expectRefusal(64, "is not a name")
    }

    @Test(arguments: Caller.all) func `the log holds what was printed`(caller: Caller) throws {
        let jail = try Jail(caller)
        defer { removeLogs(jail) }
        let log = "\(jail.stateDirectory)/logs/\(jail.name).log"
        try detach(jail, "echo first; echo second >&2; exit 3")
        #expect(eventually(5) { (try? String(contentsOfFile: log, encoding: .utf8)) == "first\nsecond\n" })
        var status = stat()
        #expect(unsafe stat(log, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        // What was started is read for the log before the jail's name is free.
        #expect(eventually(10) { (try? jail.isGone) == true })
        try jail.expectNothingLeft()
    }

    @Test func `the log has a bound`() throws {
        let jail = try Jail(Caller.all[0])
        defer { removeLogs(jail) }
        let log = "\(jail.stateDirectory)/logs/\(jail.name).log"
        // 40 MiB, of which at most twice 16 are kept, the last line among them.
        try detach(jail, "yes 0123456789abcde | head -c 41943040; echo the end")
        #expect(eventually(30) { !FileManager.default.fileExists(atPath: "\(jail.runtimeDirectory)/\(jail.name)") })
        let sizes = [log, log + ".1"].map { (FileManager.default.contents(atPath: $0) ?? Data()).count }
        #expect(sizes.allSatisfy { $0 <= 16 << 20 }, "\(sizes)")
        #expect(sizes[1] > 15 << 20, "\(sizes)")
        #expect((FileManager.default.contents(atPath: log) ?? Data()).suffix(8) == Data("the end\n".utf8))
    }
}
