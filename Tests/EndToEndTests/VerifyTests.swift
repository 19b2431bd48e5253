import Foundation
import Glibc
import Testing

/// `clawjail verify`: what a profile promises is tried in a jail, and a jail that keeps less is found out.
@Suite struct VerifyTests {
    private struct Result {
        let status: Int32
        let root: [String: Any]
        /// Results by id.
        let checks: [String: String]
        let errors: String

        init(_ finished: Finished) throws {
            status = finished.status
            errors = finished.errors
            root = (try? JSONSerialization.jsonObject(with: finished.output) as? [String: Any]) ?? [:]
            var checks: [String: String] = [:]
            for check in (root["checks"] as? [[String: Any]]) ?? [] {
                checks[check["id"] as? String ?? "?"] = check["result"] as? String
            }
            self.checks = checks
        }

        var failed: Set<String> { Set(checks.filter { $0.value == "notHeld" }.keys) }
        var jail: String { root["jail"] as? String ?? "?" }
    }

    private func verify(_ jail: Jail, profile: String? = nil, _ options: [String] = []) throws -> Result {
        let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
        let words = ["verify", "--json", "--profile", profile ?? jail.profile] + user + options
        return try Result(jail.start(words: words).wait(90))
    }

    @Test(
        arguments: Caller.all,
        [
            "offline", "research", "session", "stateful", "shell", "webhooks", "messaging", "chat", "automation",
            "commands",
            "operator",
        ])
    func `every profile that is shipped holds`(caller: Caller, profile: String) throws {
        let jail = try Jail(caller)
        let workspace = try Scratch.directory("workspace")
        let result = try verify(jail, profile: profile, profile == "session" ? ["--workspace", workspace] : [])
        #expect(result.failed == [], "\(result.errors)")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.checks.count > 40)
        // What could not be tried is not silently left out.
        let left = result.checks.filter { $0.value == "notTried" }.keys
        #expect(Set(left).isSubset(of: ["net.allowed", "limits.data"]), "\(left)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "\(jail.stateDirectory)/data/\(result.jail)"))
        #expect(!FileManager.default.fileExists(atPath: "\(jail.runtimeDirectory)/\(result.jail)"))
    }

    @Test(arguments: Caller.all) func `what a profile adds is tried as well`(caller: Caller) throws {
        let jail = try Jail(
            caller,
            """
            { extends: 'stateful', filesystem: { data: { size: '20M', mustEnforceSize: \(caller == .root) } },
              limits: { fileSize: '1M', cpus: '0.5' }, network: { listen: [18789, 18790] } }
            """.json)
        let result = try verify(jail)
        #expect(result.failed == [], "\(result.errors)")
        #expect(result.checks["limits.fileSize"] == "held")
        #expect(result.checks["net.listen"] == "held")
        #expect(result.checks["limits.data"] == (caller == .root ? "held" : "notTried"))
        #expect(!FileManager.default.fileExists(atPath: "\(jail.stateDirectory)/data/\(result.jail).ext4"))
    }

    /// A profile with one protection less, judged by what the whole one promises.
    private static let weaker: [(keys: String, failed: Set<String>)] = [
        ("process: { shell: true }", ["programs.memory"]),
        ("process: { programs: ['/usr/bin/env'] }", ["programs.listed", "programs.shell"]),
        ("process: { systemCalls: ['keyctl'] }", ["calls.kernel"]),
        ("process: { systemCalls: ['unshare'] }", ["calls.namespaces"]),
        ("process: { environment: { MORE: 'x' } }", ["start.environment"]),
        ("process: { hostName: 'other' }", ["host.name"]),
        ("process: { inside: { uid: 1001 } }", ["who.user"]),
        ("process: { workingDirectory: '/tmp' }", ["start.clean"]),
        ("filesystem: { executeWritable: true }", ["files.noexec", "files.mounts"]),
        ("filesystem: { tmp: '65M' }", ["limits.size.tmp"]),
        ("filesystem: { write: ['WRITABLE:/srv'] }", ["files.mounts"]),
        ("limits: { memory: '600M' }", ["limits.memory"]),
        ("limits: { processes: 300 }", ["limits.processes"]),
        ("limits: { cpus: 1 }", ["limits.cpus"]),
        ("limits: { openFiles: 5000 }", ["limits.openFiles"]),
        (
            "network: { allowPrivate: ['10.0.0.0/8'], allow: [{ hosts: ['10.0.0.1'], methods: ['GET'] }] }",
            ["net.special", "log.denials"]
        ),
        ("network: { allow: [{ hosts: ['*'], methods: ['POST'] }] }", ["net.requests", "log.denials"]),
        ("network: { allow: [{ hosts: ['clawjail-verify.internal'] }] }", ["net.names", "log.denials"]),
    ]

    @Test(arguments: weaker) func `a jail with one protection less is found out`(
        weaker: (keys: String, failed: Set<String>)
    ) throws {
        let writable = try Scratch.directory("writable")
        let keys = weaker.keys.replacingOccurrences(of: "WRITABLE", with: writable)
        let jail = try Jail(Caller.all[0], "{ extends: 'research', \(keys) }".json)
        let result = try verify(jail, ["--against", "research"])
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.failed.isSuperset(of: weaker.failed), "\(result.failed)")
        #expect(result.failed.subtracting(weaker.failed) == [])
        // Against itself it holds.
        if weaker.keys.hasPrefix("filesystem") { #expect(try verify(jail).status == 0) }
    }

    @Test(arguments: Caller.all) func `the result is recorded, signed, in the log of that jail`(caller: Caller) throws {
        let jail = try Jail(caller)
        let result = try verify(jail, profile: "offline")
        let shown = try jail.start(words: ["audit", "export", "--format", "jsonl", result.jail]).wait(20)
        let line = try #require(shown.lines.first { $0.contains("\"verified\"") }, "\(shown.errors)")
        let entry = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(entry["sha256"] as? String == result.root["sha256"] as? String)
        #expect((entry["held"] as? NSNumber)?.intValue == (result.root["held"] as? NSNumber)?.intValue)
        #expect((entry["notHeld"] as? NSNumber)?.intValue == 0)
        let verified = try jail.start(words: ["audit", "verify", result.jail]).wait(20)
        #expect(verified.status == 0, "\(verified.text)")
        let text = try jail.start(words: ["audit", "show", result.jail]).wait(20).text
        #expect(text.contains("promises hold, 0 do not"))
    }

    @Test func `a jail that does not start is no jail that holds`() throws {
        let jail = try Jail(Caller.all[0], "{ extends: 'offline', filesystem: { read: ['/no/such/place'] } }".json)
        let result = try verify(jail)
        #expect(result.status == 78)
        #expect(result.errors.contains("/no/such/place"))
    }

    @Test func `for people it is a table, with what was done to try it`() throws {
        let jail = try Jail(Caller.all[0])
        let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
        let finished = try jail.start(words: ["verify", "--profile", "offline"] + user).wait(60)
        #expect(finished.lines.first?.hasPrefix("RESULT") == true)
        #expect(finished.text.contains("Read-only file system"))
        #expect(finished.text.contains("one file is shown that a jail of this profile does not have: /jailprobe"))
        #expect(finished.text.contains("profile offline: all "))
    }

    @Test(arguments: Caller.all) func `a running jail is looked at from outside, every process of it`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "sleep 60 & sleep 60 & echo up; wait"])
        defer { running.signal(SIGTERM) }
        let result = try Result(jail.start(words: ["verify", "--json", jail.name]).wait(30))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.failed == [])
        #expect(result.checks["run.namespaces"] == "held")
        #expect(result.jail == jail.name)
        // Jail init, the shell, and two that it has started.
        let notes = (result.root["notes"] as? [String]) ?? []
        #expect(notes.first?.hasPrefix("4 processes") == true, "\(notes)")
        let shown = try jail.start(words: ["audit", "show", jail.name]).wait(20).text
        #expect(shown.contains("promises hold, 0 do not"))
    }

    /// A process that something else on the host has put into the jail's tree, or that was let out of a wall.
    @Test(.needsRoot) func `a running jail with more rights than planned is found out`() throws {
        let jail = try Jail(.root)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 60; true"])
        defer { running.signal(SIGTERM) }
        for group in try jail.cgroups where FileManager.default.fileExists(atPath: "\(group)/pids.max") {
            try Scratch.write("4000", to: "\(group)/pids.max")
        }
        let result = try Result(jail.start(words: ["verify", "--json", jail.name]).wait(30))
        #expect(result.status == 1)
        #expect(result.failed == ["limits.group"])
    }

    @Test func `no jail of that name`() throws {
        let jail = try Jail(Caller.all[0])
        let finished = try jail.start(words: ["verify", "no-such-jail"]).wait(20)
        #expect(finished.status == 120)
        let both = try jail.start(words: ["verify", "some-jail", "--profile", "offline"]).wait(20)
        both.expectRefusal(64, "a running jail")
    }

    @Test(arguments: Caller.all, ["offline", "research", "session"])
    func `a jail that makes sure of its walls starts, and runs its command`(caller: Caller, profile: String) throws {
        let text =
            "{ extends: '\(profile)', process: { programs: ['PROBE'], selfTest: true }, network: { publish: [] } }"
        let probe = try Probe.inside(Jail(caller, text.json), arguments: ["--facts"])
        #expect(probe.descriptors == [0, 1, 2])
        #expect(probe.listing("/")?.contains(".clawjail-self-test") == false)
    }

    @Test(arguments: Caller.all) func `what a jail has under the names of clawjail's own directories is not the host's`(
        caller: Caller
    ) throws {
        let more = "sessions: { profile: 'session', workspaces: ['/data/boxes'], most: 1 }"
        let text = "{ extends: 'session', process: { selfTest: true }, filesystem: { data: { size: '9M' } }, \(more) }"
        let jail = try Jail(caller, text.json)
        defer { _ = try? shell("rm -rf \"$1\"", "\(jail.stateDirectory)/data/\(jail.name)") }
        let finished = try jail.run("/bin/true")
        #expect(finished.status == 0, "\(finished.errors)")
    }

    /// The profile lets a call through that changes what the jail is: the walls that are left are still made sure of.
    @Test func `calls that a profile allows are not held against it`() throws {
        let text = "{ extends: 'session', process: { selfTest: true, systemCalls: ['unshare', 'keyctl'] } }"
        #expect(try Jail(Caller.all[0], text.json).run("/bin/true").status == 0)
    }
}
