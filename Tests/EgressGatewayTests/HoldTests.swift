import EgressControl
import JailCore
import JailPolicy
import NIOCore
import NIOHTTP1
import Testing

@testable import EgressGateway

/// Requests that wait for somebody, through the whole gateway. The test is the supervisor.
@Suite(.timeLimit(.minutes(2))) struct HoldTests {
    private static func open(timeout: UInt64 = 600_000, network: String = "") async throws -> Way {
        try await Way.open(
            .http(Origin.ok), "methods: ['GET']", network: network, asks: timeout)
    }

    private static func post(_ way: Way, _ path: String = "/x", body: String = "hello") -> String {
        way.text("POST", path, Way.close + "Content-Length: \(body.utf8.count)\r\n", body: body)
    }

    @Test func `a request that is granted goes out whole, once`() async throws {
        let way = try await Self.open()
        async let answer = way.ask(Self.post(way, "/x?q=1"))
        let ask = try await way.gateway.asked()
        #expect(ask.request.text == "POST http://\(way.authority)/x")
        #expect(way.origin.requests.isEmpty)
        try await way.gateway.answer(EgressVerdict(id: ask.id, grant: 3))
        let whole = try await answer
        #expect(whole.hasPrefix("HTTP/1.1 200"))
        #expect(way.origin.requests.map(\.target) == ["/x?q=1"])
        #expect(String(decoding: way.origin.requests[0].body, as: UTF8.self) == "hello")
        #expect(try await way.gateway.events().map(\.rule) == ["approval 3"])
        // The same verdict once more is for nobody.
        try await way.gateway.answer(EgressVerdict(id: ask.id, grant: 3))
        async let second = way.ask(Self.post(way))
        let again = try await way.gateway.asked()
        #expect(again.id != ask.id)
        try await way.gateway.answer(EgressVerdict(id: again.id, grant: nil, reason: "nobody answered within 60 s"))
        let text = try await second
        #expect(text.hasPrefix("HTTP/1.1 403"))
        #expect(text.contains("an approval was asked for, and not given: nobody answered within 60 s"))
        #expect(text.contains("POST is not among the methods"))
        #expect(way.origin.requests.count == 1)
    }

    @Test func `what comes after it on the connection waits, and keeps its order`() async throws {
        let way = try await Self.open()
        let body = "hello"
        let first = way.text("POST", "/1", "Content-Length: \(body.utf8.count)\r\n", body: body)
        async let answer = way.ask(first + way.text("GET", "/2") + way.text("GET", "/3", Way.close))
        let ask = try await way.gateway.asked()
        try await way.gateway.answer(EgressVerdict(id: ask.id, grant: 1))
        let text = try await answer
        #expect(text.split(separator: "HTTP/1.1 200 OK").count == 3)
        #expect(way.origin.requests.map(\.target) == ["/1", "/2", "/3"])
    }

    @Test func `a client that has closed its half still gets its answer`() async throws {
        let way = try await Self.open()
        let client = try await Client.connect(way.port)
        try await client.send(way.text("POST", "/x", "Content-Length: 2\r\n", body: "hi"))
        let ask = try await way.gateway.asked()
        try await client.shutDown()
        try await way.gateway.answer(EgressVerdict(id: ask.id, grant: 1))
        #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 200"))
    }

    @Test func `what a rule denies is not asked about, nor a special address`() async throws {
        let way = try await Self.open(network: "deny: [{ hosts: ['a.test'], methods: ['POST'] }]")
        #expect(try await way.ask(Self.post(way)).hasPrefix("HTTP/1.1 403"))
        let proxied = "GET http://10.0.0.1/ HTTP/1.1\r\nHost: 10.0.0.1\r\n\(Way.close)\r\n"
        #expect(try await Client.ask(way.gateway.proxyPort, proxied).hasPrefix("HTTP/1.1 403"))
        #expect(try await way.gateway.with { $0.holds?.count } == 0)
    }

    @Test func `without approvals nothing is held`() async throws {
        let way = try await Way.open("methods: ['GET']")
        let text = try await way.ask(Self.post(way))
        #expect(text.hasPrefix("HTTP/1.1 403") && !text.contains("approval"))
    }

    /// As if so many seconds had gone.
    private static func pass(_ seconds: Int64, _ way: Way) async throws {
        try await way.gateway.with { state in
            guard let holds = state.holds else { return }
            holds.tick(.now() + .seconds(seconds))
        }
    }

    @Test func `one that nobody answers is denied, even if the supervisor says nothing at all`() async throws {
        let way = try await Self.open(timeout: 600_000)
        async let answer = way.ask(Self.post(way))
        _ = try await way.gateway.asked()
        try await Self.pass(590, way)
        #expect(try await way.gateway.with { $0.holds?.count } == 1)
        try await Self.pass(606, way)
        let text = try await answer
        #expect(text.contains("nobody answered in time"))
    }

    @Test func `no more than so many are held`() async throws {
        let way = try await Self.open()
        try await way.gateway.with { state in
            guard let holds = state.holds, let path = CanonicalPath(target: "/") else { return }
            let asked = AskedRequest(
                scheme: .https, host: .name("a.test"), port: 443, method: "POST", path: path)
            for _ in 0..<RequestHolds.most { if let asked { _ = holds.ask(asked) { _ in } } }
        }
        #expect(try await way.ask(Self.post(way)).contains("too many requests wait already"))
    }

    @Test func `the end denies all, and a client that goes away withdraws`() async throws {
        let way = try await Self.open()
        let client = try await Client.connect(way.port)
        // Its body has not come yet, so nobody can take it for one that has only closed its half.
        try await client.send(way.text("POST", "/x", "Content-Length: 5\r\n"))
        _ = try await way.gateway.asked()
        client.close()
        let gateway = way.gateway
        var left: Int? = 1
        for _ in 0..<600 where left != 0 {
            left = try await gateway.with { $0.holds?.count }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(left == 0)
        async let answer = way.ask(Self.post(way))
        _ = try await gateway.asked()
        try await gateway.with { state in
            guard let holds = state.holds else { return }
            holds.end()
        }
        let text = try await answer
        #expect(text.contains("nobody can be asked any more"))
    }
}
