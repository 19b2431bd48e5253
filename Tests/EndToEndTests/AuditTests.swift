import Foundation
import Glibc
import Testing

/// The log of a jail as its supervisor leaves it on disk: what is in it, and what is not.
@Suite(.serialized, .needs("curl")) struct AuditTests {
    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(30)
    }

    private func remove(_ jail: Jail) {
        try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/audit/\(jail.name)")
        for suffix in [".log", ".log.1"] { unsafe unlink("\(jail.stateDirectory)/logs/\(jail.name)\(suffix)") }
    }

    /// The records of a jail's log, file after file.
    private func records(_ jail: Jail) throws -> [[String: Any]] {
        let directory = "\(jail.stateDirectory)/audit/\(jail.name)"
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().flatMap { name in
            try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8).split(separator: "\n").compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }
    }

    private func report(_ jail: Jail) throws -> [String: Any] {
        let finished = try clawjail(jail, "audit", "verify", jail.name, "--json")
        let object = try JSONSerialization.jsonObject(with: finished.output) as? [String: Any]
        return try #require(object, "\(finished.errors)")
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
        defer { remove(jail) }
        let finished = try jail.script(
            "ask() { curl -s -o /dev/null -m 9 \"$@\"; }; ask http://127.0.0.1:\(origin.port)/; "
                + "ask -d x http://127.0.0.1:\(origin.port)/; exit 3")
        #expect(finished.status == 3, "\(finished.errors)")
        let records = try records(jail)
        let events = records.compactMap { $0["event"] as? String }
        for event in ["launch", "started", "exited"] { #expect(events.contains(event), "\(event): \(events)") }
        #expect(events.first == "segment" && events.last == "checkpoint", "\(events)")
        let verdicts = records.compactMap { $0["verdict"] as? String }
        #expect(verdicts.contains("allowed") && verdicts.contains("denied"), "\(records)")
        let report = try report(jail)
        #expect(report["intact"] as? Bool == true, "\(report)")
        #expect(report["signed"] as? Int == records.count, "\(report)")
        #expect(try clawjail(jail, "audit", "verify", jail.name).status == 0)
    }

    @Test(arguments: Caller.all) func `killed at any moment, its log verifies, and the next launch goes on in it`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Profiles.session("network: { allow: [{ hosts: ['example.org'] }] }"))
        defer { remove(jail) }
        // Each is a decision, and a record.
        let script = "echo up; while :; do curl -s -o /dev/null -m 5 -X POST http://example.org/[1-500]; done"
        let count = ProcessInfo.processInfo.environment["CLAWJAIL_TEST_KILLS"].flatMap(Int.init) ?? 3
        for round in 1...count {
            let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", script])
            usleep(.random(in: 0...600_000))
            running.signal(SIGKILL)
            try running.wait()
            let report = try report(jail)
            #expect(report["intact"] as? Bool == true, "\(report)")
            #expect(report["launches"] as? Int == round, "\(report)")
            let kinds = (report["findings"] as? [[String: Any]])?.compactMap { $0["kind"] as? String } ?? []
            #expect(!kinds.isEmpty, "an end that nobody signed is told: \(report)")
        }
        let finished = try jail.run("/bin/true")
        #expect(finished.status == 0, "\(finished.errors)")
        let report = try report(jail)
        #expect(report["intact"] as? Bool == true && report["launches"] as? Int == count + 1, "\(report)")
    }

    /// Files below a directory that have the text somewhere.
    private func files(with text: String, below directories: [String]) throws -> [String] {
        try directories.flatMap { try shell("grep -rlaF -D skip -e \"$1\" \"$2\" 2>/dev/null; true", text, $0).lines }
    }

    @Test(arguments: Caller.all) func `secrets are in no file that is written`(caller: Caller) throws {
        let mark = String(UInt64.random(in: 1 << 60...(.max)), radix: 36)
        func secret(_ name: String) -> String { "\(name)\(mark)" }
        var jail = try Jail(
            caller,
            Profiles.session(
                "network: { allow: [{ hosts: ['example.org'] }] }, audit: { redact: ['OWN-*'] }"))
        defer { remove(jail) }
        jail.environment["HOST_TOKEN"] = secret("inherited")
        let script = """
            echo token=\(secret("said")); echo "password: \(secret("complained"))" >&2
            curl -s -o /dev/null -m 5 -H 'Authorization: Bearer \(secret("bearer"))' \
              -X POST 'http://example.org/x?key=\(secret("query"))&mail=\(secret("mail"))@example.org'
            echo OWN-\(secret("pattern")); echo \(secret("someone"))@example.org; echo ready; exec sleep 60
            """
        // In an argument each stands as a program takes it.
        let words = ["--token", secret("argument"), "--header=Authorization: Bearer \(secret("header"))"]
        let started = try jail.run(
            ["--detach", "--env", "API_TOKEN=\(secret("given"))"], command: ["/bin/sh", "-c", script, "sh"] + words)
        try #require(started.status == 0, "\(started.errors)")
        defer { _ = try? clawjail(jail, "stop", "--kill", jail.name) }
        let log = "\(jail.stateDirectory)/logs/\(jail.name).log"
        let said = { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        try #require(eventually(20) { said().contains("ready") }, "\(said())")
        let executed = try clawjail(jail, "exec", jail.name, "--", "/bin/echo", "--password", secret("executed"))
        #expect(executed.status == 0, "\(executed.errors)")
        let places = [jail.stateDirectory, jail.runtimeDirectory]
        // Something is found where it stands: the search sees what it should.
        #expect(try !files(with: "ready", below: [log]).isEmpty)
        #expect(try files(with: mark, below: places) == [])
        #expect(try clawjail(jail, "stop", jail.name).status == 0)
        #expect(try files(with: mark, below: places) == [])
        #expect(try records(jail).contains { $0["event"] as? String == "executed" })
    }
}
