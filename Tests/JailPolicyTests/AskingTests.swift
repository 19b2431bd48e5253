import JailCore
import JailPolicy
import TestSupport
import Testing

struct `What a person may be asked about` {
    private static func asking(_ text: String) throws -> NetworkPolicy {
        var policy = try JailPolicyTests.policy(text)
        policy.asks = true
        return policy
    }

    private static let rules = """
        allow: [
          { hosts: ['a.example'] }, { hosts: ['pinned.example'], inspect: false },
          { hosts: ['smtp.example'], ports: [587], protocol: 'tcp' }, { hosts: ['b.example'], ports: [8443] },
          { hosts: ['small.example'], methods: ['POST'], requestSize: '1K' },
        ],
        deny: [
          { hosts: ['*.evil.example'] }, { hosts: ['a.example'], methods: ['DELETE'] },
          { hosts: ['c.example'], paths: ['/admin/**'] },
        ]
        """

    @Test(arguments: [
        "POST https://a.example/x", "GET https://new.example/", "GET http://new.example/", "PUT https://c.example/x",
        "GET https://new.example:8443/", "GET https://8.8.8.8/",
    ])
    func `what no rule names`(_ text: String) throws {
        let policy = try Self.asking(Self.rules)
        let question = try JailPolicyTests.question(text)
        #expect(!policy.decide(question).isAllowed && policy.reach(question).isAllowed)
        #expect(policy.approvable(question)?.handling == .inspect)
        #expect(try JailPolicyTests.policy(Self.rules).approvable(question) == nil)
    }

    @Test(arguments: [
        // Allowed.
        "GET https://a.example/",
        // Denied by a rule, in whatever spelling.
        "GET https://x.evil.example/", "DELETE https://a.example/x", "GET https://c.example/admin/x",
        "GET https://c.example/ADMIN/x", "POST https://c.example/%61dmin/x",
        // Special addresses.
        "GET https://127.0.0.1/", "GET http://169.254.169.254/", "GET https://10.0.0.1/", "GET https://[::1]/",
        "GET https://[::ffff:10.0.0.1]/",
        // What is never allowed.
        "TRACE https://new.example/", "CONNECT https://new.example/",
        // Not inspected, or at ports of other protocols.
        "GET https://pinned.example/", "GET https://new.example:22/", "GET https://new.example:25/",
        "POST https://smtp.example:587/",
    ])
    func `and nothing else`(_ text: String) throws {
        let policy = try Self.asking(Self.rules)
        #expect(policy.approvable(try question(text)) == nil)
    }

    @Test func `no WebSocket, no other method in a header, no larger body`() throws {
        let policy = try Self.asking(Self.rules)
        var asked = try question("GET https://new.example/")
        asked.isWebSocket = true
        #expect(policy.approvable(asked) == nil)
        asked = try question("POST https://new.example/")
        asked.overrides = ["delete"]
        #expect(policy.approvable(asked) == nil)
        asked.overrides = ["post"]
        #expect(policy.approvable(asked) != nil)
        asked.bodySize = NetworkRule.defaultRequestSize + 1
        #expect(policy.approvable(asked) == nil)
        asked = try question("POST https://small.example/")
        asked.bodySize = 2048
        #expect(!policy.decide(asked).isAllowed && policy.approvable(asked) == nil, "a limit is no question")
    }

    @Test func `a name can be reached where a request for it may be asked about`() throws {
        let policy = try Self.asking(Self.rules)
        func name(_ text: String) throws -> NetworkQuestion {
            NetworkQuestion(host: .name(try #require(HostName(user: text))))
        }
        #expect(policy.reach(try name("new.example")).isAllowed)
        #expect(!policy.reach(try name("x.evil.example")).isAllowed)
        #expect(!policy.decide(try name("new.example")).isAllowed)
        #expect(policy.askedPorts == [80, 443, 587, 8443])
    }

    /// Judged anew, from the rules as they are written.
    @Test func `never what a rule denies, nor a special address, whatever the rules are`() throws {
        var generator = Seeded(9)
        var found = 0
        for _ in 0..<1500 {
            let (text, rules) = RandomNetwork.rules(&generator)
            var policy = NetworkPolicy(rules)
            let plain = policy
            policy.asks = true
            for _ in 0..<12 {
                guard let asked = RandomNetwork.question(&generator) else { continue }
                #expect(policy.decide(asked) == plain.decide(asked), "asking changes no decision")
                guard policy.approvable(asked) != nil else { continue }
                found += 1
                let label: Comment = "\(asked) \(text)"
                #expect(policy.decide(asked).denial?.rule == nil && !policy.decide(asked).isAllowed, label)
                #expect(!asked.isWebSocket && asked.scheme != .tcp, label)
                if case .address(let address) = asked.host {
                    #expect(policy.specialRefusal(of: address) == nil, label)
                }
                guard let path = asked.path, let method = asked.method, let port = asked.port else { continue }
                let denied = rules.deny.contains { rule in
                    rule.hosts.contains { $0 == .any || $0.matches(asked.host) }
                        && (rule.ports?.contains(port) ?? true) && (rule.methods?.contains(method) ?? true)
                        && (rule.paths?.contains { $0.matches(path) } ?? true)
                }
                #expect(!denied, label)
            }
        }
        #expect(found > 300, "the property must have been tried: \(found)")
    }
}
