import AnswerSupport
import EgressControl
import JailPolicy
import NIOCore
import NIOHPACK
import Testing

@testable import EgressGateway

/// Answers to requests that carried a secret: here, those to /secret.
struct SecretAnswerTests {
    private static let secret = "sk-proj-0123456789abcdef"
    private static let bearer = [("authorization", "Bearer \(SecretJail.placeholder)")]
    private static let stars = String(repeating: "*", count: 24)

    private static func open(
        network: String = "", _ script: @escaping @Sendable () -> [Origin.Step]
    ) async throws -> SecretJail {
        try await SecretJail.open(
            "inject: 'bearer'", value: secret, rule: "methods: ['GET', 'HEAD', 'POST']", network: network,
            kind: .http { $0.isComplete ? script() : [] })
    }

    private static func text(_ jail: SecretJail, _ method: String, _ path: String, _ fields: String = "") -> String {
        let bearer = "Authorization: Bearer \(SecretJail.placeholder)\r\n"
        return jail.way.text(method, path, path.hasPrefix("/secret") ? bearer + fields : fields)
    }

    private static func ask(_ jail: SecretJail, _ method: String = "GET", _ path: String = "/secret") async throws
        -> String
    { try await jail.ask(text(jail, method, path, Way.close)) }

    /// A client that has asked for /secret.
    private static func client(_ jail: SecretJail) async throws -> Client {
        let client = try await Client.connect(jail.way.port)
        try await client.secure(jail.way.gateway.clientContext(["http/1.1"]), "a.test")
        try await client.send(text(jail, "GET", "/secret"))
        return client
    }

    private static func coded(_ coding: String, _ body: [UInt8]) -> [Origin.Step] {
        [
            .send(
                "HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nETag: \"e\"\r\nContent-Length: \(body.count)\r\n\r\n"
            ),
            .bytes(body),
        ]
    }

    private static func events(_ jail: SecretJail) async throws -> [EgressEvent] {
        try await jail.way.gateway.events().filter { $0.subject == .secretReturned }
    }

    @Test func `a body with a length keeps it, and only host and name are told`() async throws {
        let jail = try await Self.open {
            [.send("HTTP/1.1 200 OK\r\nX-Echo: \(Self.secret)\r\nContent-Length: 26\r\n\r\n<\(Self.secret)>")]
        }
        let answer = try await Self.ask(jail)
        #expect(answer.contains("X-Echo: \(Self.stars)\r\n") && answer.contains("Content-Length: 26\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n<\(Self.stars)>"))
        let events = try await Self.events(jail)
        #expect(events.map(\.host) == ["a.test"] && events.map(\.secret) == ["key"])
        #expect(events.allSatisfy { $0.path == nil && $0.port == nil && $0.reason == nil && $0.method == nil })
    }

    @Test func `a request without a secret has its answer as it is`() async throws {
        let jail = try await Self.open { Self.coded("gzip", Coder.gzip(Array(Self.secret.utf8))) }
        let answer = try await Self.ask(jail, "GET", "/other")
        #expect(answer.contains("Content-Encoding: gzip\r\n") && answer.contains("ETag: \"e\"\r\n"))
        #expect(try await Self.events(jail).isEmpty)
    }

    @Test func `across chunks, and in trailers`() async throws {
        let jail = try await Self.open {
            [
                .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .send("8\r\n<sk-proj\r\n"),
                .later([.send("6\r\n-01234\r\n")], .milliseconds(20)),
                .later(
                    [.send("d\r\n56789abcdef>!\r\n0\r\nX-T: a \(Self.secret)\r\nX-U: u\r\n\r\n")], .milliseconds(40)),
            ]
        }
        let answer = try await Self.ask(jail)
        let body = try #require(answer.components(separatedBy: "\r\n\r\n", most: 1).last)
        let data = body.split(separator: "\r\n").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(data.prefix { !$0.hasPrefix("X-") }.joined() == "<\(Self.stars)>!")
        #expect(answer.hasSuffix("0\r\nX-T: a \(Self.stars)\r\nX-U: u\r\n\r\n"))
        #expect(try await Self.events(jail).count == 1)
    }

    @Test func `an event of a stream does not wait for the next`() async throws {
        let jail = try await Self.open {
            [.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"a\":\"b\\n\"}\n\n")]
        }
        let client = try await Self.client(jail)
        #expect(
            try await client.receive(until: "data: {\"a\":\"b\\n\"}\n\n").hasSuffix("data: {\"a\":\"b\\n\"}\n\n\r\n"))
        #expect(client.end == nil)
        client.close()
    }

    @Test(arguments: ["gzip", "deflate", "br"])
    func `a compressed answer is decoded, and says so`(coding: String) async throws {
        let text = Array("{\"token\":\"\(Self.secret)\"}".utf8)
        let jail = try await Self.open {
            switch coding {
            case "gzip": Self.coded(coding, Coder.gzip(text))
            case "deflate": Self.coded(coding, Coder.zlib(text))
            default: Self.coded(coding, Coder.brotli(text))
            }
        }
        let answer = try await Self.ask(jail)
        #expect(answer.contains("{\"token\":\"\(Self.stars)\"}") && answer.hasSuffix("\r\n0\r\n\r\n"))
        #expect(answer.contains("Transfer-Encoding: chunked\r\n") && answer.contains("ETag: W/\"e\"\r\n"))
        #expect(!answer.contains("Content-Encoding") && !answer.contains("Content-Length"))
        #expect(try await Self.events(jail).count == 1)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/byteranges; boundary=b\r\nContent-Length: 2\r\n\r\nok",
    ])
    func `what cannot be looked at is a 502, and nothing of it gets in`(answer: String) async throws {
        let jail = try await Self.open { [.send(answer)] }
        let heard = try await Self.ask(jail)
        #expect(heard.hasPrefix("HTTP/1.1 502 ") && heard.contains("the request carried a secret"))
        #expect(!heard.contains("zstd") && !heard.hasSuffix("ok"))
        #expect(try await jail.way.gateway.events().map(\.verdict) == [.failed])
        #expect(try await Self.ask(jail, "GET", "/other").hasSuffix("\r\n\r\nok"))
    }

    @Test(arguments: [0, 1])
    func `a compressed answer that breaks off or is damaged never ends in order`(kind: Int) async throws {
        var coded = Coder.gzip(Array("hello, hello, world".utf8))
        if kind == 0 { coded.removeLast() } else { coded[coded.count - 5] ^= 1 }
        let body = coded
        let jail = try await Self.open { Self.coded("gzip", body) }
        let client = try await Self.client(jail)
        let answer = try await client.receiveAll()
        #expect(!answer.contains("\r\n0\r\n\r\n"))
        #expect(client.end == .broken)
    }

    @Test func `a bomb is broken off`() async throws {
        let bomb = Coder.gzip([UInt8](repeating: 0, count: 32 << 20))
        let jail = try await Self.open { Self.coded("gzip", bomb) }
        let client = try await Self.client(jail)
        _ = try await client.receiveAll()
        #expect(client.end == .broken && client.count < 16 << 20)
        #expect(try await jail.way.gateway.events().last?.reason?.contains("grows too much") == true)
    }

    @Test func `HEAD has no body to decode, and its fields are those of GET`() async throws {
        let jail = try await Self.open {
            [.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")]
        }
        let answer = try await Self.ask(jail, "HEAD")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\n"))
        #expect(!answer.contains("gzip") && !answer.contains("Content-Length"))
    }

    @Test func `requests on one connection, with a secret and without, do not mix`() async throws {
        let jail = try await Self.open { [.send("HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n\(Self.secret)")] }
        let answer = try await jail.ask(
            Self.text(jail, "GET", "/secret") + Self.text(jail, "GET", "/other")
                + Self.text(jail, "GET", "/secret", Way.close))
        let bodies = answer.split(separator: "HTTP/1.1 200 OK").map { String($0.suffix(24)) }
        #expect(bodies == [Self.stars, Self.secret, Self.stars])
    }

    @Test func `over HTTP 2 as well`() async throws {
        let jail = try await Self.open { Self.coded("br", Coder.brotli(Array("<\(Self.secret)>".utf8))) }
        let client = try await HTTP2Client.connect(jail.way)
        defer { client.close() }
        let heard = try await client.ask(client.ask(jail.way, "GET", "/secret", Self.bearer))
        #expect(heard.status == "200" && heard.text == "<\(Self.stars)>")
        #expect(heard.headers.first(name: "content-encoding") == nil)
        let refused = try await Self.open { Self.coded("zstd", [1]) }
        let other = try await HTTP2Client.connect(refused.way)
        defer { other.close() }
        #expect(try await other.ask(other.ask(refused.way, "GET", "/secret", Self.bearer)).status == "502")
    }
}

extension String {
    /// What stands before a separator and after it, as often as there may be.
    fileprivate func components(separatedBy separator: String, most: Int) -> [String] {
        split(separator: separator, maxSplits: most, omittingEmptySubsequences: false).map(String.init)
    }
}
