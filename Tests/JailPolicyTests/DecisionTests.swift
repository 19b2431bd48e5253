import JailPolicy
import Testing

struct `Decisions` {
    private static let web = "allow: [{ hosts: ['*'] }]"
    private static let mixed = """
        allow: [
          { hosts: ['*'] },
          { hosts: ['api.example'], methods: ['POST'], paths: ['/v1/**'], requestSize: '1K' },
          { hosts: ['*.ws.example'], methods: ['GET'], websocket: true, schemes: ['https'] },
          { hosts: ['pinned.example'], inspect: false },
          { hosts: ['smtp.example'], ports: [587], protocol: 'tcp' },
          { hosts: ['10.0.0.5'], ports: [8080], schemes: ['http'] },
          { hosts: ['8.8.8.8'] },
        ],
        deny: [{ hosts: ['*.evil.example', 'evil.example'] }, { hosts: ['api.example'], paths: ['/v1/admin/**'] },
          { hosts: ['api.example'], methods: ['POST'], paths: ['/v1/never'] }]
        """

    @Test(arguments: [
        (web, "GET https://a.example/x?y", true), (web, "HEAD http://a.example", true),
        (web, "POST https://a.example/", false),
        (web, "GET https://a.example:8443/", false), (web, "GET https://a.example:80/", false),
        (web, "GET http://a.example:443/", false), (web, "GET https://8.8.8.8/", false),
        (web, "GET https://[2606:4700::1]/", false),
        (web, "GET wss://a.example/", false), (web, "OPTIONS https://a.example/", false),
        (web, "CONNECT https://a.example/", false),
        (web, "TRACE https://a.example/", false), (web, "get https://a.example/", false), (web, "a.example", true),
        (web, "a.example:443", true), (web, "a.example:22", false), (web, "1.1.1.1", false),
        (mixed, "POST https://api.example/v1/x", true), (mixed, "POST https://api.example/v2/x", false),
        (mixed, "GET https://api.example/v2/x", true), (mixed, "PUT https://api.example/v1/x", false),
        (mixed, "POST https://api.example/v1/never", false),
        (mixed, "GET https://api.example/v1/never", true),
        (mixed, "POST https://api.example/v1/admin/x", false), (mixed, "GET https://api.example/v1/admin", false),
        (mixed, "GET https://api.example/v1//Admin/x", false), (mixed, "GET https://api.example/v1/%61dmin/x", false),
        (mixed, "GET https://api.example//v1/admin/x", false),
        (mixed, "GET https://api.example/v1/administrator", true),
        (mixed, "GET wss://a.ws.example/", true), (mixed, "GET ws://a.ws.example/", false),
        (mixed, "GET wss://ws.example/", false),
        (mixed, "GET https://evil.example/", false), (mixed, "GET https://a.evil.example/", false),
        (mixed, "evil.example", false),
        (mixed, "GET https://notevil.example/", true), (mixed, "smtp.example:587", true),
        (mixed, "GET https://smtp.example:587/", false),
        (mixed, "GET https://smtp.example/", true), (mixed, "a.example:587", false),
        (mixed, "GET http://10.0.0.5:8080/", false),
        (mixed, "GET https://8.8.8.8/", true), (mixed, "GET https://8.8.4.4/", false),
        (mixed, "POST https://pinned.example/", true),
        (mixed, "GET http://pinned.example/", true), (mixed, "POST http://pinned.example/", false),
        (mixed, "GET https://127.0.0.1/", false), (mixed, "localhost", false),
        (web, "localhost", false), (web, "printer.local", false), (web, "db.internal", false), (web, "a", false),
    ])
    func `a request is allowed or not`(rules: String, request: String, expected: Bool) throws {
        let policy = try policy(rules)
        #expect(policy.decide(try question(request)).isAllowed == expected)
    }

    @Test(arguments: ["127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]"])
    func `the page to decide on is out of reach, whatever a profile allows`(host: String) throws {
        let all = try policy(
            "allow: [{ hosts: ['*', '\(host.filter { !"[]".contains($0) })'], ports: [18770, 18779, 18789], schemes: ['http'] }],"
                + "allowPrivate: ['0.0.0.0/0', '::/0']")
        var asking = all
        asking.asks = true
        for port in [18770, 18779] {
            let question = try question("GET http://\(host):\(port)/")
            #expect(all.decide(question).denial?.reason.contains("kept for 'clawjail approvals serve'") == true)
            #expect(all.decide(question).denial?.remedy == nil)
            #expect(asking.approvable(question) == nil)
        }
        #expect(try all.decide(question("GET http://\(host):18789/")).denial?.reason.contains("kept") != true)
    }

    @Test func `a name that leads to the page to decide on is refused as well`() throws {
        let all = try policy("allow: [{ hosts: ['*'] }], allowPrivate: ['127.0.0.0/8', '192.168.0.0/16']")
        let loopback = try #require(IPAddress("127.0.0.1"))
        #expect(all.refusal(of: loopback, port: 18770) != nil)
        #expect(all.specialRefusal(of: loopback, port: 18770) != nil)
        #expect(all.refusal(of: loopback, port: 443) == nil)
        let lan = try #require(IPAddress("192.168.1.2"))
        #expect(all.refusal(of: lan, port: 18770) == nil)
        var own = all
        own.ownAddresses = [lan]
        #expect(own.refusal(of: lan, port: 18770) != nil)
    }

    @Test func `nothing is allowed without a rule`() throws {
        #expect(
            try policy("").decide(question("GET https://a.example/")).denial?.reason.contains("network.allow is empty")
                == true)
    }

    @Test func `the grant names the rule, the handling and the size`() throws {
        let policy = try policy(Self.mixed)
        func grant(_ text: String) throws -> NetworkGrant? { policy.decide(try question(text)).grant }
        #expect(
            try grant("POST https://api.example/v1/x")
                == NetworkGrant(rule: "network.allow[1]", handling: .inspect, requestSize: 1024))
        #expect(try grant("pinned.example:443")?.handling == .passThrough)
        #expect(try grant("pinned.example:80")?.handling == .inspect)
        #expect(
            try grant("smtp.example:587")
                == NetworkGrant(rule: "network.allow[4]", handling: .tcp, requestSize: 10 << 20))
        let preset = try JailPolicyTests.policy("allow: [{ preset: 'openai', requestSize: '64M' }]")
        #expect(
            preset.decide(try question("POST https://api.openai.com/v1/responses")).grant
                == NetworkGrant(rule: "network.allow[0] (preset openai)", handling: .inspect, requestSize: 64 << 20))
    }

    @Test func `a size beyond the rule is refused, and of several rules the largest counts`() throws {
        let policy = try policy(
            "allow: [{ hosts: ['*'], methods: ['POST'], requestSize: '1K' }, { hosts: ['a'], methods: ['POST'], requestSize: '4K' }]"
        )
        var asked = try question("POST https://a/")
        for (size, expected) in [(0, true), (4096, true), (4097, false), (UInt64.max, false)] as [(UInt64, Bool)] {
            asked.bodySize = size
            #expect(policy.decide(asked).isAllowed == expected)
        }
        asked.bodySize = nil
        #expect(policy.decide(asked).grant?.requestSize == 4096)
        #expect(policy.decide(try question("POST https://b.example/")).grant?.requestSize == 1024)
    }

    @Test func `GET and HEAD have no body`() throws {
        let policy = try policy(Self.web)
        var asked = try question("GET https://a.example/")
        asked.bodySize = 0
        #expect(policy.decide(asked).isAllowed)
        asked.bodySize = 1
        #expect(policy.decide(asked).denial == NetworkDenial(reason: "a GET request must not have a body"))
        asked.bodySize = nil
        asked.hasBody = true
        #expect(!policy.decide(asked).isAllowed)
    }

    @Test(arguments: ["DELETE", "delete", "TRACE", "CONNECT", "X", ""])
    func `a header that names another method needs that method too`(method: String) throws {
        let narrow = try policy("allow: [{ hosts: ['a'], methods: ['POST'] }]")
        let wide = try policy("allow: [{ hosts: ['a'], methods: ['POST'] }, { hosts: ['a'], methods: ['DELETE'] }]")
        var asked = try question("POST https://a/")
        asked.overrides = [method]
        #expect(!narrow.decide(asked).isAllowed)
        #expect(wide.decide(asked).isAllowed == (method.uppercased() == "DELETE"))
        let denied = try policy(
            "allow: [{ hosts: ['a'], methods: ['POST', 'DELETE'] }], deny: [{ hosts: ['a'], methods: ['DELETE'] }]")
        #expect(!denied.decide(asked).isAllowed)
        asked.overrides = ["post"]
        #expect(narrow.decide(asked).isAllowed)
    }

    @Test func `what is not known yet is allowed if any value of it would be`() throws {
        let policy = try policy(
            """
            allow: [{ hosts: ['a'], methods: ['POST'] }, { hosts: ['b'], methods: ['GET', 'POST'], ports: [8080] }],
            deny: [{ hosts: ['a'], methods: ['GET'] }, { hosts: ['b'], ports: [443] }, { hosts: ['b'], methods: ['POST'] }]
            """)
        #expect(policy.decide(try question("a")).isAllowed)
        #expect(policy.decide(try question("b")).isAllowed)
        #expect(!policy.decide(try question("b:443")).isAllowed)
        var asked = try question("b:8080")
        asked.method = "POST"
        #expect(!policy.decide(asked).isAllowed)
    }

    @Test func `where rules differ in handling the one counts that writes out most of the name`() throws {
        let policy = try policy(
            """
            allow: [{ hosts: ['*'] }, { hosts: ['*.b'], inspect: false }, { hosts: ['*.a.b'] }, { hosts: ['x.a.b'], inspect: false },
              { hosts: ['y.a.b'], ports: [443], protocol: 'tcp' }]
            """)
        for (text, expected) in [
            ("c.d:443", .inspect), ("c.b:443", .passThrough), ("c.a.b:443", .inspect), ("x.a.b:443", .passThrough),
            ("y.a.b:443", .tcp),
            ("y.a.b:80", .inspect),
        ] as [(String, NetworkGrant.Handling)] {
            #expect(policy.decide(try question(text)).grant?.handling == expected, "\(text)")
        }
        #expect(!policy.decide(try question("POST https://c.a.b/")).isAllowed)
        #expect(policy.decide(try question("POST https://c.b/")).isAllowed)
        #expect(!policy.decide(try question("GET https://y.a.b/")).isAllowed)
    }

    @Test func `a deny that cannot be seen in what is passed through denies it as a whole`() throws {
        let policy = try policy(
            "allow: [{ hosts: ['*.a'], inspect: false }, { hosts: ['t'], ports: [25], protocol: 'tcp' }], deny: [{ hosts: ['x.a'], paths: ['/y'] }]"
        )
        #expect(policy.decide(try question("y.a:443")).isAllowed)
        let denial = policy.decide(try question("GET https://x.a/z")).denial
        #expect(denial?.rule == "network.deny[0]")
        #expect(denial?.reason.contains("what is not inspected") == true)
    }

    @Test(arguments: [
        "/@x/y", "/%40x/y", "/%40X/y", "//@x//y", "/@x", "/@x/", "/(a)", "/%28A%29", "/caf%C3%A9", "/CAF%c3%a9",
    ])
    func `a deny sees every spelling that a server may take for the same path`(path: String) throws {
        let policy = try policy(
            "allow: [{ hosts: ['a'] }], deny: [{ hosts: ['a'], paths: ['/@x/**', '/%28a%29', '/caf%C3%A9'] }]")
        #expect(policy.decide(try question("GET https://a\(path)")).denial?.rule == "network.deny[0]")
        #expect(policy.decide(try question("GET https://a/x")).isAllowed)
    }

    @Test func `a port where only one scheme is inspected stays open for that one`() throws {
        let policy = try policy(
            """
            allow: [{ hosts: ['*.b'], inspect: false, ports: [8443] }, { hosts: ['*.b'], schemes: ['http'], ports: [8443] }],
            deny: [{ hosts: ['a.b'], ports: [8443], paths: ['/x'] }]
            """)
        #expect(policy.decide(try question("a.b:8443")).grant?.handling == .inspect)
        #expect(policy.decide(try question("GET http://a.b:8443/")).isAllowed)
        #expect(!policy.decide(try question("GET http://a.b:8443/x")).isAllowed)
        #expect(!policy.decide(try question("GET https://a.b:8443/")).isAllowed)
    }

    @Test func `a method or path that a rule does not name never passes for want of a check`() throws {
        let policy = try policy("allow: [{ hosts: ['a'], methods: ['GET'], paths: ['/x'] }]")
        var asked = try question("GET https://a/x")
        #expect(policy.decide(asked).isAllowed)
        asked.path = nil
        #expect(policy.decide(asked).isAllowed)
        asked.path = CanonicalPath(target: "/y")
        #expect(!policy.decide(asked).isAllowed)
        asked.path = CanonicalPath(target: "/x")
        asked.isWebSocket = true
        #expect(!policy.decide(asked).isAllowed)
    }

    @Test func `the candidates of a connection give the verdicts of the policy`() throws {
        let policy = try policy(Self.mixed)
        let candidates = policy.candidates(host: try question("api.example").host, port: 443, scheme: .https)
        for text in [
            "GET https://api.example/", "POST https://api.example/v1/x", "POST https://api.example/x",
            "GET https://evil.example/", "GET http://api.example/",
        ] {
            #expect(candidates.decide(try question(text)) == policy.decide(try question(text)), "\(text)")
        }
    }
}

struct `Addresses of answers` {
    @Test func `special addresses are refused unless the profile names the range`() throws {
        let strict = try policy("allow: [{ hosts: ['*'] }]")
        for text in [
            "127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd12::1", "64:ff9b::808:808", "::ffff:8.8.8.8",
        ] {
            let address = try #require(IPAddress(text))
            let denial = try #require(strict.refusal(of: address))
            #expect(denial.remedy == "network: { allowPrivate: [\"\(AddressRange(address))\"] }")
        }
        #expect(strict.refusal(of: try #require(IPAddress("8.8.8.8"))) == nil)
        let open = try policy("allow: [{ hosts: ['*'] }], allowPrivate: ['10.1.2.0/24', 'fd12::/64']")
        for (text, refused) in [
            ("10.1.2.3", false), ("10.1.3.1", true), ("fd12::1", false), ("fd13::1", true), ("::ffff:10.1.2.3", true),
        ] {
            #expect((open.refusal(of: try #require(IPAddress(text))) != nil) == refused, "\(text)")
        }
    }

    @Test func `an address that a deny names is refused, at its ports`() throws {
        let policy = try policy(
            "allow: [{ hosts: ['*'] }], deny: [{ hosts: ['8.8.8.8'], ports: [443], methods: ['POST'] }]")
        #expect(policy.refusal(of: .v4(0x0808_0808))?.rule == "network.deny[0]")
        #expect(policy.refusal(of: .v4(0x0808_0808), port: 443) != nil)
        #expect(policy.refusal(of: .v4(0x0808_0808), port: 80) == nil)
        #expect(policy.refusal(of: .v4(0x0808_0809)) == nil)
    }

    @Test func `the host's own addresses are refused`() throws {
        var policy = try policy("allow: [{ hosts: ['*', '9.9.9.9'] }]")
        #expect(policy.refusal(of: .v4(0x0909_0909)) == nil)
        policy.ownAddresses = [.v4(0x0909_0909)]
        #expect(policy.refusal(of: .v4(0x0909_0909))?.reason.contains("an address of this host") == true)
        #expect(!policy.decide(try question("GET https://9.9.9.9/")).isAllowed)
    }

    @Test func `a special literal needs both the rule and the range`() throws {
        let rule = "allow: [{ hosts: ['10.0.0.5', '*'] }]"
        let denial = try #require(try policy(rule).decide(question("GET http://10.0.0.5/")).denial)
        #expect(denial.reason == "10.0.0.5 is a private address and not in network.allowPrivate")
        #expect(denial.remedy == "network: { allowPrivate: [\"10.0.0.5/32\"] }")
        #expect(try policy(rule + ", allowPrivate: ['10.0.0.0/8']").decide(question("GET http://10.0.0.5/")).isAllowed)
        let other = try #require(
            try policy("allowPrivate: ['10.0.0.0/8']").decide(question("GET http://10.0.0.5/")).denial)
        #expect(
            other.remedy
                == #"network: { allow: [{ hosts: ["10.0.0.5"], schemes: ["http"], methods: ["GET"], paths: ["/"] }] }"#)
        let both = try #require(try policy("").decide(question("GET http://10.0.0.5/x")).denial)
        #expect(
            both.remedy
                == #"network: { allowPrivate: ["10.0.0.5/32"], allow: [{ hosts: ["10.0.0.5"], schemes: ["http"], methods: ["GET"], paths: ["/x"] }] }"#
        )
    }

    @Test func `the ports of all rules, ascending`() throws {
        #expect(
            try policy("allow: [{ hosts: ['*'] }, { preset: 'npm' }, { hosts: ['a'], ports: [25], protocol: 'tcp' }]")
                .ports == [25, 80, 443])
        #expect(try policy("").ports == [])
    }
}
