import DNSMessages
import EgressControl
import FoundationEssentials
import JailPolicy
import NIOCore
import NIOHTTP1
import SecretTraces
import TestSupport
import Testing

@testable import EgressDNS
@testable import EgressGateway

/// A jail with one canary, and an origin that keeps what it is told.
private struct CanaryJail {
    static let key = "AKIAQ3EGRAV7ZL2WXB5T"
    static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    static let canary = KnownCanary(id: "aws-0123456789ab", marks: [key, secret].map { Array($0.utf8) })
    let way: Way

    static func open(
        _ rule: String = "methods: ['GET', 'POST']", kind: Origin.Kind = .http(Origin.ok),
        hosts: String = "'a.test', '*.a.test'", canaries: [KnownCanary] = [canary]
    ) async throws -> CanaryJail {
        let origin = try await Origin.start(kind)
        let gateway = try await TestGateway.start(
            "allow: [{ hosts: [\(hosts)], ports: [\(origin.port)], \(rule) }]", canaries: canaries)
        let destination = Destination(host: .name("a.test"), port: UInt16(clamping: origin.port))
        return CanaryJail(
            way: Way(gateway: gateway, origin: origin, port: try await gateway.listen(for: destination)))
    }

    func ask(_ method: String = "GET", _ target: String = "/", _ fields: String = "", body: String = "") async throws
        -> String
    {
        let length = body.isEmpty || fields.contains("chunked") ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return try await way.ask(way.text(method, target, Way.close + fields + length, body: body))
    }

    /// It was told, once for this canary, without what it says; and nobody was told why.
    func expectTold(_ place: CanaryPlace, host: String = "a.test", answer: String? = nil, _ comment: Comment? = nil)
        async throws
    {
        let events = try await way.gateway.events()
        let told = events.filter { $0.subject == .canary }
        #expect(told.map(\.canary) == [Self.canary.id] && told.map(\.place) == [place.rawValue], comment)
        #expect(told.first?.host == host && told.first?.verdict == .denied, comment)
        for event in events {
            let line = event.line.lowercased()
            #expect(!line.contains(Self.key.lowercased()) && !line.contains(Self.secret.lowercased()), comment)
        }
        guard let answer else { return }
        #expect(answer.hasPrefix("HTTP/1.1 403") && !answer.contains("canary"), comment)
        #expect(events.contains { $0.subject != .canary && $0.verdict == .denied }, comment)
    }
}

@Suite(.timeLimit(.minutes(2))) struct `Canaries on their way out` {
    private static let key = CanaryJail.key
    private static let secret = CanaryJail.secret
    private static let base64 = Data("user:\(secret)".utf8).base64EncodedString()

    @Test(arguments: [
        ("GET", "/\(key)", ""), ("GET", "/x?k=\(key)", ""), ("GET", "/", "X-A: v\(key)v\r\n"),
        ("GET", "/", "Authorization: Basic \(base64)\r\n"),
        ("GET", "/x?k=wJalrXUtnFEMI%2fK7MDENG%2BbPxRfiCYEXAMPLEKEY", ""),
        ("GET", "/", "X-B: \(key)\r\nTE: x\r\n"), ("DELETE", "/\(key)", ""),
    ])
    func `a request with one in its head does not arrive`(method: String, target: String, fields: String) async throws {
        let jail = try await CanaryJail.open()
        let answer = try await jail.ask(method, target, fields)
        try await jail.expectTold(.request, answer: answer, "\(target) \(fields)")
        #expect(jail.way.origin.requests.isEmpty)
    }

    @Test func `a body, in pieces, in an upload of chunks, and in trailers`() async throws {
        let jail = try await CanaryJail.open()
        let settings = "A=1\nAWS_SECRET_ACCESS_KEY=\(Self.secret)\n"
        try await jail.expectTold(.upload, answer: try await jail.ask("POST", "/", body: settings))
        let chunks = Self.secret.utf8.map { "1\r\n\(String(decoding: [$0], as: UTF8.self))\r\n" }.joined()
        let chunked = "Transfer-Encoding: chunked\r\n"
        _ = try await jail.ask("POST", "/1", chunked, body: chunks + "0\r\n\r\n")
        try await jail.expectTold(.upload, "chunks")
        _ = try await jail.ask("POST", "/2", chunked, body: "1\r\nx\r\n0\r\nX-T: \(Self.key)\r\n\r\n")
        try await jail.expectTold(.upload, "trailers")
        #expect(!jail.way.origin.requests.contains { String(decoding: $0.body, as: UTF8.self).contains(Self.secret) })
    }

    @Test func `what only resembles one goes out, and without canaries everything does`() async throws {
        let jail = try await CanaryJail.open()
        #expect(
            try await jail.ask("POST", "/\(Self.key.dropLast())", body: String(Self.secret.dropLast())).contains(
                " 200 "))
        let other = try await CanaryJail.open(canaries: [])
        #expect(try await other.ask("POST", "/\(Self.key)", body: Self.secret).contains(" 200 "))
        for jail in [jail, other] { #expect(try await jail.way.gateway.events().map(\.verdict) == [.allowed]) }
    }

    @Test func `the next request on a connection is looked through for itself`() async throws {
        let jail = try await CanaryJail.open()
        let client = try await Client.connect(jail.way.port)
        let half = Self.secret.index(Self.secret.startIndex, offsetBy: 20)
        for part in [Self.secret[..<half], Self.secret[half...]] {
            try await client.send(jail.way.text("POST", "/", "Content-Length: 20\r\n", body: String(part)))
            #expect(try await client.receive(until: "\r\n\r\nok").contains(" 200 "))
        }
        client.close()
    }

    @Test func `through the proxy, and in a name that it is asked for`() async throws {
        let jail = try await CanaryJail.open()
        let port = jail.way.gateway.proxyPort
        let absolute = jail.way.text("GET", "http://\(jail.way.authority)/\(Self.key)", Way.close)
        try await jail.expectTold(.request, answer: try await Client.ask(port, absolute))
        let name = "\(Self.key.lowercased()).a.test:\(jail.way.origin.port)"
        let connect = "CONNECT \(name) HTTP/1.1\r\nHost: \(name)\r\n\r\n"
        try await jail.expectTold(.request, answer: try await Client.ask(port, connect))
        #expect(jail.way.origin.requests.isEmpty)
    }

    @Test func `in a tunnel`() async throws {
        let jail = try await CanaryJail.open("protocol: 'tcp'", kind: .raw { _ in [] }, hosts: "'a.test'")
        let client = try await Client.connect(jail.way.gateway.proxyPort)
        let target = jail.way.authority
        try await client.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\nhello")
        #expect(await eventually { jail.way.origin.raw == "hello" })
        try await client.send(Self.secret)
        #expect(await eventually { client.end != nil })
        try await jail.expectTold(.upload)
        #expect(jail.way.origin.raw == "hello")
    }

    @Test func `in the messages of a WebSocket, whatever the mask`() async throws {
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(WebSocketTests.accept)\r\n\r\n"
        let jail = try await CanaryJail.open(
            "websocket: true", kind: .raw { $0.suffix(4) == Array("\r\n\r\n".utf8) ? [.send(answer)] : [] })
        let client = try await Client.connect(jail.way.port)
        try await client.send(
            jail.way.text(
                "GET", "/",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: \(WebSocketTests.key)\r\n"))
        #expect(try await client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101"))
        let mask: [UInt8] = [7, 77, 177, 200]
        let payload = Array("t\(Self.key)".utf8).enumerated().map { $1 ^ mask[$0 & 3] }
        for byte in [0x81, 0x80 | UInt8(payload.count)] + mask + payload { try await client.send([byte]) }
        #expect(await eventually { client.end != nil })
        try await jail.expectTold(.upload)
    }

    @Test(arguments: [
        "\(key).a.test", "akiaq3egra.v7zl2wxb5t.a.test", "x.\(key.lowercased()).b.example",
        // In hexadecimal digits, over two labels.
        "414b49415133454752.4156375a4c325758423554.a.test", "_\(key).a.test",
    ])
    func `in a name that is looked up, allowed or not, such a name does not exist`(name: String) async throws {
        let jail = try await CanaryJail.open()
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        let query = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, 1, 0, 1]
        let code = try await jail.way.gateway.with { state -> UInt8? in
            DNSResponder(
                table: state.names, isSuspect: { state.hasCanary(inName: $0) }, isAllowed: { _ in true },
                onEvent: { _, _ in }
            ).answer(query).map { $0[3] & 15 }
        }
        #expect(code == 3)
        try await jail.expectTold(.name, host: name.hasSuffix("a.test") ? "a.test" : "b.example")
    }

    @Test func `names are looked through by the resolver that a jail asks`() async throws {
        let jail = try await CanaryJail.open()
        #expect(try await jail.way.gateway.with { $0.hasCanary(inName: "a.test") } == false)
        let other = try await CanaryJail.open(canaries: [])
        #expect(try await other.way.gateway.with { $0.hasCanary(inName: "\(Self.key).a.test") } == false)
    }
}
