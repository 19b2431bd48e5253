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

        var failed: Set<String> { Set(checks.filter { $0.value == "NOT HELD" }.keys) }
        var jail: String { root["jail"] as? String ?? "?" }
    }

    private func verify(_ jail: Jail, profile: String? = nil, _ options: [String] = []) throws -> Result {
        let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
        let words = ["verify", "--json", "--profile", profile ?? jail.profile] + user + options
        return try Result(jail.start(words: words).wait(90))
    }

    @Test(arguments: Caller.all, ["offline", "research", "session", "stateful", "shell", "webhooks", "messaging"])
    func `every profile that is shipped holds`(caller: Caller, profile: String) throws {
        let jail = try Jail(caller)
        let workspace = try Scratch.directory("workspace")
        let result = try verify(jail, profile: profile, profile == "session" ? ["--workspace", workspace] : [])
        #expect(result.failed == [], "\(result.errors)")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.checks.count > 40)
        // What could not be tried is not silently left out.
        let left = result.checks.filter { $0.value == "not tried" }.keys
        #expect(Set(left).isSubset(of: ["net.allowed", "limits.data"]), "\(left)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "\(jail.stateDirectory)/data/\(result.jail)"))
        #expect(!FileManager.default.fileExists(atPath: "\(jail.runtimeDirectory)/\(result.jail)"))
    }

    /// A profile with one protection less, judged by what the whole one promises.
    private static let weaker: [(keys: String, failed: Set<String>)] = [
        ("process: { shell: true }", ["programs.memory"]),
        ("process: { programs: ['/usr/bin/env'] }", ["programs.listed", "programs.shell", "files.mounts"]),
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
            ["net.special"]
        ),
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
        // A limit that is not there shows itself in one more place at most.
        #expect(result.failed.subtracting(weaker.failed).isSubset(of: ["net.ports"]), "\(result.failed)")
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
}
