import EgressControl
import JailPolicy
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import EgressGateway

/// A jail whose secret is a refresh token, the API that it is for, and the endpoint where it is exchanged.
private struct ExchangeJail {
    static let refresh = "rt-real-81c5f3e2-NEVER-INSIDE"
    static let other = "rt-next-4a90be17-NEVER-INSIDE"

    /// What the endpoint answers, one after the other; the last one again and again.
    final class Endpoint: Sendable {
        private let state = Mutex((answers: [[Origin.Step]](), asked: 0))

        init(_ answers: [[Origin.Step]]) { state.withLock { $0.answers = answers } }

        func answer(_ request: Origin.Received) -> [Origin.Step] {
            guard request.isComplete else { return [] }
            return state.withLock { state in
                state.asked += 1
                return state.answers[min(state.asked, state.answers.count) - 1]
            }
        }
    }

    let jail: SecretJail
    let endpoint: Origin

    static func json(_ body: String, status: String = "200 OK", type: String = "application/json") -> [Origin.Step] {
        [.send("HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")]
    }

    static func token(_ text: String, _ more: String = ", \"expires_in\": 3600") -> [Origin.Step] {
        json("{\"access_token\": \"\(text)\", \"token_type\": \"Bearer\"\(more)}")
    }

    /// - Parameter api: nil: it takes everything, and says what it was given.
    static func open(
        _ answers: [[Origin.Step]], api: Origin.Script? = nil, oauth: String = "", name: String = "b.test",
        proves: String = "b.test", rule: String = "methods: ['GET', 'POST']", kind: Origin.Kind? = nil,
        network: String = ""
    ) async throws -> ExchangeJail {
        let endpoint = try await Origin.start(.http(Endpoint(answers).answer), tls: proves)
        let exchange =
            "exchange: { oauth: { host: '\(name)', port: \(endpoint.port), path: '/token', clientId: 'me & you'\(oauth) } }"
        let jail = try await SecretJail.open(
            "inject: 'bearer', \(exchange)", value: refresh, rule: rule, network: network,
            kind: kind ?? .http(api ?? echo))
        return ExchangeJail(jail: jail, endpoint: endpoint)
    }

    static let echo: Origin.Script = { request in
        guard request.isComplete else { return [] }
        let body = "<\(request["Authorization"] ?? "-")>"
        return [.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")]
    }

    var field: String { "Authorization: Bearer \(SecretJail.placeholder)\r\n" }

    func ask() async throws -> String { try await jail.ask("GET", "/a", field) }

    /// What the API was given.
    var given: [String?] { jail.way.origin.requests.map { $0["Authorization"] } }

    func exchanges() async throws -> [EgressEvent] {
        try await jail.way.gateway.events().filter { $0.subject == .secretExchanged }
    }

    /// The request was not answered by anybody but the way out, which says nothing that it should not.
    func expectNone(_ answer: String, _ status: String, _ comment: Comment? = nil) {
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"), comment)
        #expect(answer.contains("'key'") && jail.way.origin.requests.isEmpty, comment)
        for word in [Self.refresh, "at-", "b.test", "invalid"] { #expect(!answer.contains(word), comment) }
    }
}

@Suite(.timeLimit(.minutes(3))) struct `Exchanges of refresh tokens` {
    @Test func `an access token goes out, and neither token comes back`() async throws {
        let jail = try await ExchangeJail.open(
            [ExchangeJail.token("at-first-of-them")], oauth: ", scope: 'read write'")
        for _ in 0..<2 {
            let answer = try await jail.ask()
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("<Bearer ****************>"))
        }
        #expect(jail.given == ["Bearer at-first-of-them", "Bearer at-first-of-them"])
        #expect(jail.endpoint.requests.count == 1)
        let asked = jail.endpoint.requests[0]
        #expect(asked.method == "POST" && asked.target == "/token")
        #expect(asked["Content-Type"] == "application/x-www-form-urlencoded")
        #expect(
            String(decoding: asked.body, as: UTF8.self)
                == "grant_type=refresh_token&refresh_token=\(ExchangeJail.refresh)&client_id=me%20%26%20you"
                + "&scope=read%20write")
        let events = try await jail.jail.way.gateway.events()
        let told = events.filter { $0.subject == .secretExchanged }
        #expect(told.map(\.verdict) == [.allowed] && told[0].secret == "key" && told[0].host == "b.test")
        for event in events { #expect(!event.line.contains("at-first") && !event.line.contains("rt-real")) }
    }

    @Test func `a refresh token that comes back is covered as well`() async throws {
        let jail = try await ExchangeJail.open(
            [ExchangeJail.token("at-first-of-them")],
            api: { $0.isComplete ? ExchangeJail.json("<\(ExchangeJail.refresh)>") : [] })
        let answer = try await jail.ask()
        #expect(answer.contains("<****") && !answer.contains(ExchangeJail.refresh))
    }

    @Test func `a confidential client proves itself, with a secret that nothing inside stands for`() async throws {
        let text = """
            [{ name: 'key', hosts: ['a.test'], inject: 'bearer', exchange: { oauth: { host: 'b.test', path: '/t',
               clientId: 'me', clientSecret: 'app' } } }]
            """
        let rules = try SecretRules(text: Array(text.utf8))
        #expect(rules.names == ["key", "app"] && rules.boundNames == ["key"] && rules.variables.isEmpty)
        let jail = try await ExchangeJail.open(
            [ExchangeJail.token("at-first-of-them")], oauth: ", clientSecret: 'app'")
        let early = try await jail.ask()
        #expect(early.hasPrefix("HTTP/1.1 403") && early.contains("'app'"))
        let placeholder = try #require(SecretPlaceholder(text: "sk-Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9J"))
        try await jail.jail.way.gateway.give(
            SecretGrant(name: "app", placeholder: placeholder, value: SecretValue("client secret+1".utf8)))
        #expect(try await jail.ask().hasPrefix("HTTP/1.1 200"))
        let body = String(decoding: jail.endpoint.requests[0].body, as: UTF8.self)
        #expect(body.hasSuffix("&client_secret=client%20secret%2B1"))
    }

    @Test func `requests that come at the same time wait for one exchange`() async throws {
        let answer = ExchangeJail.token("at-first-of-them")
        let jail = try await ExchangeJail.open([[.later(answer, .milliseconds(200))]])
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<5 { group.addTask { try await jail.ask() } }
            let fields = jail.field + "Content-Length: 5\r\n"
            group.addTask { try await jail.jail.ask("POST", "/", fields, body: "hello") }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200") } && answers.count == 6)
        #expect(jail.endpoint.requests.count == 1)
        #expect(jail.jail.way.origin.requests.contains { $0.body == Array("hello".utf8) })
        let most = TokenKeeper.mostWaiting
        let refused = try await jail.jail.way.gateway.with { state -> Int in
            let tokens = try #require(state.tokens)
            state.secrets?.dropToken(of: "key", .now())
            var refused = 0
            for _ in 0..<(most + 2) {
                tokens.prepare(["key"]) { if $0?.status == .serviceUnavailable { refused += 1 } }
            }
            return refused
        }
        #expect(refused == 2)
    }

    @Test func `a token is used as long as it is good, and another one is asked for in time`() async throws {
        let jail = try await ExchangeJail.open([
            ExchangeJail.token("at-first-of-them", ", \"expires_in\": \"1000\""),
            ExchangeJail.token("at-second-of-them", ""),
        ])
        _ = try await jail.ask()
        let left = try await jail.jail.way.gateway.with { state -> [Int64] in
            let token = try #require(state.secrets?.token(of: "key"))
            return [token.fresh, token.end].map { ($0 - .now()).nanoseconds / 1_000_000_000 }
        }
        #expect((930...940).contains(left[0]) && (990...1000).contains(left[1]))
        // As if the time had gone by.
        try await jail.age(fresh: -1, end: 60)
        _ = try await jail.ask()
        #expect(jail.given.last == "Bearer at-second-of-them")
        let usual = try await jail.jail.way.gateway.with { state in
            state.secrets?.token(of: "key").map { ($0.end - .now()).nanoseconds / 1_000_000_000 } ?? 0
        }
        #expect((290...300).contains(usual))
        let old = try await jail.jail.way.gateway.with { state -> Denial? in
            let secrets = try #require(state.secrets)
            let token = try #require(secrets.token(of: "key"))
            secrets.set(AccessToken(value: token.value, fresh: .now(), end: .now()), of: "key")
            do throws(Denial) {
                _ = try secrets.present("key")
                return nil
            } catch { return error }
        }
        #expect(old?.status == .serviceUnavailable)
    }

    /// What an endpoint answers, and a part of what is told of it.
    private static let refusals: [([Origin.Step], String)] = [
        (
            ExchangeJail.json(#"{"error": "invalid_grant", "error_description": "at-secret"}"#, status: "400 Bad"),
            "answers 400 (invalid_grant)"
        ),
        (ExchangeJail.json(#"{"error": "at-secret"}"#, status: "500 Bad"), "answers 500"),
        ([.send("HTTP/1.1 302 Found\r\nLocation: https://a.test/\r\nContent-Length: 0\r\n\r\n")], "answers 302"),
        (
            ExchangeJail.json(#"{"access_token": "at-first-one", "token_type": "bearer"}"#, type: "text/html"),
            "does not answer with JSON"
        ),
        (ExchangeJail.json("at-secret"), "something else than JSON"),
        (ExchangeJail.json(#"{"access_token": "at-first-one"}"#), "no token of the type bearer"),
        (ExchangeJail.json(#"{"access_token": "at-first-one", "token_type": "mac"}"#), "no token of the type bearer"),
        (ExchangeJail.token(#"at-first\r\nX: y"#), "no access token that fits"),
        (ExchangeJail.token("at-"), "no access token that fits"),
        (ExchangeJail.token("at-first-of-them", ", \"expires_in\": 0"), "how long"),
        (ExchangeJail.token("at-first-of-them", ", \"expires_in\": {}"), "how long"),
        (ExchangeJail.token("at-first-of-them", ", \"refresh_token\": \"a\\nb-cdefgh\""), "cannot be kept"),
        (
            ExchangeJail.token("at-first-of-them", ", \"x\": \"" + String(repeating: "y", count: 70_000) + "\""),
            "more than 64 KiB"
        ),
        (
            [
                .send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                        + "Content-Length: 2\r\n\r\n{}")
            ], "does not answer with JSON as it is"
        ),
        ([.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), .close], "the origin's answer is not HTTP"),
    ]

    @Test(arguments: refusals.indices)
    func `what is no token is refused, and the endpoint left alone for a while`(index: Int) async throws {
        let (steps, reason) = Self.refusals[index]
        let jail = try await ExchangeJail.open([steps])
        jail.expectNone(try await jail.ask(), "502", "\(reason)")
        let second = try await jail.ask()
        jail.expectNone(second, "503", "\(reason)")
        #expect(second.contains("\r\nRetry-After: "))
        #expect(jail.endpoint.requests.count == 1)
        let told = try await jail.exchanges()
        #expect(told.map(\.verdict) == [.failed])
        #expect(told.first?.reason?.contains(reason) == true, "\(told.first?.reason ?? "-")")
        #expect(told.first?.line.contains("at-") == false)
    }

    @Test func `who refuses again and again is asked ever less often, and then as before`() async throws {
        let no = ExchangeJail.json("{}", status: "503 No")
        let jail = try await ExchangeJail.open(
            Array(repeating: no, count: 8) + [ExchangeJail.token("at-first-of-them")])
        var pauses: [Int64] = []
        for _ in 0..<8 {
            jail.expectNone(try await jail.ask(), "502")
            pauses.append(try await jail.jail.way.gateway.with { $0.tokens?.forgetPause(of: "key") ?? 0 })
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60])
        #expect(try await jail.ask().hasPrefix("HTTP/1.1 200"))
        #expect(try await jail.jail.way.gateway.with { $0.tokens?.forgetPause(of: "key") } == 0)
    }

    @Test func `a token that is still good is used while the endpoint refuses`() async throws {
        let jail = try await ExchangeJail.open([
            ExchangeJail.token("at-first-of-them"), ExchangeJail.json("{}", status: "503 No"),
        ])
        _ = try await jail.ask()
        try await jail.age(fresh: -1, end: 60)
        for _ in 0..<2 { #expect(try await jail.ask().hasPrefix("HTTP/1.1 200")) }
        #expect(jail.endpoint.requests.count == 2)
        try await jail.age(fresh: -1, end: -1)
        #expect(try await jail.ask().hasPrefix("HTTP/1.1 503"))
    }

    @Test func `an endpoint that is not who it should be hears nothing`() async throws {
        let jail = try await ExchangeJail.open([ExchangeJail.token("at-first-of-them")], proves: "a.test")
        jail.expectNone(try await jail.ask(), "502")
        #expect(jail.endpoint.requests.isEmpty)
    }

    @Test func `an address that the rules refuse is not asked`() async throws {
        let jail = try await ExchangeJail.open(
            [ExchangeJail.token("at-first-of-them")], network: "deny: [{ hosts: ['127.0.0.1'] }]")
        jail.expectNone(try await jail.ask(), "502")
        #expect(jail.endpoint.connections == 0)
    }

    @Test func `what an origin does not take is dropped, once in a while`() async throws {
        let jail = try await ExchangeJail.open(
            [1, 2, 3].map { ExchangeJail.token("at-number-\($0)-of-them") },
            api: { $0.isComplete ? ExchangeJail.json("{}", status: "401 No") : [] })
        for _ in 0..<4 { #expect(try await jail.ask().hasPrefix("HTTP/1.1 401")) }
        #expect(jail.endpoint.requests.count == 2)
        #expect(jail.given.map { $0?.contains("-1-") } == [true, false, false, false])
    }

    @Test func `an old answer drops no new token`() async throws {
        let jail = try await ExchangeJail.open([ExchangeJail.token("at-first-of-them")])
        _ = try await jail.ask()
        let isThere = try await jail.jail.way.gateway.with { state -> Bool in
            state.tokens?.refused([("key", SecretValue("at-first-of-them".utf8))])
            return state.secrets?.token(of: "key") != nil
        }
        #expect(isThere)
    }

    @Test func `another refresh token is used from then on, and told to the supervisor`() async throws {
        let jail = try await ExchangeJail.open([
            ExchangeJail.token("at-first-of-them", ", \"refresh_token\": \"\(ExchangeJail.other)\""),
            ExchangeJail.token("at-second-of-them", ", \"refresh_token\": \"\(ExchangeJail.other)\""),
        ])
        _ = try await jail.ask()
        try await jail.age(fresh: -1, end: -1)
        _ = try await jail.ask()
        let sent = jail.endpoint.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(sent[0].contains(ExchangeJail.refresh) && sent[1].contains(ExchangeJail.other))
        #expect(try await jail.jail.way.gateway.renewed() == ["key \(ExchangeJail.other)"])
        let values = try await jail.jail.way.gateway.with { $0.secrets?.values.count }
        #expect(values == 4, "both refresh tokens and both access tokens")
    }

    @Test func `another value, or none, ends what came of the one before`() async throws {
        let jail = try await ExchangeJail.open([
            ExchangeJail.token("at-first-of-them"), ExchangeJail.token("at-second-of-them"),
        ])
        _ = try await jail.ask()
        try await jail.jail.give(ExchangeJail.other, grace: 60_000)
        #expect(try await jail.jail.way.gateway.with { $0.secrets?.token(of: "key") == nil })
        _ = try await jail.ask()
        #expect(jail.given.last == "Bearer at-second-of-them")
        let placeholder = try #require(SecretPlaceholder(text: SecretJail.placeholder))
        let isGone = try await jail.jail.way.gateway.with { state in
            _ = state.secrets?.revoke("key", placeholder, now: .now())
            return state.secrets?.token(of: "key") == nil
        }
        #expect(isGone)
        #expect(try await jail.ask().hasPrefix("HTTP/1.1 403"))
    }

    @Test func `what was asked for with a value that is replaced meanwhile is not kept`() async throws {
        let jail = try await ExchangeJail.open([
            [.later(ExchangeJail.token("at-first-of-them"), .milliseconds(300))],
            ExchangeJail.token("at-second-of-them"),
        ])
        async let answer = jail.ask()
        #expect(await eventually { jail.endpoint.requests.contains(where: \.isComplete) })
        try await jail.jail.give(ExchangeJail.other, grace: 60_000)
        #expect(try await answer.hasPrefix("HTTP/1.1 200"))
        #expect(jail.given == ["Bearer at-second-of-them"])
        #expect(String(decoding: jail.endpoint.requests[1].body, as: UTF8.self).contains(ExchangeJail.other))
    }

    @Test func `the placeholder is as misplaced elsewhere as any`() async throws {
        let jail = try await ExchangeJail.open([ExchangeJail.token("at-first-of-them")])
        try await jail.jail.expectMisuse(try await jail.jail.ask("GET", "/?a=\(SecretJail.placeholder)"))
        #expect(jail.endpoint.requests.isEmpty)
    }

    @Test func `a WebSocket waits for it as well`() async throws {
        let jail = try await ExchangeJail.open(
            [ExchangeJail.token("at-first-of-them")], rule: "websocket: true",
            kind: .raw { bytes in
                bytes.suffix(4) == Array("\r\n\r\n".utf8)
                    ? [.send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")] : []
            })
        let fields =
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: \(WebSocketTests.key)\r\n" + jail.field
        let answer = try await jail.jail.ask(jail.jail.way.text("GET", "/", fields))
        #expect(answer.hasPrefix("HTTP/1.1 502"))
        #expect(jail.jail.way.origin.raw.contains("Authorization: Bearer at-first-of-them\r\n"))
        #expect(try await jail.jail.way.gateway.with { $0.secrets?.token(of: "key") == nil })
    }
}

extension ExchangeJail {
    /// Seconds from now on.
    fileprivate func age(fresh: Int64, end: Int64) async throws {
        try await jail.way.gateway.with { state in
            let secrets = try #require(state.secrets)
            let token = try #require(secrets.token(of: "key"))
            let now = NIODeadline.now()
            secrets.set(
                AccessToken(value: token.value, fresh: now + .seconds(fresh), end: now + .seconds(end)), of: "key")
        }
    }
}
