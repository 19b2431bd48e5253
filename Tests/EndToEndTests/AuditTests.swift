import Foundation
import Glibc
import Testing

/// The log of a jail as its supervisor leaves it on disk: what is in it, and what is not.
@Suite(.serialized, .needs("curl")) struct AuditTests {
    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(30)
    }

    @Test(arguments: Caller.all) func `a run's log has its beginning, its decisions and its end, and verifies`(
        caller: Caller
    ) throws {
        let origin = try Origin("here")
        let jail = try Jail(
            caller,
            Profiles.session(
                "network: { allow: [{ hosts: ['127.0.0.1'], ports: [\(origin.port)], schemes: ['http'] }], "
                    + "allowPrivate: ['127.0.0.1/32'] }"))
        let log = AuditLogFiles(jail: jail)
        defer { log.remove() }
        let finished = try jail.script(
            "ask() { curl -s -o /dev/null -m 9 \"$@\"; }; ask http://127.0.0.1:\(origin.port)/; "
                + "ask -d x http://127.0.0.1:\(origin.port)/; exit 3")
        #expect(finished.status == 3, "\(finished.errors)")
        let records = try log.records()
        let events = records.compactMap { $0["event"] as? String }
        for event in ["launch", "started", "exited"] { #expect(events.contains(event), "\(event): \(events)") }
        #expect(events.first == "segment" && events.last == "checkpoint", "\(events)")
        let programs = try #require(
            records.first { $0["event"] as? String == "programs" }?["programs"] as? [[String: Any]])
        #expect(programs.compactMap { $0["role"] as? String } == ["clawjail", "egress", "command"])
        for program in programs {
            let sum = try shell("sha256sum < \"$1\"", program["path"] as? String ?? "").text.prefix(64)
            #expect(program["sha256"] as? String == String(sum), "\(program)")
        }
        let verdicts = records.compactMap { $0["verdict"] as? String }
        #expect(verdicts.contains("allowed") && verdicts.contains("denied"), "\(records)")
        let report = try log.report()
        #expect(report.isIntact && report.kinds.isEmpty && report.signed == records.count, "\(report)")
        #expect(report.status == 0)
    }

    @Test(arguments: Caller.all) func `a program that its filter kills is recorded as denied`(caller: Caller) throws {
        let jail = try Jail(caller)
        let log = AuditLogFiles(jail: jail)
        defer { log.remove() }
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/sh", "-c", "kill -SYS $$").status == 159)
        running.signal(SIGTERM)
        let finished = try running.wait()
        #expect(finished.errors.contains("killed by SIGSYS"), "\(finished.errors)")
        let denied = try log.records().filter { $0["event"] as? String == "system-call" }
        #expect(denied.count == 1 && denied[0]["verdict"] as? String == "denied", "\(denied)")
        #expect(try jail.script("kill -SYS $$").status == 159)
        #expect(try log.records().count { $0["event"] as? String == "system-call" } == 2)
    }

    @Test(arguments: Caller.all) func `killed at any moment, its log verifies, and the next launch goes on in it`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Profiles.session("network: { allow: [{ hosts: ['example.org'] }] }"))
        let log = AuditLogFiles(jail: jail)
        defer { log.remove() }
        // Each is a decision, and a record.
        let script = "echo up; while :; do curl -s -o /dev/null -m 5 -X POST http://example.org/[1-500]; done"
        let count = ProcessInfo.processInfo.environment["CLAWJAIL_TEST_KILLS"].flatMap(Int.init) ?? 3
        /// Records that the rounds have left.
        var written: [Int] = []
        for round in 0..<count {
            let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", script])
            // At random, and early and late in the file all the same, on a slow machine as well.
            let size = 4000 + Int((Double(round) + .random(in: 0..<1)) / Double(count) * 16_000)
            try #require(eventually(20) { log.size(ofFile: round + 1) >= size })
            usleep(.random(in: 0...20_000))
            running.signal(SIGKILL)
            try running.wait()
            let report = try log.report()
            #expect(report.isIntact && report.status == 0 && report.launches == round + 1, "\(report)")
            // An end that nobody signed is told, and nothing else is.
            #expect(report.kinds.count { $0 == "unclosed" } == round + 1, "\(report)")
            #expect(Set(report.kinds).isSubset(of: ["unclosed", "unsigned", "torn"]), "\(report)")
            written.append(report.records - written.reduce(0, +))
        }
        // They were written when it was killed, and not always as many.
        #expect(written.reduce(0, +) > 10 * count, "\(written)")
        #expect(Set(written).count > count / 2, "\(written)")
        let finished = try jail.run("/bin/true")
        #expect(finished.status == 0, "\(finished.errors)")
        let report = try log.report()
        #expect(report.isIntact && report.launches == count + 1, "\(report)")
    }

    /// Lines of files below a directory that have the text somewhere.
    private func lines(with text: String, below directories: [String]) throws -> [String] {
        try directories.flatMap { try shell("grep -raF -D skip -e \"$1\" \"$2\" 2>/dev/null; true", text, $0).lines }
    }

    @Test(arguments: Caller.all) func `secrets are in no file that is written`(caller: Caller) throws {
        let mark = String(UInt64.random(in: 1 << 60...(.max)), radix: 36)
        func secret(_ name: String) -> String { "\(name)\(mark)" }
        // As services make them.
        func token(_ name: String) -> String { "X7\(name)\(mark)Zq8vT3nW5yB1kD7mP9rS" }
        let bot = "bot123456789:AA\(token("bot"))"
        var jail = try Jail(
            caller,
            Profiles.session(
                "network: { allow: [{ hosts: ['example.org'] }] }, audit: { redact: ['OWN-*'] }"))
        let log = AuditLogFiles(jail: jail)
        defer { log.remove() }
        jail.environment["HOST_TOKEN"] = secret("inherited")
        let script = """
            echo token=\(secret("said")); echo "password: \(secret("complained"))" >&2
            curl -s -o /dev/null -m 5 -H 'Authorization: Bearer \(secret("bearer"))' \
              -X POST 'http://example.org/x?key=\(secret("query"))&mail=\(secret("mail"))@example.org'
            for path in \(bot)/sendMessage hooks/T000/B000/\(token("slack")) webhook/\(token("segment")); do
              curl -s -o /dev/null -m 5 -X POST "http://example.org/$path"
              curl -s -o /dev/null -m 5 "http://127.0.0.1/$path?a=\(secret("local"))"
            done
            for host in ghp_\(token("host")) xoxb-\(token("host")).example.org "Bearer \(token("host"))"; do
              curl -s -o /dev/null -m 5 -H "Host: $host" -x http://127.0.0.1:3128 http://example.org/
              curl -s -o /dev/null -m 5 "http://user:\(secret("login"))@$host/"
            done
            echo "fetch failed: https://api.telegram.org/\(bot)/getMe" >&2
            echo "POST https://hooks.slack.com/services/T000/B000/\(token("slack")): 404" >&2
            echo OWN-\(secret("pattern")); echo \(secret("someone"))@example.org; echo ready; exec sleep 60
            """
        // In an argument each stands as a program takes it.
        let words = [
            "--token", secret("argument"), "--header=Authorization: Bearer \(secret("header"))",
            "https://hooks.slack.com/services/T000/B000/\(token("hook"))",
            "--url=https://api.telegram.org/\(bot)/getMe",
        ]
        let started = try jail.run(
            ["--detach", "--env", "API_TOKEN=\(secret("given"))"], command: ["/bin/sh", "-c", script, "sh"] + words)
        try #require(started.status == 0, "\(started.errors)")
        defer { _ = try? clawjail(jail, "stop", "--kill", jail.name) }
        let output = "\(jail.stateDirectory)/logs/\(jail.name).log"
        let said = { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
        try #require(eventually(20) { said().contains("ready") }, "\(said())")
        let executed = try clawjail(jail, "exec", jail.name, "--", "/bin/echo", "--password", secret("executed"))
        #expect(executed.status == 0, "\(executed.errors)")
        let places = [jail.stateDirectory, jail.runtimeDirectory]
        // Something is found where it stands: the search sees what it should.
        #expect(try !lines(with: "ready", below: [output]).isEmpty)
        let found = try lines(with: mark, below: places)
        #expect(found.isEmpty, "\(found)")
        #expect(try clawjail(jail, "stop", jail.name).status == 0)
        let kept = try lines(with: mark, below: places)
        #expect(kept.isEmpty, "\(kept)")
        #expect(try log.records().contains { $0["event"] as? String == "executed" })
    }
}
