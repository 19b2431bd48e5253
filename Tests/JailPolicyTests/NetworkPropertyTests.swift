import JailCore
import JailPolicy
import TestSupport
import Testing

struct `Network properties` {
    /// Requests drawn, and of each kind at least so many, or the draw says nothing.
    private static let count = 20_000

    private struct Tally {
        var questions = 0
        var allowed = 0
        var denied = 0
        var byDeny = 0
        var remedies = 0
    }

    @Test func `what holds for every policy and every request`() throws {
        var generator = Seeded(1)
        var tally = Tally()
        while tally.questions < Self.count {
            let (text, rules) = RandomNetwork.rules(&generator)
            let policy = NetworkPolicy(rules)
            for _ in 0..<20 {
                guard let asked = RandomNetwork.question(&generator) else { continue }
                tally.questions += 1
                let verdict = policy.decide(asked)
                switch verdict {
                case .allow(let grant):
                    tally.allowed += 1
                    checkGrant(grant, asked, policy, text)
                case .deny(let denial):
                    tally.denied += 1
                    if denial.rule != nil { tally.byDeny += 1 }
                    if try checkDenial(denial, asked, policy, text, &generator) { tally.remedies += 1 }
                }
            }
        }
        print("network properties: \(tally)")
        #expect(tally.allowed > 1000 && tally.byDeny > 500 && tally.remedies > 3000)
    }

    /// Judged here anew, from the rules as they are written and with nothing of the policy's own code but the patterns.
    private func checkGrant(_ grant: NetworkGrant, _ asked: NetworkQuestion, _ policy: NetworkPolicy, _ text: String) {
        let label: Comment = "\(asked) \(text)"
        let rules = policy.rules.allow.flatMap { rule in rule.preset?.rules ?? [rule] }
        let naming = rules.filter { rule in
            rule.hosts.contains { $0.matches(asked.host) } && (asked.port.map(rule.ports.contains) ?? true)
        }
        #expect(!naming.isEmpty, label)
        if case .address(let address) = asked.host {
            #expect(naming.contains { $0.hosts.contains(.address(address)) }, label)
            #expect(address.special == nil || policy.rules.allowPrivate.contains { $0.contains(address) }, label)
        }
        for deny in policy.rules.deny where Self.names(deny, asked) {
            #expect(Bool(false), "denied by \(deny.shown): \(label)")
        }
        guard grant.handling == .inspect else { return }
        // Headers are known with the request only, and that with its port and scheme.
        let isRequest = asked.port != nil && asked.scheme != nil && asked.method != nil
        let methods = (asked.method.map { [$0] } ?? []) + (isRequest ? asked.overrides.map { $0.uppercased() } : [])
        for method in methods {
            #expect(naming.contains { $0.handling == .inspect && $0.methods.contains(method) }, label)
        }
        if asked.isWebSocket { #expect(naming.contains { $0.websocket }, label) }
        if let path = asked.path { #expect(naming.contains { $0.paths?.contains { $0.matches(path) } ?? true }, label) }
        #expect((asked.bodySize ?? 0) <= grant.requestSize, label)
        if let method = asked.method, method == "GET" || method == "HEAD" { #expect((asked.bodySize ?? 0) == 0, label) }
        if asked.port == 443 { #expect(asked.scheme != .http, label) }
        if asked.port == 80 { #expect(asked.scheme != .https, label) }
    }

    /// Whether a deny names all of the question as it stands.
    private static func names(_ deny: NetworkDenyRule, _ asked: NetworkQuestion) -> Bool {
        let host = deny.hosts.contains { $0 == .any || $0.matches(asked.host) }
        let port = deny.ports.map { ports in asked.port.map(ports.contains) ?? false } ?? true
        // Headers are known with the request only, and that with its port and scheme.
        let isRequest = asked.port != nil && asked.scheme != nil && asked.method != nil
        let methods = (asked.method.map { [$0] } ?? []) + (isRequest ? asked.overrides.map { $0.uppercased() } : [])
        let method = deny.methods.map { denied in methods.contains(where: denied.contains) } ?? true
        let path =
            deny.paths.map { paths in asked.path.map { path in paths.contains { $0.matches(path) } } ?? false } ?? true
        return host && port && method && path
    }

    /// Whether the denial has a remedy that does what it says.
    private func checkDenial(
        _ denial: NetworkDenial, _ asked: NetworkQuestion, _ policy: NetworkPolicy, _ text: String,
        _ generator: inout Seeded
    ) throws -> Bool {
        #expect(!denial.reason.isEmpty)
        guard let remedy = denial.remedy else { return false }
        #expect(denial.rule == nil, "a deny cannot be undone")
        var rules = policy.rules
        let added = try profile("{ \(remedy) }").network
        rules.allow += added.allow
        rules.allowPrivate += added.allowPrivate
        #expect(throws: Never.self, "\(remedy) \(text)") { try NetworkPolicy.check(rules) }
        let after = NetworkPolicy(rules)
        #expect(after.decide(asked).isAllowed, "\(remedy) \(asked) \(text)")
        // All of them take long in a debug build; every one comes up over so many requests.
        for other in Self.neighbours(of: asked).shuffled(using: &generator).prefix(10)
        where !policy.decide(other).isAllowed {
            // A range in allowPrivate opens what the rules that are there already say of that address.
            if !added.allowPrivate.isEmpty, other.host == asked.host { continue }
            #expect(!after.decide(other).isAllowed, "\(remedy) also allows \(other) \(text)")
        }
        return true
    }

    /// The same question with one thing changed.
    private static func neighbours(of asked: NetworkQuestion) -> [NetworkQuestion] {
        var others: [NetworkQuestion] = []
        func add(_ change: (inout NetworkQuestion) -> Void) {
            var other = asked
            change(&other)
            if other != asked { others.append(other) }
        }
        for name in RandomNetwork.names { if let name = HostName(user: name) { add { $0.host = .name(name) } } }
        for text in RandomNetwork.addresses { if let address = IPAddress(text) { add { $0.host = .address(address) } } }
        if asked.port != nil, asked.scheme != nil { for port in RandomNetwork.ports { add { $0.port = port } } }
        guard asked.scheme != .tcp else { return others }
        if asked.method != nil, asked.overrides.isEmpty, asked.scheme != nil {
            for method in HTTPMethod.known { add { $0.method = method } }
            if asked.port != nil {
                add { $0.scheme = .http }
                add { $0.scheme = .https }
                if !asked.isWebSocket { add { $0.isWebSocket = true } }
            }
        }
        if asked.path != nil { for path in RandomNetwork.paths { add { $0.path = CanonicalPath(target: path) } } }
        return others
    }

    @Test func `what is known later only narrows what was allowed before`() {
        var generator = Seeded(2)
        var checked = 0
        while checked < 5000 {
            let policy = NetworkPolicy(RandomNetwork.rules(&generator).rules)
            for _ in 0..<20 {
                guard let asked = RandomNetwork.question(&generator), policy.decide(asked).isAllowed else { continue }
                checked += 1
                var known = asked
                known.overrides = []
                known.bodySize = nil
                #expect(policy.decide(known).isAllowed)
                known.path = nil
                #expect(policy.decide(known).isAllowed, "\(asked)")
                known.isWebSocket = false
                known.method = nil
                #expect(policy.decide(known).isAllowed, "\(asked)")
                known.scheme = nil
                #expect(policy.decide(known).isAllowed, "\(asked)")
                known.port = nil
                #expect(policy.decide(known).isAllowed, "\(asked)")
            }
        }
    }

    @Test func `candidates and policy agree`() {
        var generator = Seeded(3)
        for _ in 0..<300 {
            let policy = NetworkPolicy(RandomNetwork.rules(&generator).rules)
            guard let first = RandomNetwork.question(&generator) else { continue }
            let candidates = policy.candidates(host: first.host, port: first.port, scheme: first.scheme)
            for _ in 0..<20 {
                guard var asked = RandomNetwork.question(&generator) else { continue }
                #expect(candidates.decide(asked) == policy.decide(asked))
                (asked.host, asked.port, asked.scheme) = (first.host, first.port, first.scheme)
                #expect(candidates.decide(asked) == policy.decide(asked))
            }
        }
    }

    @Test func `rules survive their journey as JSON`() throws {
        var generator = Seeded(4)
        for _ in 0..<2000 {
            let (text, rules) = RandomNetwork.rules(&generator)
            #expect(try NetworkRules(text: Array(rules.json.text().utf8)) == rules, "\(text)")
        }
        let full = try profile(Samples.full).network
        #expect(try NetworkRules(text: Array(full.json.text().utf8)) == full)
        #expect(try NetworkRules(text: Array(NetworkRules().json.text().utf8)) == NetworkRules())
    }

    @Test func `rules that were changed on the way are refused`() throws {
        let bytes = Array(try profile(Samples.full).network.json.text().utf8)
        for count in 0..<bytes.count where count % 7 == 0 {
            #expect(throws: JailError.self) { try NetworkRules(text: Array(bytes[..<count])) }
        }
        for text in [
            "", "[]", "{ allow: [{}] }", "{ x: 1 }", "{ allow: [{ hosts: ['a'] }, { hosts: ['a'], inspect: false }] }",
        ] {
            #expect(throws: JailError.self, "\(text)") { try NetworkRules(text: Array(text.utf8)) }
        }
    }
}

struct `Presets` {
    @Test(arguments: NetworkPreset.allCases)
    func `every text of a preset is what it should be`(preset: NetworkPreset) throws {
        for rule in preset.rules {
            #expect(!rule.hosts.isEmpty && rule.hosts.allSatisfy { $0 != .any })
            #expect(rule.schemes == [.https] && rule.ports == [443])
            #expect(rule.paths?.isEmpty != true)
            #expect(!rule.methods.isEmpty && rule.methods.allSatisfy(HTTPMethod.known.contains))
            // Written as a rule of its own it is taken, and is the same.
            #expect(try network("allow: [\(rule.json.text())]").allow == [rule])
        }
        let policy = try policy("allow: [{ preset: '\(preset.rawValue)' }]")
        #expect(policy.notes.isEmpty)
        #expect(policy.ports == [443])
    }

    @Test(arguments: [
        ("anthropic", "POST https://api.anthropic.com/v1/messages", true),
        ("anthropic", "POST https://anthropic.com/v1/messages", false),
        ("openai", "GET wss://api.openai.com/v1/responses", true),
        ("openrouter", "POST https://openrouter.ai/api/v1/chat/completions", true),
        ("openrouter", "POST https://openrouter.ai/settings", false),
        ("google-ai", "POST https://generativelanguage.googleapis.com/v1beta/models/m:generateContent", true),
        ("telegram", "POST https://api.telegram.org/bot123:ABC/sendMessage", true),
        ("telegram", "GET https://api.telegram.org/file/bot123:ABC/photos/1.jpg", true),
        ("discord", "GET wss://gateway.discord.gg/?v=10", true),
        ("discord", "GET wss://gateway-us-east1-b.discord.gg/?v=10", true),
        ("discord", "PUT https://discord.com/api/v10/x", true), ("discord", "POST https://cdn.discordapp.com/x", false),
        ("slack", "GET wss://wss-primary.slack.com/link/?ticket=x", true),
        ("slack", "POST https://slack.com/api/chat.postMessage", true),
        ("slack", "GET wss://slack.com/api/x", false), ("whatsapp", "GET wss://web.whatsapp.com/ws/chat", true),
        ("whatsapp", "POST https://mmg.whatsapp.net/mms/image", true), ("clawhub", "GET https://clawhub.ai/x", true),
        ("clawhub", "GET https://clawhub.com/x", false), ("npm", "GET https://registry.npmjs.org/openclaw", true),
        ("npm", "PUT https://registry.npmjs.org/openclaw", false),
        ("pypi", "GET https://files.pythonhosted.org/packages/x", true),
        ("github-read", "GET https://github.com/o/r/info/refs?service=git-upload-pack", true),
        ("github-read", "POST https://github.com/o/r.git/git-upload-pack", true),
        ("github-read", "POST https://github.com/o/r.git/git-receive-pack", false),
        ("github-read", "GET https://github.com/o/r", false),
    ])
    func `a preset allows what its clients do`(preset: String, request: String, expected: Bool) throws {
        #expect(try policy("allow: [{ preset: '\(preset)' }]").decide(question(request)).isAllowed == expected)
    }
}
