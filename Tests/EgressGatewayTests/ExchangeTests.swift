import EgressControl
import JailPolicy
import NIOCore
import NIOHTTP1
import Testing

@testable import EgressGateway

/// One gateway and one origin, with connections to it that go in as transparent ones do.
struct Way: Sendable {
    let gateway: TestGateway
    let origin: Origin
    /// What the client connects to.
    let port: Int

    var authority: String { "a.test:\(origin.port)" }

    /// - Parameter rule: more members of the one allow rule.
    static func open(
        _ rule: String = "methods: ['GET', 'HEAD', 'POST', 'OPTIONS']", network: String = "", tls: Bool = false,
        _ script: @escaping Origin.Script = Origin.ok
    ) async throws -> Way { try await open(.http(script), rule, network: network, tls: tls) }

    static func open(
        _ kind: Origin.Kind, _ rule: String, network: String = "", tls: Bool = false, spend: SpendSetup? = nil,
        asks: UInt64? = nil
    ) async throws -> Way {
        let origin = try await Origin.start(kind, tls: tls ? "a.test" : nil)
        let gateway = try await TestGateway.start(
            "allow: [{ hosts: ['a.test'], ports: [\(origin.port)], \(rule) }], \(network)", spend: spend,
            asks: asks)
        let destination = Destination(host: .name("a.test"), port: UInt16(clamping: origin.port))
        return Way(gateway: gateway, origin: origin, port: try await gateway.listen(for: destination))
    }

    func text(_ method: String = "GET", _ target: String = "/", _ fields: String = "", body: String = "") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\n\(fields)\r\n\(body)"
    }

    /// One request with all that is answered, on a connection of its own.
    func ask(_ request: String) async throws -> String { try await Client.ask(port, request) }

    static let close = "Connection: close\r\n"
}

struct ExchangeTests {
    @Test func `an allowed request arrives once, and its answer comes back`() async throws {
        let way = try await Way.open()
        let answer = try await way.ask(way.text("GET", "/a/%7e?q", Way.close + "X-A: b\r\n"))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nok"))
        #expect(way.origin.requests.map(\.target) == ["/a/~?q"])
        #expect(way.origin.requests[0].headers.map(\.name) == ["Host", "X-A"])
        #expect(try await way.gateway.events().map(\.verdict) == [.allowed])
    }

    @Test func `a denied request does not arrive, and nothing behind it does`() async throws {
        let way = try await Way.open()
        let all = way.text("GET", "/1") + way.text("PUT", "/2", "Content-Length: 0\r\n") + way.text("GET", "/3")
        let answer = try await way.ask(all)
        #expect(answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["200", "403"])
        #expect(way.origin.requests.map(\.target) == ["/1"])
    }

    @Test func `pipelined requests are served in their order, with their bodies`() async throws {
        let way = try await Way.open { request in
            guard request.isComplete else { return [] }
            let body = "\(request.target) \(String(decoding: request.body, as: UTF8.self))"
            return [.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")]
        }
        let chunks = "Transfer-Encoding: chunked\r\n"
        let all = (1...5).map { way.text("POST", "/\($0)", chunks, body: "2\r\n#\($0)\r\n0\r\n\r\n") }.joined()
        let answer = try await way.ask(all + way.text("GET", "/end", Way.close))
        let bodies = answer.split(separator: "HTTP/1.1 200 OK").map { $0.suffix(5) }
        #expect(bodies == ["/1 #1", "/2 #2", "/3 #3", "/4 #4", "/5 #5", "/end "])
        #expect(way.origin.requests.count == 6)
    }

    @Test func `an answer to HEAD has a length and no body`() async throws {
        let way = try await Way.open { $0.isComplete ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")] : [] }
        let answer = try await way.ask(way.text("HEAD") + way.text("HEAD", "/", Way.close))
        #expect(answer.split(separator: "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n").count == 2)
        #expect(answer.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: ["204 No Content", "304 Not Modified"])
    func `answers without a body end with their head`(status: String) async throws {
        let way = try await Way.open { $0.isComplete ? [.send("HTTP/1.1 \(status)\r\nETag: x\r\n\r\n")] : [] }
        let answer = try await way.ask(way.text() + way.text("GET", "/", Way.close))
        #expect(
            answer == "HTTP/1.1 \(status)\r\nETag: x\r\n\r\nHTTP/1.1 \(status)\r\nETag: x\r\nConnection: close\r\n\r\n")
    }

    @Test func `a client of HTTP 1 point 0 gets a body that ends with the connection`() async throws {
        let way = try await Way.open {
            $0.isComplete ? [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")] : []
        }
        let answer = try await way.ask("GET / HTTP/1.0\r\nHost: \(way.authority)\r\n\r\n")
        #expect(answer == "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nabc")
    }

    @Test func `what an origin says until it closes comes in chunks, and is complete`() async throws {
        let way = try await Way.open {
            $0.isComplete ? [.send("HTTP/1.1 200 OK\r\n\r\nabc"), .later([.close], .milliseconds(30))] : []
        }
        let answer = try await way.ask(
            way.text() + way.text("POST", "/2", Way.close + "Content-Length: 1\r\n", body: "x"))
        #expect(answer.components("3\r\nabc\r\n0\r\n\r\n") == 2)
        #expect(way.origin.connections == 2)
    }

    // MARK: Ends that are none

    @Test(arguments: [false, true])
    func `an answer that breaks off is reset, and never ends in order`(overTLS: Bool) async throws {
        let way = try await Way.open(tls: overTLS) {
            $0.isComplete
                ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), .later([.close], .milliseconds(30))] : []
        }
        let client = try await Client.tunnel(way.gateway, to: way.authority)
        if overTLS { try await client.secure(way.gateway.clientContext(["http/1.1"]), "a.test") }
        // A body whose end is that of the connection: only the way in which it ends tells.
        try await client.send("GET / HTTP/1.0\r\nHost: \(way.authority)\r\n\r\n")
        let answer = try await client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.0 200 OK") && client.end == .broken)
        #expect(try await way.gateway.events().last?.verdict == .failed)
    }

    @Test func `an answer that never begins is a 502, and another method than GET is not asked again`() async throws {
        let way = try await Way.open { request in
            request.isComplete ? request.target == "/close" ? [.reset] : Origin.ok(request) : []
        }
        let client = try await Client.connect(way.port)
        try await client.send(way.text())
        _ = try await client.receive(until: "\r\n\r\nok")
        try await client.send(way.text("POST", "/close", "Content-Length: 0\r\n"))
        #expect(try await client.receive(until: "502").contains("HTTP/1.1 502"))
        #expect(way.origin.requests.map(\.target) == ["/", "/close"])
    }

    @Test func `a connection that the origin had closed is tried once more, and once only`() async throws {
        let way = try await Way.open { request in
            request.isComplete ? request.target == "/close" ? [.reset] : Origin.ok(request) : []
        }
        let client = try await Client.connect(way.port)
        try await client.send(way.text())
        _ = try await client.receive(until: "\r\n\r\nok")
        try await client.send(way.text("GET", "/close"))
        #expect(try await client.receive(until: "502").contains("HTTP/1.1 502"))
        #expect(way.origin.requests.map(\.target) == ["/", "/close", "/close"])
        #expect(way.origin.requests.map(\.connection) == [0, 0, 1])
    }

    @Test(arguments: [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n",
    ])
    func `an answer that nobody can use is a 502`(answer: String) async throws {
        let way = try await Way.open { $0.isComplete ? [.send(answer)] : [] }
        #expect(try await way.ask(way.text("POST", "/", "Content-Length: 1\r\n", body: "x")).hasPrefix("HTTP/1.1 502 "))
    }

    @Test(arguments: [false, true])
    func `a connection on which an origin says more than its answer is not used again`(overTLS: Bool) async throws {
        let way = try await Way.open(tls: overTLS) {
            $0.isComplete ? Origin.ok($0) + [.later([.send("HTTP/1.1 200 OK\r\n")], .milliseconds(20))] : []
        }
        let client = try await Client.tunnel(way.gateway, to: way.authority)
        if overTLS { try await client.secure(way.gateway.clientContext(["http/1.1"]), "a.test") }
        for count in 1...3 {
            client.forget()
            try await client.send(way.text("POST", "/", "Content-Length: 1\r\n", body: "x"))
            let answer = try await client.receive(until: "ok")
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
            #expect(await eventually { way.origin.closed == count })
        }
        #expect(way.origin.connections == 3)
    }

    // MARK: Bytes as they are

    @Test func `a tunnel loses nothing of what a client says at once`() async throws {
        let origin = try await Origin.start(.raw { [.send("\($0.count)\n")] })
        let gateway = try await TestGateway.start(
            "allow: [{ hosts: ['a.test'], ports: [\(origin.port)], protocol: 'tcp' }]")
        let client = try await Client.connect(gateway.proxyPort)
        let target = "a.test:\(origin.port)"
        try await client.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\nhello")
        #expect(try await client.receive(until: "5\n").hasSuffix("\r\n\r\n5\n"))
        try await client.send("more")
        #expect(try await client.receive(until: "9\n").hasSuffix("5\n9\n"))
        try await client.shutDown()
        _ = try await client.receiveAll()
        #expect(origin.raw == "hellomore")
    }

    // MARK: Half-closed and early

    @Test func `a client that has said everything still gets its answer`() async throws {
        let way = try await Way.open {
            $0.isComplete ? [.later([.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")], .milliseconds(50))] : []
        }
        let client = try await Client.connect(way.port)
        try await client.send(way.text())
        try await client.shutDown()
        #expect(try await client.receiveAll().hasSuffix("\r\n\r\nok"))
    }

    @Test func `a client that goes in the middle of its request is not completed by us`() async throws {
        let way = try await Way.open()
        let client = try await Client.connect(way.port)
        try await client.send(way.text("POST", "/", "Content-Length: 10\r\n", body: "abc"))
        #expect(await eventually { way.origin.requests.first?.body.count == 3 })
        try await client.shutDown()
        _ = try await client.receiveAll()
        try await Task.sleep(for: .milliseconds(50))
        #expect(way.origin.requests.count == 1 && way.origin.requests[0].isComplete == false)
    }

    @Test func `an early answer is passed on, and the connection is of no more use`() async throws {
        let way = try await Way.open {
            $0.isComplete ? [] : [.send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")]
        }
        let client = try await Client.connect(way.port)
        try await client.send(way.text("POST", "/", "Content-Length: 1000\r\n", body: "abc"))
        let answer = try await client.receiveAll()
        #expect(answer == "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        #expect(way.origin.requests.count == 1)
    }

    @Test func `who waits for 100 gets it here, once the request is allowed`() async throws {
        let way = try await Way.open()
        let client = try await Client.connect(way.port)
        let expecting = "Expect: 100-continue\r\nContent-Length: 3\r\n" + Way.close
        try await client.send(way.text("POST", "/", expecting))
        #expect(try await client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try await client.send("abc")
        #expect(try await client.receiveAll().contains("HTTP/1.1 200 OK\r\n"))
        #expect(way.origin.requests[0].body == Array("abc".utf8))
        #expect(way.origin.requests[0].headers["expect"].isEmpty)
        #expect(try await way.ask(way.text("PUT", "/", expecting)).hasPrefix("HTTP/1.1 403 "))
        #expect(way.origin.requests.count == 1)
    }

    // MARK: Limits

    @Test func `a body in chunks ends where the rule says, and nothing more of it goes on`() async throws {
        let way = try await Way.open("methods: ['POST'], requestSize: '1K'")
        let client = try await Client.connect(way.port)
        let chunk = "200\r\n" + String(repeating: "x", count: 512) + "\r\n"
        try await client.send(way.text("POST", "/", "Transfer-Encoding: chunked\r\n", body: chunk + chunk))
        #expect(await eventually { way.origin.requests.first?.body.count == 1024 })
        try await client.send("1\r\ny\r\n0\r\n\r\n")
        #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 413 "))
        #expect(way.origin.requests.map(\.body.count) == [1024] && !way.origin.requests[0].isComplete)
        // And one that says so at once does not even begin.
        let announced = way.text("POST", "/", "Content-Length: 1025\r\n")
        #expect(try await way.ask(announced).hasPrefix("HTTP/1.1 403 "))
        #expect(way.origin.requests.count == 1)
    }

    @Test func `a budget that is used up is a denial with its name`() async throws {
        let way = try await Way.open(network: "budgets: { requestsPerMinute: 2, uploadPerHour: '4K' }")
        #expect(try await way.ask(way.text("GET", "/1", Way.close)).hasPrefix("HTTP/1.1 200 "))
        let large = way.text("POST", "/2", "Content-Length: 5000\r\n", body: String(repeating: "x", count: 5000))
        let upload = try await way.ask(large)
        #expect(upload.hasPrefix("HTTP/1.1 429 ") && upload.contains("network.budgets.uploadPerHour"))
        let third = try await way.ask(way.text("GET", "/3", Way.close))
        #expect(third.hasPrefix("HTTP/1.1 429 ") && third.contains("network.budgets.requestsPerMinute (2)"))
        #expect(!way.origin.requests.map(\.target).contains("/3"))
        #expect(way.origin.requests.allSatisfy { $0.target == "/1" || !$0.isComplete })
    }

    @Test func `one connection too many is reset, and told`() async throws {
        let way = try await Way.open(network: "budgets: { connections: 1 }")
        let first = try await Client.connect(way.port)
        try await first.send(way.text())
        _ = try await first.receive(until: "ok")
        // The reset may come before the connection has been seen to be one.
        if let second = try? await Client.connect(way.port) {
            _ = try await second.receiveAll()
            #expect(second.end == .broken && second.count == 0)
        }
        first.close()
        #expect(
            try await way.gateway.events().contains { $0.reason?.contains("network.budgets.connections (1)") == true })
        #expect(try await way.ask(way.text("GET", "/", Way.close)).hasPrefix("HTTP/1.1 200 "))
    }

    @Test func `a reader that stalls holds no more than its buffers, and then gets everything`() async throws {
        let size = 24 << 20
        let way = try await Way.open {
            $0.isComplete ? [.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .zeros(size)] : []
        }
        let client = try await Client.connect(way.port)
        try await client.channel.setOption(.autoRead, value: false).get()
        try await client.send(way.text("GET", "/", Way.close))
        #expect(await eventually { way.origin.requests.count == 1 })
        try await Task.sleep(for: .seconds(1))
        let received = try await way.gateway.with { state in
            state.guards.values.compactMap { $0.exchangeBytes }.max() ?? 0
        }
        // What the kernel takes for both sockets on loopback, and some buffers here.
        #expect(received > 0 && received < 16 << 20, "\(received)")
        // Longer than an answer's last moment.
        try await client.channel.setOption(.autoRead, value: true).get()
        #expect(await eventually { client.end != nil })
        #expect(client.count > size && client.end == .orderly)
    }

    @Test func `an origin that does not answer is given up`() async throws {
        let way = try await Way.open(network: "budgets: { response: '1s' }") { _ in [] }
        let answer = try await way.ask(way.text())
        #expect(answer.hasPrefix("HTTP/1.1 504 ") && answer.contains("network.budgets.response"))
    }

    @Test func `a connection that says nothing more is closed`() async throws {
        let way = try await Way.open(network: "budgets: { idle: '1s' }")
        let client = try await Client.connect(way.port)
        try await client.send(way.text())
        _ = try await client.receive(until: "ok")
        #expect(client.end == nil)
        _ = try await client.receiveAll()
        #expect(client.end == .orderly)
    }
}

extension String {
    /// How often the text is in it.
    func components(_ text: String) -> Int { ranges(of: text).count }
}

extension ConnectionGuard {
    /// Bytes of the answer under way, as far as they were passed on.
    fileprivate var exchangeBytes: Int? { timed.compactMap { ($0 as? RequestHandler)?.exchange?.received }.max() }
}
