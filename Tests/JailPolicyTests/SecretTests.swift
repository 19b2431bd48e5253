import JailCore
import JailPolicy
import TestSupport
import Testing

struct `Bindings of secrets` {
    /// - Parameters:
    ///   - secrets: the inside of the list.
    ///   - allow: the inside of `network.allow`.
    private func text(
        _ secrets: String, allow: String = "{ hosts: ['a.example'], methods: ['GET', 'POST'], paths: ['/v1/**'] }",
        more: String = ""
    ) -> String {
        "{ network: { allow: [\(allow)] }, secrets: [\n\(secrets)\n] \(more) }"
    }

    private func question(
        _ method: String = "GET", _ path: String = "/v1/x", host: String = "a.example", port: UInt16 = 443,
        scheme: NetworkScheme = .https
    ) throws -> NetworkQuestion {
        var question = NetworkQuestion(host: .name(try #require(HostName(user: host))))
        (question.port, question.scheme, question.method) = (port, scheme, method)
        question.path = CanonicalPath(target: path)
        return question
    }

    @Test func `a binding covers what it names, over TLS, and nothing else`() throws {
        let secrets = "{ name: 'k', hosts: ['a.example'], methods: ['POST'], paths: ['/v1/a/*'], inject: 'bearer' }"
        let binding = try #require(try profile(text(secrets)).secrets.bindings.first)
        #expect(try binding.covers(question("POST", "/v1/a/b")))
        #expect(try !binding.covers(question("GET", "/v1/a/b")))
        #expect(try !binding.covers(question("POST", "/v1/a/b/c")))
        #expect(try !binding.covers(question("POST", "/v1/a/b", port: 8443)))
        #expect(try !binding.covers(question("POST", "/v1/a/b", host: "b.a.example")))
        #expect(try !binding.covers(question("POST", "/v1/a/b", scheme: .http)))
    }

    @Test(arguments: [
        ("hosts: ['b.example']", "is bound to https://b.example, which no rule of network.allow lets be asked"),
        ("hosts: ['a.example'], ports: [8443]", "is bound to https://a.example:8443, which no rule"),
        ("hosts: ['a.example'], ports: [80]", "is bound to https://a.example:80, which no rule"),
        ("hosts: ['a.example'], methods: ['PUT']", "is bound to PUT of https://a.example, which the network's rules"),
        ("hosts: ['a.example'], paths: ['/v2/x']", "is bound to /v2/x of https://a.example, more than the network's"),
        ("hosts: ['a.example'], paths: ['/**']", "is bound to /** of https://a.example, more than the network's"),
    ])
    func `a binding lies within what the network allows`(keys: String, reason: String) {
        let refused = refusal(text("{ name: 'k', \(keys), inject: 'bearer' }"))
        #expect(refused.contains("p.json5:2:1: 'secrets[0]' \(reason)"), "\(refused)")
    }

    @Test(arguments: [
        "{ hosts: ['a.example'], inspect: false }", "{ hosts: ['a.example'], ports: [443], protocol: 'tcp' }",
        "{ hosts: ['a.example'], schemes: ['http'], ports: [80] }",
    ])
    func `what is not looked into has no secrets`(rule: String) {
        let refused = refusal(text("{ name: 'k', hosts: ['a.example'], inject: 'bearer' }", allow: rule))
        #expect(refused.contains("which no rule of network.allow lets be asked and inspected"), "\(refused)")
    }

    @Test func `what a rule denies has none either`() {
        let refused = refusal(
            "{ network: { allow: [{ hosts: ['a.example'], methods: ['GET', 'POST'] }], "
                + "deny: [{ hosts: ['a.example'], methods: ['POST'] }] }, "
                + "secrets: [{ name: 'k', hosts: ['a.example'], methods: ['POST'], inject: 'bearer' }] }")
        #expect(refused.contains("is bound to POST of https://a.example, which the network's rules do not allow"))
    }

    @Test(arguments: [
        ("inject: 'bearer'", "inject: { header: 'authorization' }"), ("inject: 'bearer'", "inject: { basic: 'x' }"),
        ("inject: { header: 'X-Key' }", "inject: { header: 'x-kEY' }"),
        ("inject: { query: 'k' }, paths: ['/v1/*/b']", "inject: { query: 'k' }, paths: ['/v1/a/**']"),
        ("inject: { path: '/v1/{}' }", "inject: { path: '/v1/{}/' }"),
        ("inject: 'bearer', methods: ['GET']", "inject: 'bearer', methods: ['POST', 'GET']"),
    ])
    func `two bindings do not fight for one place of one request`(one: String, other: String) {
        let refused = refusal(
            text("{ name: 'k', hosts: ['a.example'], \(one) },\n{ name: 'l', hosts: ['a.example'], \(other) }"))
        #expect(
            refused.contains("p.json5:3:1: 'secrets[1]' goes into the same place of the same requests as 'secrets[0]'"),
            "\(refused)")
    }

    @Test(arguments: [
        ("inject: 'bearer'", "inject: { header: 'X-Key' }"), ("inject: { query: 'k' }", "inject: { query: 'K' }"),
        ("inject: 'bearer', methods: ['GET']", "inject: 'bearer', methods: ['POST']"),
        ("inject: 'bearer', paths: ['/v1/a/**']", "inject: 'bearer', paths: ['/v1/b/**']"),
        ("inject: 'bearer', paths: ['/v1/a']", "inject: 'bearer', paths: ['/v1/a/b']"),
    ])
    func `bindings that never meet stand beside each other`(one: String, other: String) throws {
        let both = "{ name: 'k', hosts: ['a.example'], \(one) }, { name: 'l', hosts: ['a.example'], \(other) }"
        #expect(try profile(text(both)).secrets.names == ["k", "l"])
    }

    @Test func `a variable has one value`() {
        let secret = "{ name: 'k', env: 'K', hosts: ['a.example'], inject: 'bearer' }"
        let other = "{ name: 'l', env: 'K', hosts: ['a.example'], inject: { header: 'X-L' } }"
        #expect(refusal(text("\(secret), \(other)")).contains("sets K, as another secret does in 'secrets[0]'"))
        #expect(
            refusal(text(secret, more: ", process: { environment: { K: '1' } }"))
                .contains("'secrets[0]' sets K, which process.environment sets as well"))
        #expect(
            refusal(text(secret, more: ", process: { passEnvironment: ['K'] }"))
                .contains("'secrets[0]' sets K, which process.passEnvironment passes on"))
    }

    @Test func `a secret comes from one place, which one of its bindings names`() throws {
        func binding(_ host: String, _ more: String) -> String {
            "{ name: 'k', hosts: ['\(host).example'], inject: 'bearer'\(more) }"
        }
        let allow = "{ hosts: ['a.example', 'b.example'] }"
        let one = binding("a", "")
        let file = binding("b", ", source: { file: '/k' }")
        let rules = try profile(text("\(one), \(file)", allow: allow)).secrets
        #expect(rules.source(of: "k") == .file("/k") && rules.source(of: "l") == .store)
        #expect(rules.withoutSources.bindings.allSatisfy { $0.source == nil })
        let store = binding("a", ", source: 'store'")
        #expect(
            refusal(text("\(store), \(file)", allow: allow))
                .contains("takes the same secret from another place than 'secrets[0]'"))
    }

    @Test func `a secret is exchanged in one way, which one of its bindings says`() throws {
        func binding(_ name: String, _ host: String, _ oauth: String?) -> String {
            let exchange = oauth.map { ", exchange: { oauth: { host: 'id.example', path: '/t', clientId: 'i'\($0) } }" }
            return "{ name: '\(name)', hosts: ['\(host).example'], inject: 'bearer'\(exchange ?? "") }"
        }
        let allow = "{ hosts: ['a.example', 'b.example'] }"
        func refused(_ secrets: String...) -> String { refusal(text(secrets.joined(separator: ",\n"), allow: allow)) }
        let (plain, one) = (binding("k", "a", nil), binding("k", "b", ", clientSecret: 'app'"))
        let rules = try profile(text("\(plain), \(one)", allow: allow)).secrets
        #expect(rules.exchange(of: "k")?.clientSecret == "app" && rules.exchange(of: "app") == nil)
        #expect(rules.names == ["k", "app"] && rules.boundNames == ["k"] && rules.withoutSources == rules)
        #expect(
            rules.bindings[1].shown.hasSuffix(
                ", exchanged for access tokens at https://id.example/t, outside of the jail"))
        #expect(
            refused(one, binding("k", "a", "")).contains("exchanges the same secret in another way than 'secrets[0]'"))
        let client = "as its 'clientSecret', which is exchanged itself or signs requests"
        #expect(refused(binding("k", "a", ", clientSecret: 'k'")).contains("'secrets[0]' names 'k' \(client)"))
        #expect(refused(one, binding("app", "a", "")).contains("'secrets[0]' names 'app' \(client)"))
        let signing = "{ name: 'k', hosts: ['b.example'], inject: { sigv4: { service: 's', region: 'r' } }, exchange: "
        #expect(
            refused(signing + "{ oauth: { host: 'id.example', path: '/t', clientId: 'i' } } }")
                .contains("'secrets[0]' exchanges a secret that signs requests"))
    }

    @Test func `of programs' variables a plan shows the names`() throws {
        let rules = try profile(Samples.full).secrets
        #expect(rules.json.text().contains(#""env":{"LANG":"C"}"#))
        #expect(rules.withoutValues.json.text().contains(#""env":{"LANG":"…"}"#))
        #expect(
            rules.variables.map { "\($0.variable) \($0.name) \($0.part)" } == [
                "API_KEY api 0", "BOT bot 0", "AWS_ACCESS_KEY_ID aws 0", "AWS_SECRET_ACCESS_KEY aws 1",
            ])
    }

    @Test func `a value that fits into no header field is no secret for requests`() {
        func fault(_ text: String) -> String? { SecretPlaceholder.fault(in: Array(text.utf8).span) }
        #expect(fault("sk-4f9c2e7a") == nil)
        #expect(fault("short")?.contains("5 bytes") == true)
        for text in ["two\nlines", "a tab\t here", "grün-und-blau", " a blank", "a blank "] {
            #expect(fault(text) != nil, "\(text)")
        }
    }

    private static let signing = "name: 'k', hosts: ['a.example'], inject: { sigv4: { service: 's3', region: 'eu-1' } }"

    @Test func `an access key has two variables, and is for signing alone`() throws {
        let rules = try profile(text("{ env: 'AWS', \(Self.signing) }")).secrets
        #expect(rules.bindings[0].variables == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
        #expect(rules.isAccessKey("k") && !rules.isAccessKey("l"))
        #expect(
            rules.bindings[0].shown
                == "k as the signature for s3 in eu-1 to a.example, placeholder in AWS_ACCESS_KEY_ID and "
                + "AWS_SECRET_ACCESS_KEY")
        let both = "{ \(Self.signing) }, { name: 'k', hosts: ['a.example'], inject: { header: 'X-K' } }"
        #expect(
            refusal(text(both)).contains(
                "signs with a secret that is sent, or sends one that signs, in 'secrets[0]'"))
        let bearer = "{ \(Self.signing) }, { name: 'l', hosts: ['a.example'], inject: 'bearer' }"
        #expect(refusal(text(bearer)).contains("goes into the same place of the same requests as 'secrets[0]'"))
        let other = "{ env: 'AWS', \(Self.signing) }, "
        #expect(
            refusal(
                text(
                    other + "{ name: 'l', env: 'AWS_ACCESS_KEY_ID', hosts: ['a.example'], inject: { header: 'X-K' } }")
            )
            .contains("sets AWS_ACCESS_KEY_ID, as another secret does in 'secrets[0]'"))
        #expect(
            refusal(
                text(
                    "{ env: 'AWS', \(Self.signing) }", more: ", process: { passEnvironment: ['AWS_SECRET_ACCESS_KEY'] }"
                )
            )
            .contains("sets AWS_SECRET_ACCESS_KEY, which process.passEnvironment passes on"))
        #expect(refusal(text("{ env: 'LD', \(Self.signing) }")).contains("sets LD_ACCESS_KEY_ID, and must not pass on"))
    }

    @Test func `bindings travel as they are`() throws {
        let rules = try profile(Samples.full).secrets
        #expect(rules.bindings.count == 8)
        #expect(try SecretRules(text: Array(rules.json.text().utf8)) == rules)
        #expect(throws: JailError.self) { try SecretRules(text: Array("[{ name: 'k' }]".utf8)) }
        #expect(throws: JailError.self) { try SecretRules(text: Array("[".utf8)) }
    }
}

struct `Placeholders` {
    private func make(_ value: String, _ generator: inout some RandomNumberGenerator) throws -> String {
        try SecretPlaceholder.make(like: Array(value.utf8).span, using: &generator).text
    }

    /// A value, what its placeholder begins with, and its length.
    private static let shapes: [(String, String, Int)] = [
        ("sk-ant-api03-" + String(repeating: "aB3_", count: 24), "sk-ant-api03-", 13 + 96),
        ("sk-proj-" + String(repeating: "x", count: 41), "sk-proj-", 8 + 48),
        ("ghp_" + String(repeating: "Zz9", count: 12), "ghp_", 40),
        ("github_pat_" + String(repeating: "Q", count: 82), "github_pat_", 93),
        ("xoxb-1234567890-abcdefghij", "xoxb-", 5 + 24), ("AKIAIOSFODNN7EXAMPLE", "AKIA", 20),
        ("123456789:AAF" + String(repeating: "k", count: 32), "", 45),
        ("0123456789abcdef0123456789abcdef01234567", "", 40), ("hunter2!", "", 22), ("pass word \u{e9}", "", 22),
        (String(repeating: "long", count: 1024), "", 256),
    ]

    @Test(arguments: shapes)
    func `a placeholder looks like its value`(value: String, prefix: String, length: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let text = try make(value, &generator)
        #expect(text.hasPrefix(prefix) && text.utf8.count == length, "\(text)")
        #expect(SecretPlaceholder(text: text)?.text == text)
    }

    @Test(arguments: shapes)
    func `a placeholder is another one each time, and shows nothing of its value`(
        value: String, prefix: String, length: Int
    ) throws {
        var generator = SystemRandomNumberGenerator()
        var seen: Set<String> = []
        let secret = Array(value.utf8.dropFirst(prefix.utf8.count))
        for _ in 0..<(value.utf8.count > 1000 ? 1 : 20) {
            let text = try make(value, &generator)
            #expect(seen.insert(text).inserted)
            let made = Array(text.utf8.dropFirst(prefix.utf8.count))
            for start in 0...(secret.count - 4) {
                let run = secret[start..<(start + 4)]
                #expect(!made.indices.contains { made[$0...].starts(with: run) }, "\(text)")
            }
        }
    }

    @Test func `a kind keeps its characters`() throws {
        var generator = SystemRandomNumberGenerator()
        let hex = try make("00112233445566778899aabbccddeeff", &generator)
        #expect(hex.utf8.count == 32 && hex.allSatisfy { "0123456789abcdef".contains($0) })
        let bot = try make("123456789:AAF" + String(repeating: "k", count: 32), &generator).split(separator: ":")
        #expect(bot.count == 2 && bot[0].allSatisfy(\.isNumber))
        let key = try make("AKIAIOSFODNN7EXAMPLE", &generator).dropFirst(4)
        #expect(key.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains($0) })
    }

    private static let id = "AKIAIOSFODNN7EXAMPLE"
    private static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    @Test func `an access key has one for its id and one for its secret`() throws {
        var rules = SecretRules()
        rules.bindings = [
            SecretBinding(name: "aws", hosts: [], place: .sigV4(SigningScope(service: "s3", region: "eu-1")))
        ]
        var generator = SystemRandomNumberGenerator()
        let value = Array("\(Self.id):\(Self.secret):\(String(repeating: "t/", count: 200))".utf8)
        let placeholder = try rules.makePlaceholder(of: "aws", like: value.span, using: &generator)
        #expect(placeholder.isPair && placeholder.parts.map(\.utf8.count) == [20, 40])
        #expect(placeholder.parts[0].hasPrefix("AKIA") && placeholder.parts[0] != Self.id)
        #expect(SecretPlaceholder(text: placeholder.text) == placeholder)
        let single = try rules.makePlaceholder(of: "other", like: value.span, using: &generator)
        #expect(!single.isPair && single.parts == [single.text])
    }

    @Test(arguments: [
        "\(id)", "\(id):", ":\(secret)", "\(id):\(secret):", "\(id):\(secret):\(secret):x", "short:\(secret)",
        "\(id):short", "AKIA IOSFODNN7EXAMPLE:\(secret)", "AKIA/IOSFODNN7EXAMPLE:\(secret)", "\(id): \(secret)",
        "\(id):\(secret)\n", "\(id):\(secret):short", "\(id):\(String(repeating: "x", count: 129))",
    ])
    func `what is no access key is refused, and repeated nowhere`(value: String) {
        var generator = SystemRandomNumberGenerator()
        let text = message { try SecretPlaceholder.makePair(like: Array(value.utf8).span, using: &generator).text }
        #expect(text.contains("must be an access key in one line, ID:SECRET") && !text.contains(Self.secret))
    }

    @Test func `what is too short to be a secret, and too long for a field, has none`() {
        var generator = SystemRandomNumberGenerator()
        #expect(message { try make("1234567", &generator) }.contains("must be of 8 to 4096 bytes, not 7"))
        #expect(throws: ValueError.self) { try make(String(repeating: "x", count: 4097), &generator) }
    }

    @Test func `what no value can be shown without is refused, not shown`() {
        // Of a generator that gives the first character of all, always.
        struct Stuck: RandomNumberGenerator { mutating func next() -> UInt64 { 1 << 32 } }
        var generator = Stuck()
        #expect(throws: ValueError.self) { try make(String(repeating: "A", count: 30), &generator) }
    }

    @Test(arguments: [
        "", "short", "12345678901234567890/short", "/12345678901234567890", "\(id)/\(id)/\(id)",
        "has a space in it, and more", "line\r\nbreak-and-some-more-text", "é-2345678901234567890",
    ])
    func `only what could have been made is taken from a channel`(text: String) {
        #expect(SecretPlaceholder(text: text) == nil)
    }
}
