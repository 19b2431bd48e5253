import JailPolicy
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import EgressGateway

/// What `explain` allows arrives once, and what it denies does not, seen by the origins themselves.
struct ArrivalTests {
    private struct Counts {
        var requests = 0
        var arrived = 0
    }

    @Test func `what explain says is what origins see`() async throws {
        var generator = Seeded(0x000A_2212)
        var counts = Counts()
        for round in 0..<10 { try await Self.round(round, &generator, &counts) }
        print("explain and origins: \(counts.requests) requests, \(counts.arrived) arrived")
        #expect(counts.requests >= 500 && counts.arrived >= 50)
    }

    @Test func `a deny of an address and a method leaves the other methods`() async throws {
        let origin = try await Origin.start()
        let hosts = "hosts: ['127.0.0.1']"
        let gateway = try await TestGateway.start(
            "allow: [{ \(hosts), ports: [\(origin.port)], methods: ['GET', 'POST'] }], deny: [{ \(hosts), methods: ['POST'] }]"
        )
        for (method, status) in [("GET", "200"), ("POST", "403"), ("GET", "200")] {
            let text = "\(method) http://127.0.0.1:\(origin.port)/ HTTP/1.1\r\nHost: 127.0.0.1:\(origin.port)\r\n"
            let answer = try await Client.ask(gateway.proxyPort, text + "Connection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        }
        #expect(origin.requests.map(\.method) == ["GET", "GET"])
    }

    /// One set of rules, and two origins.
    private static func round(_ round: Int, _ generator: inout Seeded, _ counts: inout Counts) async throws {
        let plain = try await Origin.start()
        let secure = try await Origin.start(tls: "a.test")
        let rules = rules([plain.port, secure.port], &generator)
        let gateway = try await TestGateway.start(rules)
        let policy = try await gateway.with { $0.policy }
        let context = try gateway.clientContext(["http/1.1"])
        for _ in 0..<50 {
            var request = RandomRequests.request(&generator)
            // Names that lead here: what they are is the matter of another test.
            let host = RandomRequests.pick(["a.test", "A.test", "a.test.", "127.0.0.1"], &generator)
            request.scheme = host == "127.0.0.1" || generator.chance() ? .http : .https
            let origin = request.scheme == .http ? plain : secure
            request.authority = "\(host):\(origin.port)"
            (request.isWebSocket, request.override) = (false, nil)
            let before = (plain.requests.count, secure.requests.count)
            let usesProxy = request.scheme == .http && generator.chance()
            let answer =
                usesProxy
                ? try await viaProxy(request, gateway) : try await viaTunnel(request, gateway, context)
            counts.requests += 1
            let explanation = AgreementTests.explain(request.method, request.url, policy)
            let isAllowed = explanation?.isAllowed == true
            let new = plain.requests.count - before.0 + secure.requests.count - before.1
            #expect(new == (isAllowed ? 1 : 0), "\(request): \(answer) by \(rules)")
            #expect(answer.hasPrefix("HTTP/1.1 200") == isAllowed, "\(request): \(answer) by \(rules)")
            guard isAllowed, let seen = origin.requests.last else { continue }
            counts.arrived += 1
            #expect(seen.target == explanation?.subject.question.path?.target && seen.method == request.method)
            #expect(seen["host"] == (host == "127.0.0.1" ? "127.0.0.1" : "a.test") + ":\(origin.port)")
        }
    }

    private static func rules(_ ports: [Int], _ generator: inout Seeded) -> String {
        while true {
            var allow: [String] = []
            for _ in 0..<3 {
                let methods = RandomRequests.methods.filter { _ in generator.chance() }
                guard !methods.isEmpty else { continue }
                let hosts = RandomRequests.pick(
                    ["'a.test', '127.0.0.1'", "'a.test'", "'*'", "'127.0.0.1'"], &generator)
                let paths =
                    generator.chance() ? ", paths: ['\(RandomRequests.pick(RandomRequests.patterns, &generator))']" : ""
                allow.append("{ hosts: [\(hosts)], ports: [\(ports[0]), \(ports[1])], methods: \(methods)\(paths) }")
            }
            let deny = RandomRequests.pick(
                [
                    "", "{ hosts: ['a.test'], methods: ['POST'] }", "{ hosts: ['127.0.0.1'], methods: ['DELETE'] }",
                    "{ hosts: ['*'], paths: ['/a/**'] }", "{ hosts: ['127.0.0.1'], ports: [1] }",
                ], &generator)
            // A deny of the address that the name leads to counts for the name as well, which only the lookup can tell.
            guard !deny.contains("127.0.0.1") || !allow.contains(where: { $0.contains("a.test") || $0.contains("*") })
            else {
                continue
            }
            let text = "allow: [\(allow.joined(separator: ", "))], deny: [\(deny)]"
            let budgets = "budgets: { requestsPerMinute: 10000, connectionsPerMinute: 10000 }"
            if (try? NetworkRules(text: Array("{ \(text), \(budgets) }".utf8))) != nil { return "\(text), \(budgets)" }
        }
    }

    // MARK: Ways in

    private static func viaProxy(_ request: RandomRequests.Request, _ gateway: TestGateway) async throws -> String {
        let text =
            "\(request.method) http://\(request.authority)\(request.path) HTTP/1.1\r\nHost: \(request.authority)\r\n"
        return try await Client.ask(gateway.proxyPort, text + "Connection: close\r\n\r\n")
    }

    private static func viaTunnel(
        _ request: RandomRequests.Request, _ gateway: TestGateway, _ context: NIOSSLContext
    ) async throws -> String {
        let client = try await Client.connect(gateway.proxyPort)
        let authority = request.authority
        try await client.send("CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n")
        guard try await client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200") else {
            client.close()
            return client.text
        }
        client.forget()
        if request.scheme == .https { try await client.secure(context, "a.test") }
        try await client.send(
            "\(request.method) \(request.path) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n\r\n")
        return try await client.receiveAll()
    }
}
