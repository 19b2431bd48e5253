import EgressControl
import NIOCore
import Testing

@testable import EgressGateway

struct WebSocketTests {
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    static let rule = "websocket: true"

    private static func answer(_ fields: String = "", accept: String = accept) -> String {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(accept)\r\n\(fields)\r\n"
    }

    /// An origin that answers the handshake with this text, and then says what it is told, once.
    private static func way(_ answer: String, rule: String = rule, network: String = "") async throws -> Way {
        try await Way.open(
            .raw { bytes in bytes.suffix(4) == Array("\r\n\r\n".utf8) ? [.send(answer)] : [] }, rule, network: network)
    }

    private static func handshake(_ way: Way, _ fields: String = "") -> String {
        way.text(
            "GET", "/socket",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n\(fields)"
        )
    }

    private static let frame: [UInt8] = [0x81, 0x82, 1, 2, 3, 4, 0x69, 0x6B]

    @Test func `frames go both ways once the origin has proved itself`() async throws {
        // The first frame of the origin's comes with its answer.
        let way = try await Self.way(Self.answer("Sec-WebSocket-Protocol: b\r\n") + "\u{1}\u{0}")
        let client = try await Client.connect(way.port)
        let offer = "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
        // And the client does not wait for it.
        try await client.send(Array(Self.handshake(way, offer).utf8) + Self.frame)
        let answer = try await client.receive(until: "\u{1}\u{0}")
        #expect(answer.hasPrefix("HTTP/1.1 101 ") && answer.contains("Sec-WebSocket-Protocol: b\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n\u{1}\u{0}"))
        try await client.send(Self.frame)
        #expect(await eventually { way.origin.raw.hasSuffix("ik") && way.origin.raw.components("ik") == 2 })
        #expect(!way.origin.raw.contains("permessage"))
        client.close()
        #expect(await eventually { client.end != nil })
        try await Task.sleep(for: .seconds(1))
        let events = try await way.gateway.events()
        #expect(events.contains { $0.verdict == .allowed && $0.status == 101 }, "\(events)")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", answer(accept: "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        answer("Sec-WebSocket-Extensions: permessage-deflate\r\n"), answer("Sec-WebSocket-Protocol: c\r\n"),
        answer("Sec-WebSocket-Accept: \(accept)\r\n"), answer("Upgrade: h2c\r\n"),
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ])
    func `an origin that does not prove that it means it is not joined`(answer: String) async throws {
        let way = try await Self.way(answer)
        let heard = try await way.ask(Self.handshake(way, "Sec-WebSocket-Protocol: a, b\r\n"))
        #expect(heard.hasPrefix("HTTP/1.1 502 "))
    }

    @Test func `what is no frame ends both sides`() async throws {
        let way = try await Self.way(Self.answer())
        let client = try await Client.connect(way.port)
        try await client.send(Self.handshake(way))
        _ = try await client.receive(until: "\r\n\r\n")
        let before = way.origin.rawCount
        try await client.send("GET /secret HTTP/1.1\r\nHost: \(way.authority)\r\n\r\n")
        _ = try await client.receiveAll()
        #expect(way.origin.rawCount == before)
        #expect(try await way.gateway.events().contains { $0.verdict == .denied && $0.status == 101 })
    }

    @Test func `what is no frame does not come in either`() async throws {
        let way = try await Self.way(Self.answer() + "HTTP/1.1 200 OK\r\n\r\n")
        let client = try await Client.connect(way.port)
        try await client.send(Self.handshake(way))
        #expect(try await client.receiveAll().hasSuffix("\r\n\r\n"))
        #expect(!client.text.contains("200 OK"))
    }

    @Test func `without the rule's leave nobody is asked`() async throws {
        let way = try await Self.way(Self.answer(), rule: "methods: ['GET']")
        #expect(try await way.ask(Self.handshake(way)).hasPrefix("HTTP/1.1 403 "))
        #expect(way.origin.connections == 0)
    }

    @Test func `frames count as uploads`() async throws {
        let way = try await Self.way(Self.answer(), network: "budgets: { uploadPerHour: '2K' }")
        let client = try await Client.connect(way.port)
        try await client.send(Self.handshake(way))
        _ = try await client.receive(until: "\r\n\r\n")
        for _ in 0..<40 {
            guard client.end == nil else { break }
            try? await client.send([0x82, 0xFE, 0x00, 0x80, 1, 2, 3, 4] + [UInt8](repeating: 0, count: 128))
        }
        _ = try await client.receiveAll()
        #expect(way.origin.rawCount < 2048)
        #expect(try await way.gateway.events().contains { $0.reason?.contains("uploadPerHour") == true })
    }
}
