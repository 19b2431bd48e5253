import Foundation
import Glibc
import Testing

/// A gateway whose token is outside, before its published port.
@Suite(.needs("node", "curl")) struct GatewayTokenTests {
    @Test(arguments: Caller.all) func `the gateway's token is asked for outside, and never comes in`(caller: Caller)
        throws
    {
        let port = try Listeners.freePort()
        var jail = try Jail(
            caller,
            """
            { extends: 'offline', process: { environment: { OPENCLAW_STATE_DIR: '/data' } },
              filesystem: { data: { size: '100M' } }, network: { publish: [{ port: '\(port):18789', token: 'gateway' }] } }
            """.json)
        try jail.keepSecretsApart()
        let words = try jail.secret("generate", "gateway", "--show").split(whereSeparator: \.isWhitespace)
        let token = String(try #require(words.last))
        try #require(token.utf8.count == 43, "\(words)")
        let script = try Host.installation.get() + "/share/sample-gateway/gateway.js"
        let running = try jail.start(command: ["node", script, "gateway"])
        defer { running.signal(SIGKILL) }
        func status(_ options: String) throws -> String {
            try shell("curl -s -m 5 -o /dev/null -w '%{http_code}' \(options) http://127.0.0.1:\(port)/readyz").text
        }
        let isUp = try eventually(20) {
            try running.status != nil || status("-H 'Authorization: Bearer \(token)'") == "200"
        }
        try #require(isUp && running.status == nil, "\(running.errorText)")

        let client = try Host.installation.get() + "/share/sample-gateway/client.js"
        func call(_ way: String, _ token: String, _ path: String) throws -> Finished {
            try Running(
                ["node", client, "--port", "\(port)", "--token", token, way, "read", "{\"path\":\"\(path)\"}"],
                environment: Host.environment
            ).wait(30)
        }
        for way in ["call", "ws"] {
            // What the gateway itself was given, read through its own port.
            let seen = try call(way, token, "/proc/self/environ")
            let text = seen.text.split(separator: "OPENCLAW_GATEWAY_TOKEN=").dropFirst().first ?? ""
            let placeholder = String(text.prefix { $0 != "\\" })
            #expect(seen.status == 0 && placeholder.utf8.count >= 43, "\(seen.text) \(seen.errors)")
            #expect(!seen.text.contains(token))
            // What the jail knows opens nothing outside.
            for wrong in [placeholder, "wrong", String(token.dropLast())] {
                #expect(try call(way, wrong, "/proc/self/environ").status != 0)
            }
        }
        #expect(try status("") == "401")
        #expect(try status("-H 'Authorization: Bearer wrong'") == "401")
        running.signal(SIGTERM)
        #expect(try running.wait(30).status == 0)
        // Nothing that the jail has kept has it.
        let data = "\(jail.stateDirectory)/data/\(jail.name)"
        if caller == .user { #expect(try shell("! grep -rqF \"$2\" \"$1\"", data, token).status == 0) }
        try jail.expectNothingLeft()
    }
}
