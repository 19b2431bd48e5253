import JailCore
import JailPolicy
import Testing

struct `Explanations` {
    private func explain(_ words: [String], _ rules: String = "allow: [{ hosts: ['*'] }], deny: [{ hosts: ['b'] }]")
        throws -> NetworkExplanation
    {
        NetworkExplanation(try NetworkSubject.parse(words), by: try policy(rules))
    }

    @Test func `an allowed request comes with its rule`() throws {
        #expect(
            try explain(["GET", "https://example.org/x"]).text == """
                allowed: GET https://example.org/x
                by network.allow[0]: {"hosts":["*"],"ports":[443,80],"schemes":["https","http"],"methods":["GET","HEAD"]}
                """)
    }

    @Test func `a denied one with the smallest rule that would allow it`() throws {
        #expect(
            try explain(["POST", "HTTPS://EXAMPLE.org:443/a/../%78?q"]).text == """
                denied: POST https://example.org/x?q
                because POST is not among the methods of network.allow[0] (GET, HEAD)
                to allow exactly this: network: { allow: [{ hosts: ["example.org"], schemes: ["https"], methods: ["POST"], paths: ["/x"] }] }
                as typed: POST HTTPS://EXAMPLE.org:443/a/../%78?q
                """)
        #expect(
            try explain(["b:443"]).text == """
                denied: b:443
                because network.deny[0] denies everything of b
                by network.deny[0]: {"hosts":["b"]}
                no rule can allow it
                """)
    }

    @Test func `what is not inspected is said`() throws {
        #expect(
            try explain(["a:443"], "allow: [{ hosts: ['a'], inspect: false }]").text.contains("TLS is passed through"))
        #expect(
            try explain(["a:25"], "allow: [{ hosts: ['a'], ports: [25], protocol: 'tcp' }]").text.contains(
                "bytes are passed through"))
    }

    @Test func `the same as JSON`() throws {
        #expect(
            try explain(["wss://example.org/"].isEmpty ? [] : ["GET", "wss://example.org/"]).json.text()
                == #"{"version":1,"asked":"GET wss://example.org/","canonical":"GET wss://example.org/","allowed":false,"reason":"network.allow[0] allows no WebSockets","rule":null,"ruleText":null,"remedy":"network: { allow: [{ hosts: [\"example.org\"], schemes: [\"https\"], methods: [\"GET\"], paths: [\"/\"], websocket: true }] }"}"#
        )
        #expect(
            try explain(["bücher.example"]).json.text().contains(
                #""canonical":"xn--bcher-kva.example","allowed":true,"rule":"network.allow[0]""#))
    }

    @Test(
        arguments: [
            ([], "must be METHOD URL or HOST[:PORT]"), (["a", "b", "c"], "must be METHOD URL or HOST[:PORT]"),
            (["https://a/"], "must name a method with a URL"), (["GET", "a"], "must be a URL such as"),
            (["GET", "ftp://a/"], "must be a URL of https, http, wss or ws"),
            (["GET", "https://u@a/"], "must name a host as it is sent"),
            (["GET", "https://a:/"], "must be a port from 1 to 65535"),
            (["GET", "https://a/%2f"], "must have a path with one meaning"),
            (["GET", "https://a/#x"], "must have a path with one meaning"),
            (["127.1"], "is another spelling of the address 127.0.0.1 (a loopback address)"),
            (["GET", "https://"], "is neither a host name nor an address"),
            (["a_b"], "is neither a host name nor an address"), (["a:99999"], "must be a port"),
            (["http:"], "must be a port"), ([""], "neither"),
        ] as [([String], String)])
    func `what cannot be asked is wrong usage`(words: [String], reason: String) {
        do {
            _ = try NetworkSubject.parse(words)
            Issue.record("no error")
        } catch {
            #expect(error.stage == .usage && error.status == 64)
            #expect(error.description.contains(reason), "\(error)")
        }
    }
}
