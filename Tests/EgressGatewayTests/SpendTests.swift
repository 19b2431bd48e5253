import EgressControl
import JailCore
import JailPolicy
import NIOCore
import NIOHTTP1
import Testing

@testable import EgressGateway

/// Limits on what may be spent, through the whole gateway, with a provider that answers as the test says.
@Suite(.timeLimit(.minutes(2))) struct SpendTests {
    static let price = """
        { model: 'm', input: '1 USD', output: '2 USD', context: 100000, maxOutput: 1000 }
        """

    /// - Parameter limits: the inside of `spend`.
    static func setup(_ limits: String, spent: UInt64 = 0) throws -> SpendSetup {
        let text = "{ \(limits), providers: [{ hosts: ['a.test'], path: '/v1' }], prices: [\(price)] }"
        return SpendSetup(
            rules: try SpendRules(JSON5Reader.read(Array(text.utf8), file: "spend")), prices: PriceTable([]),
            day: today(), spent: SpendAmount(cost: spent))
    }

    static func today() -> Int64 { UTCDay.of(milliseconds: System.realtimeMilliseconds()) }

    enum Jail {
        static func open(
            _ limits: String, tls: Bool = true, spent: UInt64 = 0, _ script: @escaping Origin.Script
        ) async throws -> Way {
            try await Way.open(
                .http(script), "methods: ['GET', 'POST'], websocket: true", tls: tls,
                spend: SpendTests.setup(limits, spent: spent))
        }
    }

    /// One request on a connection of its own.
    static func ask(_ way: Way, _ text: String, tls: Bool = true) async throws -> String {
        guard tls else { return try await way.ask(text) }
        let client = try await connect(way)
        try await client.send(text)
        return try await client.receiveAll()
    }

    static func connect(_ way: Way) async throws -> Client {
        let client = try await Client.connect(way.port)
        try await client.secure(way.gateway.clientContext(["http/1.1"]), "a.test")
        return client
    }

    static func post(_ way: Way, _ body: String, _ fields: String = "", path: String = "/v1/messages") -> String {
        way.text("POST", path, Way.close + fields + "Content-Length: \(body.utf8.count)\r\n", body: body)
    }

    static func message(_ tokens: Int) -> String { #"{"model":"m","max_tokens":\#(tokens),"messages":[]}"# }

    static func answer(_ body: String, type: String = "application/json", status: String = "200 OK", more: String = "")
        -> [Origin.Step]
    {
        [
            .send(
                "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        ]
    }

    static let usage = #"{"usage":{"input_tokens":100,"output_tokens":50}}"#

    static func bound(_ body: String, output: UInt64) -> SpendAmount {
        let input = UInt64(body.utf8.count) + RequestReader.added
        return SpendAmount(cost: input + 2 * output, tokens: input + output, requests: 1)
    }

    // MARK: What is charged

    @Test func `an answer's usage is what is charged`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { $0.isComplete ? Self.answer(Self.usage) : [] }
        let text = try await Self.ask(way, Self.post(way, Self.message(10), "Accept-Encoding: gzip\r\n"))
        #expect(text.hasPrefix("HTTP/1.1 200") && text.hasSuffix(Self.usage))
        #expect(way.origin.requests[0]["Accept-Encoding"] == "identity")
        #expect(String(decoding: way.origin.requests[0].body, as: UTF8.self) == Self.message(10))
        let told = try await way.gateway.spent()
        #expect(told.last?.spent == SpendAmount(cost: 200, tokens: 150, requests: 1))
        #expect(told.last?.reserved == .nothing && told.refused.isEmpty)
    }

    @Test func `a stream is passed on as it comes, and its usage counts`() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        let way = try await Jail.open("perDay: '1 USD'") { request in
            guard request.isComplete else { return [] }
            let start = #"data: {"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}"#
            let end = "data: {\"usage\":{\"output_tokens\":9}}\n\ndata: {\"type\":\"message_stop\"}\n\n"
            return [.send(head + start + "\n\n"), .later([.send(end), .close], .milliseconds(700))]
        }
        let client = try await Self.connect(way)
        try await client.send(Self.post(way, Self.message(10)))
        #expect(try await client.receive(until: "message_start").contains("message_start"))
        #expect(!client.text.contains("message_stop"))
        // What may come is reserved meanwhile.
        let during = try await way.gateway.spent()
        #expect(during.last?.spent == .nothing && during.last?.reserved == Self.bound(Self.message(10), output: 10))
        #expect(try await client.receiveAll().contains("message_stop"))
        #expect(try await way.gateway.spent().last?.spent == SpendAmount(cost: 25, tokens: 16, requests: 1))
    }

    @Test(arguments: [
        ("no usage", "{}", "application/json", ""),
        ("compressed", usage, "application/json", "Content-Encoding: gzip\r\n"),
        ("another type", usage, "text/html", ""), ("no end", "data: \(usage)\n\n", "text/event-stream", ""),
    ])
    func `without usage the bound is charged`(name: String, body: String, type: String, more: String) async throws {
        let way = try await Jail.open("perDay: '1 USD'") {
            $0.isComplete ? Self.answer(body, type: type, more: more) : []
        }
        #expect(try await Self.ask(way, Self.post(way, Self.message(10))).hasPrefix("HTTP/1.1 200"))
        #expect(try await way.gateway.spent().last?.spent == Self.bound(Self.message(10), output: 10), "\(name)")
    }

    @Test func `an answer that is broken off is charged at the bound`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { request in
            request.isComplete ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), .close] : []
        }
        _ = try await Self.ask(way, Self.post(way, Self.message(10)))
        #expect(try await way.gateway.spent().last?.spent == Self.bound(Self.message(10), output: 10))
    }

    @Test func `a client that goes away frees nothing`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { _ in [] }
        let client = try await Self.connect(way)
        try await client.send(Self.post(way, Self.message(10)))
        #expect(await eventually { way.origin.requests.first?.isComplete == true })
        client.close()
        try await Task.sleep(for: .milliseconds(200))
        let last = try #require(try await way.gateway.spent().last)
        #expect(last.spent + last.reserved == Self.bound(Self.message(10), output: 10))
    }

    @Test func `what a provider refuses costs nothing, and what never reached one neither`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { request in
            request.isComplete ? Self.answer("{}", status: "429 Too Many Requests") : []
        }
        #expect(try await Self.ask(way, Self.post(way, Self.message(10))).hasPrefix("HTTP/1.1 429"))
        #expect(try await way.gateway.spent().last?.spent == SpendAmount(requests: 1))
        let gone = try await Jail.open("perDay: '1 USD'") { _ in [.reset] }
        _ = try await Self.ask(gone, Self.post(gone, Self.message(10)))
        #expect(try await gone.gateway.spent().last?.spent == Self.bound(Self.message(10), output: 10))
    }

    @Test func `without TLS nobody is believed`() async throws {
        let way = try await Jail.open("perDay: '1 USD'", tls: false) { $0.isComplete ? Self.answer(Self.usage) : [] }
        #expect(try await Self.ask(way, Self.post(way, Self.message(10)), tls: false).hasPrefix("HTTP/1.1 200"))
        #expect(try await way.gateway.spent().last?.spent == Self.bound(Self.message(10), output: 10))
    }

    // MARK: The limit

    @Test func `on the limit a request is denied before anything of it is sent`() async throws {
        let way = try await Jail.open("perDay: '0.01 USD'", spent: 9000) {
            $0.isComplete ? Self.answer(Self.usage) : []
        }
        for _ in 0..<2 {
            let text = try await Self.ask(way, Self.post(way, Self.message(10)))
            #expect(text.hasPrefix("HTTP/1.1 402 "))
            for part in [
                "spend.perDay is 0.01 USD: 0.009 USD spent today", "\"spent\":\"0.009 USD\"", "\"resets\":\"20",
                "\"allow\":\"spend: { perDay: ", "T00:00:00Z",
            ] { #expect(text.contains(part), "\(text)") }
        }
        #expect(way.origin.requests.isEmpty)
        // Told once, however often it happens.
        #expect(try await way.gateway.spent().refused == [.perDay])
        #expect(try await Self.ask(way, way.text("GET", "/v1/models", Way.close)).hasPrefix("HTTP/1.1 200"))
    }

    @Test func `tokens and requests have limits of their own`() async throws {
        let script: Origin.Script = { $0.isComplete ? Self.answer(Self.usage) : [] }
        let way = try await Jail.open("requestsPerDay: 1", script)
        #expect(try await Self.ask(way, Self.post(way, Self.message(10))).hasPrefix("HTTP/1.1 200"))
        #expect(try await Self.ask(way, Self.post(way, Self.message(10))).contains("spend.requestsPerDay is 1 request"))
        let other = try await Jail.open("tokensPerDay: 5000", script)
        #expect(try await Self.ask(other, Self.post(other, Self.message(900))).contains("spend.tokensPerDay is 5000"))
        #expect(try await Self.ask(other, Self.post(other, Self.message(10))).hasPrefix("HTTP/1.1 200"))
    }

    @Test func `requests at the same time do not get more than is there`() async throws {
        let each = Self.bound(Self.message(10), output: 10).cost
        let limit = Money.format(each * 3 + each / 2)
        let way = try await Jail.open("perDay: '\(limit)'") { request in
            request.isComplete ? [.later(Self.answer("{}"), .milliseconds(300))] : []
        }
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<12 { group.addTask { try await Self.ask(way, Self.post(way, Self.message(10))) } }
            return try await group.reduce(into: [String]()) { $0.append(String($1.prefix(12))) }
        }
        #expect(answers.filter { $0 == "HTTP/1.1 200" }.count == 3)
        #expect(answers.filter { $0 == "HTTP/1.1 402" }.count == 9)
        #expect(way.origin.requests.count == 3)
        #expect(try await way.gateway.spent().last?.spent.cost == each * 3)
    }

    @Test func `over HTTP/2 it is the same`() async throws {
        let way = try await Jail.open("requestsPerDay: 2") { $0.isComplete ? Self.answer(Self.usage) : [] }
        let client = try await HTTP2Client.connect(way)
        defer { client.close() }
        let fields = client.ask(way, "POST", "/v1/messages", [("accept-encoding", "gzip")])
        let body = Array(Self.message(10))
        let parts = [String(body[..<9]), String(body[9...])].map { ByteBuffer(string: $0) }
        #expect(try await client.ask(fields, parts: parts).text == Self.usage)
        #expect(way.origin.requests[0]["accept-encoding"] == "identity")
        #expect(try await way.gateway.spent().last?.spent == SpendAmount(cost: 200, tokens: 150, requests: 1))
        // A body that never ends reserves nothing, and is not sent.
        let twice = ByteBuffer(string: #"{"model":"m","model":"m"}"#)
        #expect(try await client.ask(fields, parts: [twice], ends: false).status == "403")
        #expect(try await client.ask(fields).status == "403")
        #expect(try await client.ask(fields, parts: parts).status == "200")
        #expect(try await client.ask(fields, parts: parts).status == "402")
        #expect(way.origin.requests.count == 2)
    }

    @Test func `what the supervisor cannot be told of is not sent, and it is told in the end`() async throws {
        let pair = try System.makeSocketPair(.sequencedPacket).release()
        for end in [pair.first, pair.second] { try System.setNonBlocking(Descriptor(end)) }
        let channel = EgressChannel(OwnedDescriptor(pair.first))
        let supervisor = SharedDescriptor(OwnedDescriptor(pair.second))
        let setup = try Self.setup("perDay: '1 USD'")
        let loop = TestGateway.loop
        let meter = try await loop.submit {
            let meter = SpendMeter(setup, channel, loop: loop)
            while try channel.report(SpendReport(day: 0, spent: .nothing, reserved: .nothing)) {}
            #expect(meter.reserve(SpendAmount(cost: 7))?.status == .serviceUnavailable)
            #expect(meter.budget.reserved == .nothing)
            return NIOLoopBound(meter, eventLoop: loop)
        }.get()
        var last: SpendReport?
        for _ in 0..<200 where last?.day != setup.day {
            while let packet = try? System.receive(supervisor.borrowed, most: 8192) {
                if case .spend(let report)? = try EgressMessage.report(packet.bytes, []) { last = report }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(last == SpendReport(day: setup.day, spent: .nothing, reserved: .nothing))
        let denial = try await loop.submit { meter.value.reserve(SpendAmount(cost: 7)) == nil }.get()
        #expect(denial)
    }

    @Test func `nothing goes through unseen, even by rules that would let it`() async throws {
        let way = try await Way.open(
            .raw { _ in [] }, "inspect: false", tls: false, spend: Self.setup("perDay: '1 USD'"))
        // Reset at once, perhaps before the client has seen that it was connected.
        if let client = try? await Client.connect(way.port) { _ = try await client.receiveAll() }
        #expect(way.origin.connections == 0)
        var reasons: [String?] = []
        for _ in 0..<200 where reasons.isEmpty { reasons = try await way.gateway.events().map(\.reason) }
        #expect(reasons.contains { $0?.contains("without being counted") == true }, "\(reasons)")
    }

    // MARK: What is not sent

    @Test func `what cannot be bounded is not sent`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { $0.isComplete ? Self.answer(Self.usage) : [] }
        let body = Self.message(10)
        let socket =
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        for (request, part) in [
            (Self.post(way, body, path: "/v1/messages/batches"), "not known before it is sent"),
            (Self.post(way, body, "Content-Encoding: gzip\r\n"), "Content-Encoding"),
            (Self.post(way, ""), "without a body"),
            (Self.post(way, #"{"max_tokens":1}"#), "names no model"),
            (Self.post(way, #"{"model":"dear","max_tokens":1}"#), "no price for the model"),
            (Self.post(way, #"{"model":"m","max_tokens":1,"max_tokens":2}"#), "twice"),
            (Self.post(way, #"{"model":"m","max_tokens":1"#), "in the middle"),
            (Self.post(way, #"{"model":"m","tools":[{"type":"web_search_1"}]}"#), "runs at the provider"),
            (way.text("GET", "/v1/realtime", socket), "not known before it is sent"),
        ] {
            let text = try await Self.ask(way, request)
            #expect(text.hasPrefix("HTTP/1.1 403 ") && text.contains(part), "\(text)")
        }
        #expect(way.origin.requests.isEmpty)
        #expect(try await way.gateway.spent().last == nil)
    }

    @Test func `a chunked body is read as a whole, and sent as it was`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { $0.isComplete ? Self.answer(Self.usage) : [] }
        let body = Self.message(10)
        let chunks = body.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
        let client = try await Self.connect(way)
        let text = way.text("POST", "/v1/messages", Way.close + "Transfer-Encoding: chunked\r\n", body: chunks)
        try await client.send(String(text.prefix(text.count - 30)))
        try await Task.sleep(for: .milliseconds(100))
        #expect(way.origin.requests.isEmpty)
        try await client.send(String(text.suffix(30)))
        #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 200"))
        #expect(String(decoding: way.origin.requests[0].body, as: UTF8.self) == body)
    }

    @Test func `bodies that wait are bounded in all`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { $0.isComplete ? Self.answer(Self.usage) : [] }
        #expect(try await way.gateway.with { $0.spend?.hold(SpendMeter.mostHeld) } == true)
        let text = try await Self.ask(way, Self.post(way, Self.message(10)))
        #expect(text.hasPrefix("HTTP/1.1 503 ") && way.origin.requests.isEmpty)
        try await way.gateway.with { $0.spend?.letGo(SpendMeter.mostHeld) }
        #expect(try await Self.ask(way, Self.post(way, Self.message(10))).hasPrefix("HTTP/1.1 200"))
        // What was held for both is let go of.
        #expect(try await way.gateway.with { $0.spend?.hold(SpendMeter.mostHeld) } == true)
    }

    @Test func `other hosts are none of its business`() async throws {
        let setup = try Self.setup("perDay: '0 USD'")
        var other = setup
        other.rules.providers = []
        let way = try await Way.open(.http(Origin.ok), "methods: ['POST']", spend: other)
        #expect(try await way.ask(Self.post(way, "{", path: "/v1/messages")).hasPrefix("HTTP/1.1 200"))
        #expect(try await way.gateway.spent().last == nil)
    }

    @Test func `a model without a price is as dear as the dearest, where the profile says so`() async throws {
        let way = try await Jail.open("perDay: '1 USD', unknownModels: 'dearest'") {
            $0.isComplete ? Self.answer(Self.usage) : []
        }
        let body = #"{"model":"new","max_tokens":10}"#
        #expect(try await Self.ask(way, Self.post(way, body)).hasPrefix("HTTP/1.1 200"))
        #expect(try await way.gateway.spent().last?.spent.cost == 200)
    }

    @Test func `what was charged is in the event`() async throws {
        let way = try await Jail.open("perDay: '1 USD'") { $0.isComplete ? Self.answer(Self.usage) : [] }
        _ = try await Self.ask(way, Self.post(way, Self.message(10)))
        let event = try await way.gateway.events().first
        #expect(event?.model == "m" && event?.cost == 200 && event?.tokens == 150)
    }
}
