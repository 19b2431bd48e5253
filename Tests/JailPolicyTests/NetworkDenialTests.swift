import JailPolicy
import Testing

struct `Network denials` {
    private static let rules = """
        allow: [{ hosts: ['*'] }, { hosts: ['api.example'], methods: ['POST'], paths: ['/v1/*'], schemes: ['https'], requestSize: '1K' },
          { hosts: ['t.example'], ports: [25], protocol: 'tcp' }],
        deny: [{ hosts: ['bad.example'], methods: ['GET', 'HEAD'] }]
        """

    @Test(arguments: [
        (
            "POST https://a.example/x", "POST is not among the methods of network.allow[0] (GET, HEAD)",
            #"{ hosts: ["a.example"], schemes: ["https"], methods: ["POST"], paths: ["/x"] }"#
        ),
        (
            "GET https://a.example:8443/", "port 8443 is not among the ports of network.allow[0] (443, 80)",
            #"{ hosts: ["a.example"], ports: [8443], schemes: ["https"], methods: ["GET"], paths: ["/"] }"#
        ),
        (
            "POST https://api.example/v2", "this path is not among the paths of network.allow[1] (/v1/*)",
            #"{ hosts: ["api.example"], schemes: ["https"], methods: ["POST"], paths: ["/v2"] }"#
        ),
        (
            "GET wss://a.example/s", "network.allow[0] allows no WebSockets",
            #"{ hosts: ["a.example"], schemes: ["https"], methods: ["GET"], paths: ["/s"], websocket: true }"#
        ),
        (
            "GET https://1.1.1.1/*", "no rule of network.allow names 1.1.1.1",
            #"{ hosts: ["1.1.1.1"], schemes: ["https"], methods: ["GET"], paths: ["/\\*"] }"#
        ),
        (
            "1.1.1.1", "no rule of network.allow names 1.1.1.1",
            #"{ hosts: ["1.1.1.1"], schemes: ["https"], methods: ["GET"] }"#
        ),
    ])
    func `a denial says why, and which rule would allow it`(request: String, reason: String, rule: String) throws {
        let denial = try #require(try policy(Self.rules).decide(question(request)).denial)
        #expect(denial.reason == reason)
        #expect(denial.rule == nil)
        #expect(denial.remedy == "network: { allow: [\(rule)] }")
    }

    @Test(arguments: [
        ("GET https://bad.example/", "network.deny[0] denies GET, HEAD of bad.example"),
        ("CONNECT https://a.example/", "the method CONNECT is never allowed"),
        ("GET http://a.example:443/", "http is never spoken on port 443"),
        ("POST wss://a.example/", "a WebSocket begins with GET, not POST"),
        ("GET https://t.example:25/", "https is not what network.allow[2] (tcp) allows for t.example"),
    ])
    func `what no rule can allow has no remedy`(request: String, reason: String) throws {
        let denial = try #require(try policy(Self.rules).decide(question(request)).denial)
        #expect(denial.reason == reason)
        #expect(denial.remedy == nil)
    }

    @Test func `a body that is too large, and a header that names a method, have their remedies`() throws {
        var asked = try question("POST https://api.example/v1/x")
        asked.bodySize = 20 << 20
        let large = try #require(try policy(Self.rules).decide(asked).denial)
        #expect(large.reason == "a body of 20971520 bytes is more than the requestSize of network.allow[1] (1K)")
        #expect(large.remedy?.contains(#"requestSize: "20M""#) == true)
        asked.bodySize = nil
        asked.overrides = ["delete"]
        let other = try #require(try policy(Self.rules).decide(asked).denial)
        #expect(
            other.reason
                == "a header names another method: DELETE is not among the methods of network.allow[0] (GET, HEAD), network.allow[1] (POST)"
        )
        #expect(other.remedy?.contains(#"methods: ["POST","DELETE"]"#) == true)
    }

    @Test func `a host of which a deny leaves nothing is denied with its name`() throws {
        let policy = try policy("allow: [{ hosts: ['*'] }], deny: [{ hosts: ['b.c'], methods: ['GET', 'HEAD'] }]")
        let denial = try #require(policy.decide(try question("b.c")).denial)
        #expect(denial.reason == "network.deny[0] denies all that network.allow[0] allows for b.c")
        #expect(denial.remedy == #"network: { allow: [{ hosts: ["b.c"], schemes: ["https"], methods: ["POST"] }] }"#)
    }
}

struct `Notes` {
    @Test(arguments: [
        ("allow: [{ hosts: ['*'] }, { hosts: ['*.example.org', 'co.uk'] }]", []),
        (
            "allow: [{ hosts: ['a.org'] }, { hosts: ['*.co.uk'] }]",
            ["network.allow[1]: *.co.uk is every registered name below the public suffix co.uk"]
        ),
        (
            "allow: [{ hosts: ['*.com', '*.github.io'] }]",
            [
                "network.allow[0]: *.com is every registered name below the public suffix com",
                "network.allow[0]: *.github.io is every registered name below the public suffix github.io",
            ]
        ),
        (
            "allow: [{ hosts: ['*.xn--p1ai'] }]",
            ["network.allow[0]: *.xn--p1ai is every registered name below the public suffix xn--p1ai"]
        ),
        (
            "allow: [{ hosts: ['*'] }], deny: [{ hosts: ['a'] }]",
            ["network.deny[0] takes a part away from network.allow[0]"]
        ),
        ("allow: [{ hosts: ['*'] }], deny: [{ hosts: ['a'], methods: ['POST'] }]", []),
        ("allow: [{ hosts: ['*'] }], deny: [{ hosts: ['a'], ports: [8080] }]", []),
        ("allowPrivate: ['10.0.0.0/8']", []),
        (
            "allowPrivate: ['169.254.0.0/16']",
            ["network.allowPrivate: 169.254.0.0/16 lets rules reach a cloud's metadata service (169.254.169.254)"]
        ),
    ])
    func `what is wider or narrower than it looks is said`(rules: String, expected: [String]) throws {
        #expect(try policy(rules).notes == expected)
    }
}

struct `Contradictions` {
    @Test(arguments: [
        "allow: [{ hosts: ['a'] }, { hosts: ['b'], inspect: false }]",
        "allow: [{ hosts: ['*'] }, { hosts: ['*.a'], inspect: false }, { hosts: ['b.a'] }]",
        "allow: [{ hosts: ['a'], schemes: ['http'] }, { hosts: ['a'], inspect: false }]",
        "allow: [{ hosts: ['a'], ports: [8443] }, { hosts: ['a'], inspect: false }]",
        "allow: [{ hosts: ['*'], ports: [25] }, { hosts: ['a'], ports: [25], protocol: 'tcp' }]",
        "allow: [{ hosts: ['a', 'b'] }], deny: [{ hosts: ['a'] }]",
        "allow: [{ hosts: ['a'] }], deny: [{ hosts: ['a'], methods: ['GET'] }]",
        "allow: [{ hosts: ['a'], paths: ['/x/**'] }], deny: [{ hosts: ['a'], paths: ['/x/*'] }]",
        "allow: [{ preset: 'github-read' }], deny: [{ hosts: ['github.com'], methods: ['POST'] }]",
    ])
    func `these rules stand beside each other`(rules: String) throws {
        _ = try policy(rules)
    }

    @Test(arguments: [
        "allow: [{ hosts: ['*.a'] }, { hosts: ['*.a'], inspect: false }]",
        "allow: [{ hosts: ['a'], ports: [8443, 443] }, { hosts: ['a'], inspect: false, ports: [8443] }]",
        "allow: [{ hosts: ['a'], inspect: false, ports: [25] }, { hosts: ['a'], ports: [25], protocol: 'tcp' }]",
        "allow: [{ preset: 'openai' }, { hosts: ['api.openai.com'], inspect: false }]",
        "allow: [{ hosts: ['a', 'b.c'] }], deny: [{ hosts: ['a'] }, { hosts: ['*.c'] }]",
        "allow: [{ hosts: ['a'] }], deny: [{ hosts: ['*'], ports: [443, 80] }]",
        "allow: [{ hosts: ['a'], paths: ['/x/*', '/x/y/**'] }], deny: [{ hosts: ['a'], paths: ['/x/**'] }]",
        "allow: [{ hosts: ['8.8.8.8'] }], deny: [{ hosts: ['*'] }]",
        "allow: [{ hosts: ['a'], inspect: false }], deny: [{ hosts: ['a'], methods: ['POST'] }]",
        "allow: [{ preset: 'npm' }], deny: [{ hosts: ['*.npmjs.org'] }]",
    ])
    func `these contradict each other, or leave nothing, and refuse to start`(rules: String) throws {
        let text = message { try network(rules) }
        #expect(
            text.contains("contradicts network.allow[0]") || text.contains("can never match: network.deny["), "\(text)")
    }
}
