import EgressControl
import FoundationEssentials
import JailPolicy
import NIOCore
import NIOHPACK
import NIOHTTP1
import SecretTraces
import TestSupport
import Testing

@testable import EgressGateway

/// One jail with secrets, and an origin over TLS that keeps what it is told.
struct SecretJail {
    static let value = "sk-real-4f9c2e7a1b8d6053-NEVER-INSIDE"
    static let placeholder = "sk-Zk3mQ9xT7bW1cV5nR8yL2pD4hF6j"
    let way: Way

    /// - Parameter binding: the rest of the one binding, which is to a.test and the origin's port.
    static func open(
        _ binding: String, value: String? = value, tls: Bool = true, rule: String = "methods: ['GET', 'POST', 'PUT']",
        network: String = "", kind: Origin.Kind = .http(Origin.ok)
    ) async throws -> SecretJail {
        let origin = try await Origin.start(kind, tls: tls ? "a.test" : nil)
        let text = "[{ name: 'key', hosts: ['a.test'], ports: [\(origin.port)], \(binding) }]"
        let gateway = try await TestGateway.start(
            "allow: [{ hosts: ['a.test', 'b.test'], ports: [\(origin.port)], \(rule) }], \(network)",
            secrets: try SecretRules(text: Array(text.utf8)))
        let destination = Destination(host: .name("a.test"), port: UInt16(clamping: origin.port))
        let way = Way(gateway: gateway, origin: origin, port: try await gateway.listen(for: destination))
        let jail = SecretJail(way: way)
        if let value { try await jail.give(value) }
        return jail
    }

    /// At an origin of another kind.
    static func open(_ binding: String, at port: Int) async throws -> (gateway: TestGateway, port: Int) {
        let text = "[{ name: 'key', hosts: ['a.test'], ports: [\(port)], \(binding) }]"
        let gateway = try await TestGateway.start(
            "allow: [{ hosts: ['a.test'], ports: [\(port)], methods: ['GET', 'POST'] }]",
            secrets: try SecretRules(text: Array(text.utf8)))
        let placeholder = try #require(SecretPlaceholder(text: placeholder))
        try await gateway.give(SecretGrant(name: "key", placeholder: placeholder, value: SecretValue(value.utf8)))
        let destination = Destination(host: .name("a.test"), port: UInt16(clamping: port))
        return (gateway, try await gateway.listen(for: destination))
    }

    func give(_ value: String, grace: UInt64 = 0) async throws {
        let placeholder = try #require(SecretPlaceholder(text: Self.placeholder))
        try await way.gateway.give(
            SecretGrant(name: "key", placeholder: placeholder, value: SecretValue(value.utf8), grace: grace))
    }

    func ask(_ text: String) async throws -> String {
        let client = try await Client.connect(way.port)
        try await client.secure(way.gateway.clientContext(["http/1.1"]), "a.test")
        try await client.send(text)
        return try await client.receiveAll()
    }

    func ask(_ method: String = "GET", _ target: String = "/", _ fields: String = "", body: String = "") async throws
        -> String
    { try await ask(way.text(method, target, Way.close + fields, body: body)) }

    /// Everything that the origin has heard.
    var heard: String {
        way.origin.requests.map { request in
            "\(request.method) \(request.target)\n"
                + request.headers.map { "\($0.name): \($0.value)\n" }.joined()
                + String(decoding: request.body, as: UTF8.self)
        }.joined() + way.origin.raw
    }

    /// The request was denied, somebody was told, and nothing was given away.
    func expectMisuse(_ answer: String, _ comment: Comment? = nil) async throws {
        #expect(answer.hasPrefix("HTTP/1.1 403"), comment)
        #expect(answer.contains("secret-misuse") && answer.contains("'key'"), comment)
        try await expectTold(comment)
        #expect(!answer.contains(Self.value) && !heard.contains(Self.value), comment)
    }

    func expectTold(_ comment: Comment? = nil) async throws {
        let events = try await way.gateway.events()
        #expect(events.contains { $0.verdict == .denied && $0.secret == "key" }, comment)
        for event in events {
            #expect(!event.line.contains(Self.placeholder) && !event.line.contains(Self.value), comment)
        }
    }
}

@Suite(.timeLimit(.minutes(3))) struct `Secrets in requests` {
    private let token = SecretJail.placeholder
    private let real = SecretJail.value

    // MARK: Where it belongs

    @Test func `a bearer token is put in its place, and the answer is asked for as it is`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'")
        let fields = "Authorization: Bearer \(token)\r\nAccept-Encoding: gzip, br\r\nRange: bytes=1-\r\nIf-Range: x\r\n"
        #expect(try await jail.ask("GET", "/a", fields).hasPrefix("HTTP/1.1 200"))
        let request = jail.way.origin.requests[0]
        #expect(request["Authorization"] == "Bearer \(real)" && request["Accept-Encoding"] == "identity")
        #expect(request.headers["Range"].isEmpty && request.headers["If-Range"].isEmpty)
        #expect(!jail.heard.contains(token))
        let events = try await jail.way.gateway.events()
        #expect(events.map(\.secret) == ["key"] && events[0].verdict == .allowed)
        #expect(!events[0].line.contains(real) && !events[0].line.contains(token))
    }

    @Test func `a header, a password, a parameter and a segment of the path`() async throws {
        var jail = try await SecretJail.open("inject: { header: 'X-Api-Key' }")
        #expect(
            try await jail.ask("POST", "/", "x-api-key: \(token)\r\nContent-Length: 2\r\n", body: "hi").contains("200"))
        #expect(
            jail.way.origin.requests[0]["X-Api-Key"] == real && jail.way.origin.requests[0].body == Array("hi".utf8))

        jail = try await SecretJail.open("inject: { basic: 'bob' }")
        let pair = Data("bob:\(token)".utf8).base64EncodedString()
        #expect(try await jail.ask("GET", "/", "Authorization: basic \(pair)\r\n").contains("200"))
        #expect(
            jail.way.origin.requests[0]["Authorization"] == "Basic " + Data("bob:\(real)".utf8).base64EncodedString())

        jail = try await SecretJail.open("inject: { query: 'key' }", value: "a b&c=d/e+f%g-h")
        #expect(try await jail.ask("GET", "/q?x=1&key=\(token)&y").contains("200"))
        #expect(jail.way.origin.requests[0].target == "/q?x=1&key=a%20b%26c%3Dd%2Fe%2Bf%25g-h&y")

        jail = try await SecretJail.open("inject: { path: '/bot{}/' }", value: "123456:ABC-def_gh")
        #expect(try await jail.ask("GET", "/bot\(token)/getMe?x=1").contains("200"))
        #expect(jail.way.origin.requests[0].target == "/bot123456:ABC-def_gh/getMe?x=1")
        try await #expect(
            jail.way.gateway.events().allSatisfy { !$0.line.contains(token) && !$0.line.contains("ABC-def") })
    }

    @Test func `a header whose value has a beginning of its own`() async throws {
        let jail = try await SecretJail.open("inject: { header: 'Authorization', prefix: 'Bot ' }")
        #expect(try await jail.ask("GET", "/", "Authorization: Bot \(token)\r\n").contains("200"))
        #expect(jail.way.origin.requests[0]["Authorization"] == "Bot \(real)")
        for value in [token, "Bearer \(token)", "bot \(token)", "Bot  \(token)", "Bot \(token) Bot"] {
            let other = try await SecretJail.open("inject: { header: 'Authorization', prefix: 'Bot ' }")
            try await other.expectMisuse(try await other.ask("GET", "/", "Authorization: \(value)\r\n"), "\(value)")
        }
    }

    @Test(arguments: ["'bearer'", "{ query: 'key' }"])
    func `over HTTP/2 to the origin no table keeps it`(place: String) async throws {
        let origin = try await HTTP2Origin.start()
        let (gateway, port) = try await SecretJail.open("inject: \(place)", at: origin.port)
        let client = try await HTTP2Client.connect(gateway, port)
        let authority = "a.test:\(origin.port)"
        for _ in 0..<2 {
            let isQuery = place.contains("query")
            let heard = try await client.ask(
                [
                    (":method", "GET"), (":scheme", "https"), (":authority", authority),
                    (":path", isQuery ? "/?key=\(token)" : "/"), ("x-other", "a"),
                ] + (isQuery ? [] : [("authorization", "Bearer \(token)")]))
            #expect(heard.status == "200")
        }
        #expect(origin.heads.count == 2)
        for head in origin.heads {
            let hidden = head.filter { $0.value.contains(real) }
            #expect(hidden.count == 1 && hidden.allSatisfy { $0.indexable == .neverIndexed })
            #expect(head.contains { $0.name == "x-other" && $0.indexable == .indexable })
        }
        client.close()
    }

    @Test func `a value that would make another path of it does not go out`() async throws {
        let jail = try await SecretJail.open("inject: { path: '/bot{}/' }", value: "abc/../../admin")
        #expect(try await jail.ask("GET", "/bot\(token)/getMe").hasPrefix("HTTP/1.1 403"))
        #expect(jail.way.origin.requests.isEmpty)
    }

    @Test func `the caller's own token is left alone`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'")
        for own in ["Bearer mine", "Basic bWU6bWluZQ==", "Bearer sk-Zk3mQ9xT7bW1cV5nR8yL2pD4hF6k"] {
            #expect(try await jail.ask("GET", "/", "Authorization: \(own)\r\nAccept-Encoding: br\r\n").contains("200"))
            #expect(jail.way.origin.requests.last?["Authorization"] == own)
            #expect(jail.way.origin.requests.last?["Accept-Encoding"] == "br")
        }
        #expect(try await jail.ask().contains("200"))
        #expect(jail.way.origin.requests.last?.headers["Authorization"] == [])
        #expect(try await jail.way.gateway.events().allSatisfy { $0.secret == nil })
    }

    @Test func `over HTTP/2 as well`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'")
        let client = try await HTTP2Client.connect(jail.way)
        let good = try await client.ask(client.ask(jail.way, "GET", "/", [("authorization", "Bearer \(token)")]))
        #expect(good.status == "200" && jail.way.origin.requests[0]["Authorization"] == "Bearer \(real)")
        for fields in [
            client.ask(jail.way, "GET", "/?a=\(token)"), client.ask(jail.way, "GET", "/", [("x-other", token)]),
            client.ask(
                jail.way, "GET", "/", [("cookie", "a=\(token.prefix(9))"), ("cookie", String(token.dropFirst(9)))]),
            client.ask(jail.way, "GET", "/", [("authorization", "Bearer \(token)"), ("authorization", "Bearer x")]),
        ] {
            let bad = try await client.ask(fields)
            #expect(bad.status == "403" && bad.text.contains("secret-misuse"))
        }
        let parts = [ByteBuffer(string: "x" + token.prefix(10)), ByteBuffer(string: token.dropFirst(10) + "y")]
        let body = try await client.ask(
            client.ask(jail.way, "POST", "/", [("authorization", "Bearer \(token)")]), parts: parts)
        #expect(body.status != "200")
        try await jail.expectTold()
        client.close()
    }

    @Test func `a WebSocket is opened with it, and its messages are looked through`() async throws {
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(WebSocketTests.accept)\r\nSet-Cookie: a=\(real)\r\n\r\n"
        let frame = `Messages of WebSockets`.frame(1, "<\(real)>")
        let jail = try await SecretJail.open(
            "inject: 'bearer'", rule: "websocket: true",
            kind: .raw { $0.suffix(4) == Array("\r\n\r\n".utf8) ? [.bytes(Array(answer.utf8) + frame)] : [] })
        let client = try await Client.connect(jail.way.port)
        try await client.secure(jail.way.gateway.clientContext(["http/1.1"]), "a.test")
        try await client.send(
            jail.way.text(
                "GET", "/",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Key: \(WebSocketTests.key)\r\n"
                    + "Authorization: Bearer \(token)\r\n"))
        let heard = try await client.receive(until: "*>")
        #expect(heard.hasPrefix("HTTP/1.1 101") && heard.contains("Set-Cookie: a=***") && !heard.contains(real))
        #expect(heard.hasSuffix("<\(String(repeating: "*", count: real.utf8.count))>"))
        #expect(jail.way.origin.raw.contains("Authorization: Bearer \(real)\r\n"))
        #expect(!jail.way.origin.raw.contains("permessage"))
        let mask: [UInt8] = [7, 77, 177, 200]
        let payload = Array("t\(token)".utf8).enumerated().map { $1 ^ mask[$0 & 3] }
        let head: [UInt8] = [0x81, 0x80 | UInt8(payload.count)]
        for byte in head + mask + payload { try await client.send([byte]) }
        #expect(await eventually { client.end != nil })
        let events = try await jail.way.gateway.events().filter { $0.secret == "key" }
        #expect(events.contains { $0.subject == .secretReturned && $0.host == "a.test" })
        #expect(events.contains { $0.verdict == .denied })
    }

    // MARK: Where it does not

    @Test func `not in cleartext, and not through the proxy`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'", tls: false)
        let fields = Way.close + "Authorization: Bearer \(token)\r\n"
        try await jail.expectMisuse(try await jail.way.ask(jail.way.text("GET", "/", fields)))
        let absolute = jail.way.text("GET", "http://\(jail.way.authority)/", fields)
        try await jail.expectMisuse(try await Client.ask(jail.way.gateway.proxyPort, absolute))
        let connect =
            "CONNECT \(jail.way.authority) HTTP/1.1\r\nHost: \(jail.way.authority)\r\nX-A: \(token)\r\n\r\n"
        try await jail.expectMisuse(try await Client.ask(jail.way.gateway.proxyPort, connect))
        let named =
            "CONNECT \(token.lowercased()).a.test:443 HTTP/1.1\r\nHost: \(token.lowercased()).a.test:443\r\n\r\n"
        try await jail.expectMisuse(try await Client.ask(jail.way.gateway.proxyPort, named))
        #expect(jail.way.origin.requests.isEmpty)
    }

    // MARK: Values

    @Test func `another value is used from the next request on, and told once`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'")
        let fields = "Authorization: Bearer \(token)\r\n"
        _ = try await jail.ask("GET", "/", fields)
        #expect(try await jail.way.gateway.events().map(\.subject) == [.request])
        try await jail.give("sk-another-value-of-it", grace: 60_000)
        #expect(try await jail.way.gateway.with { $0.secrets?.values.count } == 2)
        _ = try await jail.ask("GET", "/", fields)
        _ = try await jail.ask("GET", "/", fields)
        #expect(jail.way.origin.requests.map { $0["Authorization"] }.last == "Bearer sk-another-value-of-it")
        let told = try await jail.way.gateway.events().filter { $0.subject == .gateway }
        #expect(told.count == 1 && told[0].secret == "key" && told[0].verdict == .allowed)
        try await jail.way.gateway.with { $0.secrets?.tick(.now() + .seconds(61)) }
        #expect(try await jail.way.gateway.with { $0.secrets?.values.count } == 1)
    }

    @Test func `the answer is looked through for the value that has gone out`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'")
        let covered = try await jail.way.gateway.with { state -> [String] in
            let injector = try #require(state.secrets)
            let request = try Checker(entry: .connection(Destination(host: .name("a.test"), port: 443), .https)).check(
                "/", [("Host", "a.test"), ("Authorization", "Bearer \(SecretJail.placeholder)")]
            ).get()
            let binding = try #require(injector.rules.bindings.first)
            let placeholder = try #require(SecretPlaceholder(text: SecretJail.placeholder))
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: request.headers)
            let uses = [try #require(try SecretUse(binding, placeholder, in: head, request))]
            let secrets = ExchangeSecrets(injector, uses)
            // Between the request's beginning and its sending, without any grace.
            let other = SecretValue("sk-another-value-of-it".utf8)
            #expect(injector.take(SecretGrant(name: "key", placeholder: placeholder, value: other), now: .now()))
            let sent = try #require(try secrets.head(request, state.policy))
            var found: Set<String> = []
            return sent.head.headers["Authorization"].map {
                SecretRedactor.cover($0, sent.traces, found: &found) ?? $0
            }
        }
        #expect(covered == ["Bearer **********************"])
    }

    @Test func `what a supervisor would never give is not taken`() async throws {
        let jail = try await SecretJail.open("inject: 'bearer'")
        let placeholder = try #require(SecretPlaceholder(text: token))
        let other = try #require(SecretPlaceholder(text: "sk-Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9J"))
        for (name, placeholder, value) in [
            ("key", other, real), ("unknown", other, real), ("key", placeholder, "with\r\nline"),
            ("key", placeholder, " at the edge"),
        ] {
            let grant = SecretGrant(name: name, placeholder: placeholder, value: SecretValue(value.utf8))
            await #expect(throws: (any Error).self) { try await jail.way.gateway.give(grant) }
        }
    }
}
