import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailNetwork

/// What clients say to a port that asks for a token, and what of it the jail hears.
struct `Ports that ask for a token` {
    static let token = "Zq8vT3nW5yB1kD7mP9rS2uX4aaH4kL0sVe2qRt6yUi8"
    static let placeholder = "hX7cN2bM9vL4kJ6hG3fD8sA1qW5eR0tY7uI2oP4lK6j"

    static func published() throws -> PublishedToken {
        PublishedToken(KeptSecret(try SecretBytes(copying: Array(token.utf8))), placeholder: placeholder)
    }

    private func gate() throws -> TokenGate { TokenGate(try Self.published()) }

    private func take(_ gate: inout TokenGate, _ text: String) -> TokenGate.Step { gate.take(Array(text.utf8)) }

    private func pass(_ text: String) -> TokenGate.Step { .pass(Array(text.utf8)) }

    private func refusal(_ text: String) throws -> TokenGate.Refusal? {
        var gate = try gate()
        guard case .refuse(let refusal, let answer) = take(&gate, text) else { return nil }
        #expect(answer.starts(with: Array("HTTP/1.1 4".utf8)))
        // Nothing more is heard of it.
        guard case .refuse = take(&gate, "x") else {
            Issue.record("it goes on")
            return nil
        }
        return refusal
    }

    private static let host = "Host: localhost\r\n"
    private static let shown = "Authorization: Bearer \(token)\r\n"
    private static let hidden = "Authorization: Bearer \(placeholder)\r\n"

    // MARK: Requests

    @Test func `the token goes no further, and the placeholder does in its place`() throws {
        var gate = try gate()
        #expect(!gate.isKnown)
        let rest = Self.host + "x-y:  Z \r\n\r\n"
        #expect(
            take(&gate, "GET /a?b HTTP/1.1\r\nauthorization:bearer \(Self.token) \r\n" + rest)
                == pass("GET /a?b HTTP/1.1\r\n" + Self.hidden + rest))
        #expect(gate.isKnown)
    }

    @Test func `a request may come byte by byte, and nothing of it goes on before it is judged`() throws {
        var gate = try gate()
        let head = "POST /a HTTP/1.1\r\n" + Self.shown + "Content-Length: 3\r\n\r\n"
        for byte in head.utf8.dropLast() { #expect(gate.take([byte]) == .pass([])) }
        #expect(take(&gate, "\n") == pass("POST /a HTTP/1.1\r\n" + Self.hidden + "Content-Length: 3\r\n\r\n"))
        #expect(take(&gate, "ab") == pass("ab"))
        #expect(take(&gate, "cGET") == pass("c"))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", TokenGate.Refusal.noToken),
        ("GET /healthz HTTP/1.1\r\nX-Authorization: Bearer \(token)\r\n\r\n", .noToken),
        ("GET / HTTP/1.1\r\nAuthorization: Bearer \(placeholder)\r\n\r\n", .wrongToken),
        ("GET / HTTP/1.1\r\nAuthorization: Bearer \(token)x\r\n\r\n", .wrongToken),
        ("GET / HTTP/1.1\r\nAuthorization: Bearer \(token.dropLast())\r\n\r\n", .wrongToken),
        ("GET / HTTP/1.1\r\nAuthorization: Bearer \(token.lowercased())\r\n\r\n", .wrongToken),
        ("GET / HTTP/1.1\r\nAuthorization: Basic \(token)\r\n\r\n", .wrongToken),
        ("GET / HTTP/1.1\r\nAuthorization: \(token)\r\n\r\n", .wrongToken),
        ("GET / HTTP/1.1\r\nAuthorization:\r\n\r\n", .wrongToken),
    ])
    func `without the token it is a 401`(text: String, refusal: TokenGate.Refusal) throws {
        #expect(try self.refusal(text) == refusal)
        #expect(String(decoding: GateHead.answer(refusal), as: UTF8.self).hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
    }

    @Test(arguments: [
        "GET / HTTP/1.0\r\n\(shown)\r\n", "GET / HTTP/1.1 \r\n\(shown)\r\n", "GET  / HTTP/1.1\r\n\(shown)\r\n",
        "GET http://a/ HTTP/1.1\r\n\(shown)\r\n", "CONNECT a:1 HTTP/1.1\r\n\(shown)\r\n",
        "get / HTTP/1.1\r\n\(shown)\r\n",
        "PRI * HTTP/2.0\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\(shown)\r\n", "GET / HTTP/1.1\r\n\(shown)\(shown)\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\(shown)\r\n", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\(shown)\r\n",
        "GET / HTTP/1.1\r\nA: b\nC: d\r\n\(shown)\r\n", "GET / HTTP/1.1\r\nA: b\rC: d\r\n\(shown)\r\n",
        "GET / HTTP/1.1\r\nA: \0\r\n\(shown)\r\n", "GET / HTTP/1.1\r\n: b\r\n\(shown)\r\n",
        "POST / HTTP/1.1\r\n\(shown)Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Content-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Content-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Content-Length: 9999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Transfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        "GET / HTTP/1.1\r\n\(shown)Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "POST / HTTP/1.1\r\n\(shown)Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\n\(shown)Upgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\n\(shown)Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\n",
        // The token where the jail would see it.
        "GET /?token=\(token) HTTP/1.1\r\n\(shown)\r\n", "GET / HTTP/1.1\r\n\(shown)Cookie: a=\(token)\r\n\r\n",
        "GET /?token=\(token) HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ])
    func `what could be understood in two ways is a 400, whatever token it has`(text: String) throws {
        #expect(try refusal(text) == .malformed)
    }

    @Test func `a head has a bound`() throws {
        var gate = try gate()
        let line = "A: " + String(repeating: "b", count: TokenGate.mostHeld)
        guard case .refuse(.malformed, _) = take(&gate, "GET / HTTP/1.1\r\n" + line) else {
            Issue.record("it waits for more")
            return
        }
    }

    @Test func `each request on a connection is judged, behind bodies of either kind`() throws {
        var gate = try gate()
        func request(_ fields: String, _ body: String) -> (sent: String, heard: String) {
            ("POST / HTTP/1.1\r\n" + Self.shown + fields + body, "POST / HTTP/1.1\r\n" + Self.hidden + fields + body)
        }
        let requests = [
            request("Content-Length: 4\r\n\r\n", "GET "), request("Content-Length: 0\r\n\r\n", ""),
            request("Transfer-Encoding: chunked\r\n\r\n", "3\r\na\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            request("\r\n", ""),
        ]
        #expect(take(&gate, requests.map(\.sent).joined()) == pass(requests.map(\.heard).joined()))
        guard case .refuse(.noToken, _) = take(&gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") else {
            Issue.record("the last one went through")
            return
        }
    }

    @Test(arguments: [
        "3;x=y\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "0x3\r\n", " 3\r\n",
        "\r\n",
        "100000000\r\n", "0\r\nA: b\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabcXY0\r\n\r\n",
        "0\r\nXYGET / HTTP/1.1\r\n\r\n",
    ])
    func `a chunk that is not exactly one ends the connection`(body: String) throws {
        var gate = try gate()
        _ = take(&gate, "POST / HTTP/1.1\r\n" + Self.shown + "Transfer-Encoding: chunked\r\n\r\n")
        var steps: [TokenGate.Step] = []
        for byte in body.utf8 { steps.append(gate.take([byte])) }
        guard case .refuse(.malformed, _)? = steps.last(where: { $0 != .pass([]) }) else {
            Issue.record("\(steps)")
            return
        }
    }

    // MARK: WebSockets

    private static let upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    private static let switched = Array("HTTP/1.1 101 Switching Protocols\r\n\r\n".utf8)
    private static let mask: [UInt8] = [1, 2, 3, 4]

    private static func frame(_ text: String, first: UInt8 = 0x81) -> [UInt8] {
        let payload = text.utf8.enumerated().map { $1 ^ mask[$0 & 3] }
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)] : [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        return [first] + length + mask + payload
    }

    private static func connect(_ token: String, _ more: String = "") -> String {
        #"{"type":"req","id":"1","method":"connect","params":{"client":{"id":"cli"},"auth":{"token":""#
            + "\(token)\"}\(more)}}"
    }

    /// A gate that waits for the first message.
    private func greeted() throws -> TokenGate {
        var gate = try gate()
        #expect(take(&gate, Self.upgrade + "\r\n") == pass(Self.upgrade + "\r\n"))
        for byte in Self.switched { gate.hear([byte]) }
        #expect(!gate.isKnown)
        return gate
    }

    @Test func `a WebSocket shows the token in its first message`() throws {
        var gate = try greeted()
        let sent = Self.frame(Self.connect(Self.token))
        for byte in sent.dropLast() { #expect(gate.take([byte]) == .pass([])) }
        let more: [UInt8] = [0x82, 0x80, 0, 0, 0, 0]
        #expect(gate.take([sent.last ?? 0] + more) == .pass(Self.frame(Self.connect(Self.placeholder)) + more))
        #expect(gate.isKnown)
        #expect(gate.take([1, 2, 3]) == .pass([1, 2, 3]))
    }

    @Test func `a WebSocket with the token in its head needs no message`() throws {
        var gate = try gate()
        #expect(take(&gate, Self.upgrade + Self.shown + "\r\n") == pass(Self.upgrade + Self.hidden + "\r\n"))
        gate.hear(Self.switched)
        #expect(gate.take([9, 9]) == .pass([9, 9]))
        var other = try self.gate()
        guard case .refuse(.wrongToken, _) = take(&other, Self.upgrade + Self.hidden + "\r\n") else {
            Issue.record("it went through")
            return
        }
    }

    private func refusal(_ message: [UInt8]) throws -> TokenGate.Refusal? {
        var gate = try greeted()
        guard case .refuse(let refusal, let answer) = gate.take(message) else { return nil }
        #expect(answer.starts(with: [0x88]) && answer.count == 2 + Int(answer[1]) && answer[2...3] == [0x03, 0xF0])
        return refusal
    }

    @Test func `a message without the token ends it`() throws {
        #expect(try refusal(Self.frame(Self.connect(Self.placeholder))) == .wrongToken)
        #expect(try refusal(Self.frame(Self.connect(""))) == .wrongToken)
        let other = #"{"type":"req","id":"1","method":"connect","params":{"auth":{"password":"x"}}}"#
        #expect(try refusal(Self.frame(other)) == .noToken)
        // In a place where nobody looks for it, in another spelling, or twice.
        for text in [
            #"{"type":"req","id":"1","method":"health","params":{"auth":{"token":"\#(Self.token)"}}}"#, Self.token, "",
            Self.connect("\\u005a" + Self.token.dropFirst()), Self.connect(Self.token, ",\"x\":\"\(Self.token)\""),
            Self.connect(Self.token).replacing("\"type\"", with: "\"type\":\"x\",\"type\""),
        ] {
            #expect(try refusal(Self.frame(text)) == .malformed, "\(text)")
        }
    }

    @Test func `a first message is one frame of text, masked and small`() throws {
        let text = Self.connect(Self.token)
        for first: UInt8 in [0x01, 0x82, 0xC1, 0x80, 0x88, 0x89] {
            #expect(try refusal(Self.frame(text, first: first)) == .malformed)
        }
        #expect(try refusal([0x81, 0x05] + Array("hello".utf8)) == .malformed)
        #expect(try refusal([0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0]) == .malformed)
        #expect(try refusal([0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0]) == .malformed)
        #expect(try refusal([0x81, 0xFE, 0, 125, 0, 0, 0, 0]) == .malformed)
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 101 X\r\n", "x"])
    func `what the jail has not switched stays closed`(answer: String) throws {
        for head in [Self.upgrade + "\r\n", Self.upgrade + Self.shown + "\r\n"] {
            var gate = try gate()
            _ = take(&gate, head)
            gate.hear(Array(answer.utf8))
            guard case .refuse = take(&gate, "GET / HTTP/1.1\r\n" + Self.shown + "\r\n") else {
                Issue.record("it went through")
                continue
            }
        }
    }

    @Test func `nobody speaks before the jail has answered, or on a connection with requests`() throws {
        var gate = try gate()
        guard case .refuse(.malformed, _) = take(&gate, Self.upgrade + "\r\nx") else {
            Issue.record("it went through")
            return
        }
        var second = try self.gate()
        let text = "GET / HTTP/1.1\r\n" + Self.shown + "\r\n" + Self.upgrade + Self.shown + "\r\n"
        guard case .refuse(.malformed, _) = take(&second, text) else {
            Issue.record("it went through")
            return
        }
    }

    // MARK: The token

    @Test func `a token is long enough, and has its own characters`() throws {
        func fault(_ text: String) throws -> String? {
            try SecretBytes(copying: Array(text.utf8)).withSpan { PublishedToken.fault(in: $0) }
        }
        #expect(try fault(Self.token) == nil)
        for text in [String(Self.token.prefix(23)), Self.token + " ", Self.token + "\"", Self.token + "é"] {
            #expect(try fault(text) != nil, "\(text)")
        }
    }

    @Test func `the first refusal is told at once, and more of them as a number`() {
        var refusals = TokenRefusals()
        #expect(refusals.take(0).isEmpty)
        refusals.add(.wrongToken, at: 18789)
        #expect(
            refusals.take(1).map { $0.text() } == [
                #"{"event":"published","verdict":"refused","port":18789,"reason":"a wrong token","count":1}"#
            ])
        for _ in 0..<3 { refusals.add(.noToken, at: 18789) }
        #expect(refusals.take(2).isEmpty)
        #expect(refusals.take(11_000_000_000).first?.text().contains(#""count":3"#) == true)
    }
}

extension `Published ports` {
    private static func gated() throws -> (server: SharedDescriptor, port: PublishedPort, publisher: PortPublisher) {
        let server = try listener()
        var port = PublishedPort(hostPort: try freePort(), jailPort: try System.localPort(server.borrowed))
        port.token = "gateway"
        return (server, port, try PortPublisher([port], token: try `Ports that ask for a token`.published()))
    }

    @Test func `a port with a token is not published without it`() throws {
        var port = PublishedPort(hostPort: try Self.freePort(), jailPort: 1)
        port.token = "gateway"
        let error = failure { () throws(JailError) in _ = try PortPublisher([port]) }
        #expect(error?.reason == "its token is not known")
    }

    @Test func `a client without the token hears a 401, and the jail hears of nobody`() throws {
        var (server, port, publisher) = try Self.gated()
        let client = try Self.connect(port.hostPort)
        try System.writeAll(client.borrowed, "GET / HTTP/1.1\r\nAuthorization: Bearer wrong\r\n\r\n")
        var answer: [UInt8] = []
        try Self.run(&publisher) {
            guard let part = try Self.read(client.borrowed) else { return true }
            answer += part
            return false
        }
        #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
        #expect(try System.accept(server.borrowed) == nil)
        #expect(publisher.takeRefusals().count == 1)
        #expect(publisher.pollEntries.count == 1)
    }

    @Test func `a client with it is connected once it was seen, and the jail hears the placeholder`() throws {
        var (server, port, publisher) = try Self.gated()
        let client = try Self.connect(port.hostPort)
        try System.writeAll(client.borrowed, "GET / HTTP/1.1\r\nAuthorization: Bearer ")
        for _ in 0..<5 {
            var entries = publisher.pollEntries
            try System.poll(&entries, milliseconds: 5)
            #expect(publisher.handle(System.PollResult(entries)) == 0)
        }
        try System.writeAll(client.borrowed, "\(`Ports that ask for a token`.token)\r\n\r\n")
        var accepted: SharedDescriptor?
        try Self.run(&publisher) {
            guard let socket = try System.accept(server.borrowed) else { return false }
            accepted = SharedDescriptor(socket)
            return true
        }
        let peer = try #require(accepted).borrowed
        var heard: [UInt8] = []
        let expected = "GET / HTTP/1.1\r\nAuthorization: Bearer \(`Ports that ask for a token`.placeholder)\r\n\r\n"
        try Self.run(&publisher) {
            heard += try Self.read(peer) ?? []
            return heard.count >= expected.utf8.count
        }
        #expect(String(decoding: heard, as: UTF8.self) == expected)
        // The next request without it ends the connection.
        try System.writeAll(client.borrowed, "GET / HTTP/1.1\r\n\r\n")
        try Self.run(&publisher) { try Self.read(peer) == nil }
        #expect(publisher.pollEntries.count == 1)
    }

    @Test func `who says nothing keeps nobody out`() throws {
        var (_, port, publisher) = try Self.gated()
        let silent = try (0..<70).map { _ in try Self.connect(port.hostPort) }
        try Self.run(&publisher) { try Self.read(silent[0].borrowed) == nil && Self.read(silent[5].borrowed) == nil }
        #expect(publisher.pollEntries.count == 65)
        #expect(try Self.read(silent[69].borrowed) == [])
    }
}
