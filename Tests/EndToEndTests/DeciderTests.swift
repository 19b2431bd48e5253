import Foundation
import Glibc
import Testing

/// Users of the host's who are neither root nor the jail's, with tokens, at a jail that root has started.
@Suite(.needsRoot, .needs("setpriv", "curl"), .serialized) struct DeciderTests {
    /// Of nobody's account, and each of another uid, so that one's wrong tokens are not another's.
    private static let uids: [UInt32] = [31_337, 31_338, 31_339, 31_340]

    private static func words(_ jail: Jail, as uid: UInt32, token: String?, _ words: [String]) throws -> Finished {
        var stranger = jail
        stranger.isDelegated = false
        stranger.wrapper = ["setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "--inh-caps=-all"]
        guard let token else { return try stranger.start(words: ["approvals"] + words).wait() }
        let file = Scratch.file("token")
        try Scratch.write(token, to: file, mode: 0o600)
        // It is read by whoever has this open, which need not be who could open it.
        stranger.standardInput = file
        return try stranger.start(words: ["approvals"] + words + ["--token-file", "-"]).wait()
    }

    private static func makeToken(_ jail: Jail, _ role: String, owner: String) throws -> (name: String, text: String) {
        let name = Scratch.unique("t")
        let made = try jail.start(words: ["token", "create", name, "--role", role, "--expires", "1h", "--owner", owner])
            .wait()
        return (name, made.text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test func `tokens of two owners see their own jails, a viewer looks, an operator pauses and stops`() throws {
        var jail = try Jail(.root, Profiles.session("approvals: { ask: ['network'] }"))
        try jail.keepSecretsApart()
        // Jails of other tests are not to be asked, which do not know these tokens.
        let doors = try Scratch.directory("doors", owner: 0, mode: 0o755)
        jail.hostChange +=
            " && mkdir -p -m 0755 /run/clawjail.approvals && mount --bind '\(doors)' /run/clawjail.approvals"
        let list = "{ deciders: [{ user: \(Self.uids[3]), role: 'viewer' }] }"
        jail.hostChange += " && echo \"\(list)\" > /var/lib/clawjail/deciders.json5"
        let owner = try "\(Host.user.get().uid)"
        let viewer = try Self.makeToken(jail, "viewer", owner: owner)
        let handler = try Self.makeToken(jail, "operator", owner: owner)
        let stranger = try Self.makeToken(jail, "admin", owner: "31999")
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 100"])
        let (one, two, three, listed) = (Self.uids[0], Self.uids[1], Self.uids[2], Self.uids[3])
        let nowhere = "no jail named '\(jail.name)' is running"

        let seen = try Self.words(jail, as: one, token: viewer.text, ["list", "--json"])
        #expect(seen.text.contains("\"name\":\"\(jail.name)\""), "\(seen.text) \(seen.errors)")
        #expect(try !Self.words(jail, as: two, token: stranger.text, ["list", "--json"]).text.contains(jail.name))
        #expect(try !Self.words(jail, as: three, token: nil, ["list", "--json"]).text.contains(jail.name))
        #expect(try Self.words(jail, as: listed, token: nil, ["list", "--json"]).text.contains(jail.name))
        try Self.words(jail, as: listed, token: nil, ["deny", jail.name, "1"])
            .expectRefusal(123, "uid \(listed) is viewer, which may not decide")
        for words in [["list"], ["pause"], ["deny"]] {
            let all = words + [jail.name] + (words == ["deny"] ? ["1"] : [])
            try Self.words(jail, as: two, token: stranger.text, all).expectRefusal(120, nowhere)
            try Self.words(jail, as: three, token: nil, all).expectRefusal(120, nowhere)
        }
        try Self.words(jail, as: one, token: viewer.text, ["approve", jail.name, "1"])
            .expectRefusal(123, "is viewer, which may not decide")
        try Self.words(jail, as: one, token: viewer.text, ["stop", jail.name])
            .expectRefusal(123, "is viewer, which may not pause or stop")

        let paused = try Self.words(jail, as: one, token: handler.text, ["pause", jail.name, "--reason", "lunch"])
        #expect(paused.text == "paused: \(jail.name)\n", "\(paused.errors)")
        let resumed = try Self.words(jail, as: one, token: handler.text, ["resume", jail.name])
        #expect(resumed.text == "resumed: \(jail.name)\n", "\(resumed.errors)")
        let stopped = try Self.words(jail, as: one, token: handler.text, ["stop", jail.name])
        #expect(stopped.text == "being stopped: \(jail.name)\n", "\(stopped.errors)")
        _ = try running.wait(20)
        let log = try jail.start(words: ["audit", "show", jail.name, "--json"]).wait().text
        for part in [#""what":"pause""#, #""reason":"lunch""#, #""what":"stop""#, "is viewer, which may not decide"] {
            #expect(log.contains(part), "\(part): \(log)")
        }
        #expect(log.contains("'\(handler.name)' by token") && !log.contains(handler.text))
        try jail.expectNothingLeft()
    }

    @Test func `a session that a jail asks for is made once somebody has said yes, and people are told of it`() throws {
        let origin = try Origin("told")
        let told = try Scratch.directory("told", owner: 0) + "/notice"
        var gateway = try GatewayJail(
            .root,
            more: """
                approvals: {
                  ask: ['sessions'],
                  notify: { command: ['/usr/bin/tee', '\(told)'], webhook: 'http://127.0.0.1:\(origin.port)/',
                            webhookSecret: 'hook' },
                },
                """)
        try gateway.jail.keepSecretsApart()
        try gateway.jail.secret("set", "hook", input: "0123456789abcdef0123456789abcdef")
        let running = try gateway.jail.start(
            command: [
                "/bin/sh", "-c",
                """
                mkdir -p /data/boxes/a
                clawjail session create --id a --workspace /data/boxes/a:/workspace; echo $?
                clawjail session create --id b 2>&1; echo $?; clawjail session list | cut -d' ' -f1
                """,
            ])
        let name = gateway.jail.name
        let first = try ApprovalTests.awaitQuestion(gateway.jail, 1)
        #expect(first.contains("a session of profile 'session' with '/data/boxes/a' as '/workspace'"), "\(first)")
        #expect(
            try gateway.jail.start(words: ["approvals", "approve", name, "1"]).wait().text.contains("approved once"))
        _ = try ApprovalTests.awaitQuestion(gateway.jail, 2)
        _ = try gateway.jail.start(words: ["approvals", "deny", name, "2", "--reason", "not today"]).wait()
        let finished = try running.wait(40)
        #expect(finished.lines.prefix(2) == ["a", "0"], "\(finished.text) \(finished.errors)")
        #expect(finished.text.contains("an approval was asked for, and not given: it was denied (not today)"))
        #expect(finished.lines.suffix(3) == ["123", "ID", "a"], "\(finished.text)")
        let notice = (try? String(contentsOfFile: told, encoding: .utf8)) ?? ""
        #expect(notice.contains("\"jail\":\"\(name)\"") && notice.contains("\"kind\":\"session\""), "\(notice)")
        // Programs of the host's are in the log where they fail.
        let log = try gateway.jail.start(words: ["audit", "show", name, "--json"]).wait().text
        #expect(log.contains(#""what":"approved""#) && !log.contains("host-command"), "\(log)")
        try gateway.jail.expectNothingLeft()
    }
}
