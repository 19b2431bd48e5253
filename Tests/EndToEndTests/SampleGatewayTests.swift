import Foundation
import Glibc
import Testing

/// The sample gateway in a jail, with the sandboxes of its chats beside it.
@Suite(.needs("node", "curl")) struct SampleGatewayTests {
    /// What `stateful` says of state, for one more jail on this machine: without its port, and without a way out.
    private static func profile(_ port: UInt16) -> String {
        """
        { extends: 'offline',
          process: { environment: { OPENCLAW_STATE_DIR: '/data/openclaw' } },
          filesystem: { data: { size: '100M' } },
          network: { publish: ['\(port):18789'] },
          sessions: { profile: 'session', workspaces: ['/data/openclaw/sandboxes'] } }
        """.json
    }

    private func call(_ port: UInt16, _ tool: String, _ parameters: String) throws -> [String: Any] {
        let client = try Host.installation.get() + "/share/sample-gateway/client.js"
        let finished = try Running(
            ["node", client, "--port", "\(port)", "--token", "token", "call", tool, parameters.json],
            environment: Host.environment
        ).wait(60)
        let answer = try JSONSerialization.jsonObject(with: finished.output) as? [String: Any]
        guard let result = answer?["result"] as? [String: Any] else {
            throw HarnessError("\(finished.text) \(finished.errors)")
        }
        return result
    }

    private func chat(_ port: UInt16, _ chat: String, _ command: String) throws -> String {
        let result = try call(port, "chat", "{ 'chat': '\(chat)', 'command': '\(command)' }")
        return (result["stdout"] as? String ?? "") + (result["stderr"] as? String ?? "")
    }

    @Test(arguments: Caller.all)
    func `two chats have a sandbox each, and see neither one another nor the gateway`(caller: Caller) throws {
        let port = try Listeners.freePort()
        var jail = try Jail(caller, Self.profile(port))
        jail.environment["OPENCLAW_GATEWAY_TOKEN"] = "token"
        defer { try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/data/\(jail.name)") }
        let script = try Host.installation.get() + "/share/sample-gateway/gateway.js"
        let running = try jail.start(command: ["node", script, "gateway"])
        defer { running.signal(SIGKILL) }
        let isUp = try eventually(20) {
            try running.status != nil || shell("curl -sf -m 2 http://127.0.0.1:\(port)/healthz").status == 0
        }
        try #require(isUp && running.status == nil, "\(running.errorText)")

        #expect(try chat(port, "one", "echo first > note; sleep 63.5 >/dev/null 2>&1 & pwd") == "/workspace\n")
        #expect(try chat(port, "two", "echo second > note; cat note") == "second\n")
        // The same sandbox as before, with what runs in it.
        #expect(try chat(port, "one", "cat note; pgrep -f 63.5 >/dev/null && echo running") == "first\nrunning\n")
        let seen = try chat(port, "two", "cat /proc/[0-9]*/cmdline | tr \\\\0 . ; ls / /data /workspace; env")
        for hidden in ["63.5", "gateway.js", "openclaw", "node"] { #expect(!seen.contains(hidden), "\(seen)") }
        // Nothing of the gateway's network: its own loopback is another one.
        let reached = try chat(port, "two", "echo | nc -w 2 127.0.0.1 18789 || exec 3<>/dev/tcp/127.0.0.1/18789")
        #expect(!reached.contains("HTTP"), "\(reached)")
        let gateway = try call(port, "read", "{ 'path': '/data/openclaw/sandboxes/one/note' }")
        #expect(gateway["content"] as? String == "first\n")
        let outside = try jail.start(words: ["ps"]).wait()
        #expect(
            outside.text.contains("\(jail.name)/one") && outside.text.contains("\(jail.name)/two"),
            "\(outside.status) \(outside.text) \(outside.errors)")
        running.signal(SIGTERM)
        #expect(try running.wait(30).status == 0)
        #expect(try !jail.start(words: ["ps"]).wait().text.contains(jail.name))
        try jail.expectNothingLeft()
    }
}
