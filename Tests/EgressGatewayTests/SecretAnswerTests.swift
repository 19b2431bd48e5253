import AnswerSupport
import EgressAnswers
import EgressControl
import JailPolicy
import NIOCore
import NIOHPACK
import SecretTraces
import Testing

@testable import EgressGateway

/// Answers to requests that carried a secret: here, all whose path begins with /secret.
struct SecretAnswerTests {
    private static let secret = "sk-proj-0123456789abcdef"
    private static let stars = String(repeating: "*", count: 24)

    private static func open(
        tls: Bool = false, network: String = "", _ script: @escaping @Sendable () -> [Origin.Step]
    ) async throws -> Way {
        let way = try await Way.open(
            "methods: ['GET', 'HEAD', 'POST'], websocket: true", network: network, tls: tls
        ) { $0.isComplete ? script() : [] }
        let traces = try SecretTraces([.init(name: "OPENAI", value: Array(secret.utf8))])
        try await way.gateway.with { state in
            state.makeAnswerFilter = { [unowned state] request in
                request.path.path.hasPrefix("/secret") ? SecretAnswerFilter(traces, state.decoderMemory) : nil
            }
        }
        return way
    }

    private static func coded(_ coding: String, _ body: [UInt8]) -> [Origin.Step] {
        [
            .send(
                "HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nETag: \"e\"\r\nContent-Length: \(body.count)\r\n\r\n"
            ),
            .bytes(body),
        ]
    }

    private static func events(_ way: Way) async throws -> [EgressEvent] {
        try await way.gateway.events().filter { $0.subject == .secretReturned }
    }

    @Test func `a body with a length keeps it, and only host and name are told`() async throws {
        let way = try await Self.open {
            [.send("HTTP/1.1 200 OK\r\nX-Echo: \(Self.secret)\r\nContent-Length: 26\r\n\r\n<\(Self.secret)>")]
        }
        let answer = try await way.ask(way.text("GET", "/secret", Way.close))
        #expect(answer.contains("X-Echo: \(Self.stars)\r\n") && answer.contains("Content-Length: 26\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n<\(Self.stars)>"))
        let events = try await Self.events(way)
        #expect(events.map(\.host) == ["a.test"] && events.map(\.secret) == ["OPENAI"])
        #expect(events.allSatisfy { $0.path == nil && $0.port == nil && $0.reason == nil && $0.method == nil })
    }

    @Test func `a request without a secret has its answer as it is`() async throws {
        let way = try await Self.open { Self.coded("gzip", Coder.gzip(Array(Self.secret.utf8))) }
        let answer = try await way.ask(way.text("GET", "/other", Way.close))
        #expect(answer.contains("Content-Encoding: gzip\r\n") && answer.contains("ETag: \"e\"\r\n"))
        #expect(try await Self.events(way).isEmpty)
    }

    @Test func `across chunks, and in trailers`() async throws {
        let way = try await Self.open {
            [
                .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .send("8\r\n<sk-proj\r\n"),
                .later([.send("6\r\n-01234\r\n")], .milliseconds(20)),
                .later(
                    [.send("d\r\n56789abcdef>!\r\n0\r\nX-T: a \(Self.secret)\r\nX-U: u\r\n\r\n")], .milliseconds(40)),
            ]
        }
        let answer = try await way.ask(way.text("GET", "/secret", Way.close))
        let body = try #require(answer.components(separatedBy: "\r\n\r\n", most: 1).last)
        let data = body.split(separator: "\r\n").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(data.prefix { !$0.hasPrefix("X-") }.joined() == "<\(Self.stars)>!")
        #expect(answer.hasSuffix("0\r\nX-T: a \(Self.stars)\r\nX-U: u\r\n\r\n"))
        #expect(try await Self.events(way).count == 1)
    }

    @Test func `an event of a stream does not wait for the next`() async throws {
        let way = try await Self.open {
            [.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"a\":\"b\\n\"}\n\n")]
        }
        let client = try await Client.connect(way.port)
        try await client.send(way.text("GET", "/secret"))
        #expect(
            try await client.receive(until: "data: {\"a\":\"b\\n\"}\n\n").hasSuffix("data: {\"a\":\"b\\n\"}\n\n\r\n"))
        #expect(client.end == nil)
        client.close()
    }

    @Test(arguments: ["gzip", "deflate", "br"])
    func `a compressed answer is decoded, and says so`(coding: String) async throws {
        let text = Array("{\"token\":\"\(Self.secret)\"}".utf8)
        let way = try await Self.open {
            switch coding {
            case "gzip": Self.coded(coding, Coder.gzip(text))
            case "deflate": Self.coded(coding, Coder.zlib(text))
            default: Self.coded(coding, Coder.brotli(text))
            }
        }
        let answer = try await way.ask(way.text("GET", "/secret", Way.close))
        #expect(answer.contains("{\"token\":\"\(Self.stars)\"}") && answer.hasSuffix("\r\n0\r\n\r\n"))
        #expect(answer.contains("Transfer-Encoding: chunked\r\n") && answer.contains("ETag: W/\"e\"\r\n"))
        #expect(!answer.contains("Content-Encoding") && !answer.contains("Content-Length"))
        #expect(try await Self.events(way).count == 1)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/byteranges; boundary=b\r\nContent-Length: 2\r\n\r\nok",
    ])
    func `what cannot be looked at is a 502, and nothing of it gets in`(answer: String) async throws {
        let way = try await Self.open { [.send(answer)] }
        let heard = try await way.ask(way.text("GET", "/secret", Way.close))
        #expect(heard.hasPrefix("HTTP/1.1 502 ") && heard.contains("the request carried a secret"))
        #expect(!heard.contains("zstd") && !heard.hasSuffix("ok"))
        #expect(try await way.gateway.events().map(\.verdict) == [.failed])
        #expect(try await way.ask(way.text("GET", "/other", Way.close)).hasSuffix("\r\n\r\nok"))
    }

    @Test(arguments: [0, 1])
    func `a compressed answer that breaks off or is damaged never ends in order`(kind: Int) async throws {
        var coded = Coder.gzip(Array("hello, hello, world".utf8))
        if kind == 0 { coded.removeLast() } else { coded[coded.count - 5] ^= 1 }
        let body = coded
        let way = try await Self.open { Self.coded("gzip", body) }
        let client = try await Client.connect(way.port)
        try await client.send(way.text("GET", "/secret"))
        let answer = try await client.receiveAll()
        #expect(!answer.contains("\r\n0\r\n\r\n"))
        #expect(client.end == .broken)
    }

    @Test func `a bomb is broken off`() async throws {
        let bomb = Coder.gzip([UInt8](repeating: 0, count: 32 << 20))
        let way = try await Self.open { Self.coded("gzip", bomb) }
        let client = try await Client.connect(way.port)
        try await client.send(way.text("GET", "/secret"))
        _ = try await client.receiveAll()
        #expect(client.end == .broken && client.count < 16 << 20)
        #expect(try await way.gateway.events().last?.reason?.contains("grows too much") == true)
    }

    @Test func `HEAD has no body to decode, and its fields are those of GET`() async throws {
        let way = try await Self.open {
            [.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")]
        }
        let answer = try await way.ask(way.text("HEAD", "/secret", Way.close))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\n"))
        #expect(!answer.contains("gzip") && !answer.contains("Content-Length"))
    }

    @Test func `requests on one connection, with a secret and without, do not mix`() async throws {
        let way = try await Self.open { [.send("HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n\(Self.secret)")] }
        let answer = try await way.ask(
            way.text("GET", "/secret") + way.text("GET", "/other") + way.text("GET", "/secret", Way.close))
        let bodies = answer.split(separator: "HTTP/1.1 200 OK").map { String($0.suffix(24)) }
        #expect(bodies == [Self.stars, Self.secret, Self.stars])
    }

    @Test func `a WebSocket is refused before anything is sent`() async throws {
        let way = try await Self.open { [.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")] }
        let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        let key = "Sec-WebSocket-Key: \(WebSocketTests.key)\r\n"
        let answer = try await way.ask(way.text("GET", "/secret", fields + key))
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("carries a secret"))
        #expect(way.origin.connections == 0)
    }

    @Test func `over HTTP 2 as well`() async throws {
        let way = try await Self.open(tls: true) { Self.coded("br", Coder.brotli(Array("<\(Self.secret)>".utf8))) }
        let client = try await HTTP2Client.connect(way)
        defer { client.close() }
        let heard = try await client.ask(client.ask(way, "GET", "/secret"))
        #expect(heard.status == "200" && heard.text == "<\(Self.stars)>")
        #expect(heard.headers.first(name: "content-encoding") == nil)
        let refused = try await Self.open(tls: true) { Self.coded("zstd", [1]) }
        let other = try await HTTP2Client.connect(refused)
        defer { other.close() }
        #expect(try await other.ask(other.ask(refused, "GET", "/secret")).status == "502")
    }
}

extension String {
    /// What stands before a separator and after it, as often as there may be.
    fileprivate func components(separatedBy separator: String, most: Int) -> [String] {
        split(separator: separator, maxSplits: most, omittingEmptySubsequences: false).map(String.init)
    }
}
