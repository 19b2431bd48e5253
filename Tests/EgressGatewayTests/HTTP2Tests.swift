import Testing

@testable import EgressGateway

/// HTTP/2 with the jail, over TLS; the origin speaks HTTP/1.1.
struct HTTP2Tests {
    private static let rule = "methods: ['GET', 'HEAD', 'POST'], requestSize: '1K'"

    private static func open(_ network: String = "") async throws -> (Way, HTTP2Client) {
        let way = try await Way.open(rule, network: network, tls: true)
        return (way, try await HTTP2Client.connect(way))
    }

    @Test func `requests on streams of one connection are served`() async throws {
        let (way, client) = try await Self.open()
        defer { client.close() }
        for path in ["/1", "/2"] {
            let heard = try await client.ask(client.ask(way, "GET", path, [("cookie", "a=1"), ("cookie", "b=2")]))
            #expect(heard.status == "200" && heard.text == "ok")
        }
        #expect(way.origin.requests.map(\.target) == ["/1", "/2"] && way.origin.connections == 1)
        #expect(way.origin.requests[0]["cookie"] == "a=1; b=2")
        #expect(way.origin.requests[0]["host"] == way.authority)
    }

    @Test func `a body goes on, with a length or without`() async throws {
        let (way, client) = try await Self.open()
        defer { client.close() }
        #expect(try await client.ask(client.ask(way, "POST", "/1"), body: [3, 4]).status == "200")
        let length = [("content-length", "7")]
        #expect(try await client.ask(client.ask(way, "POST", "/2", length), body: [3, 4]).status == "200")
        #expect(way.origin.requests.map(\.body.count) == [7, 7])
        #expect(way.origin.requests.map { $0["transfer-encoding"] ?? $0["content-length"] } == ["chunked", "7"])
    }

    @Test func `a body of GET is refused before anything is sent`() async throws {
        let (way, client) = try await Self.open()
        defer { client.close() }
        let heard = try await client.ask(client.ask(way), body: [5])
        #expect(heard.status == "400")
        let announced = try await client.ask(client.ask(way, "GET", "/", [("content-length", "5")]), body: [5])
        #expect(announced.status == "403")
        #expect(way.origin.connections == 0)
    }

    @Test func `a denied request does not arrive, and the others do`() async throws {
        let (way, client) = try await Self.open()
        defer { client.close() }
        #expect(try await client.ask(client.ask(way, "PUT")).status == "403")
        #expect(way.origin.connections == 0)
        #expect(try await client.ask(client.ask(way)).status == "200")
    }

    @Test(arguments: [
        [(":method", "GET"), (":scheme", "http"), (":authority", "HERE"), (":path", "/")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "HERE"), (":path", "/"), ("host", "b.test")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "b.test"), (":path", "/"), ("host", "HERE")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "b.test"), (":path", "/")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "u@HERE"), (":path", "/")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "HERE"), (":path", "//../..")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "HERE"), (":path", "http://b.test/")],
        [(":method", "GET"), (":scheme", "https"), (":authority", "HERE"), (":path", "/"), ("x", "a\r\nb: c")],
        [(":method", "CONNECT"), (":authority", "HERE")],
        [(":method", "OPTIONS"), (":scheme", "https"), (":authority", "HERE"), (":path", "*")],
    ])
    func `what could be read in two ways is not sent`(fields: [(String, String)]) async throws {
        let (way, client) = try await Self.open()
        defer { client.close() }
        let heard = try await client.ask(fields.map { ($0.0, $0.1.replacing("HERE", with: way.authority)) })
        #expect(heard.status.map { $0.hasPrefix("4") } ?? true, "\(heard)")
        #expect(way.origin.connections == 0)
    }

    @Test func `a body ends where the rule says`() async throws {
        let (way, client) = try await Self.open()
        defer { client.close() }
        let heard = try await client.ask(client.ask(way, "POST"), body: [1000, 24, 1])
        #expect(heard.status == "413")
        try await Task.sleep(for: .milliseconds(50))
        #expect(way.origin.requests.allSatisfy { $0.body.count <= 1024 && !$0.isComplete })
    }

    @Test func `requests of all streams count`() async throws {
        let (way, client) = try await Self.open("budgets: { requestsPerMinute: 3 }")
        defer { client.close() }
        for _ in 0..<3 { #expect(try await client.ask(client.ask(way)).status == "200") }
        let heard = try await client.ask(client.ask(way))
        #expect(heard.status == "429" && heard.text.contains("network.budgets.requestsPerMinute (3)"))
        #expect(way.origin.requests.count == 3)
    }
}
