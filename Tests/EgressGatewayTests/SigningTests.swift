import Crypto
import EgressControl
import JailCore
import JailPolicy
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import EgressGateway

/// One jail whose requests to a.test are signed, and an origin over TLS that keeps what it is told.
struct SigningJail {
    static let id = "AKIAIOSFODNN7EXAMPLE"
    static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    static let insideID = "AKIAZK3MQ9XT7BW1CV5N"
    static let insideSecret = "Zk3mQ9xT7bW1cV5nR8yL2pD4hF6jZk3mQ9xT7bW1"
    static let scope = SigningScope(service: "s3", region: "eu-1")
    let jail: SecretJail

    static func open(
        _ value: String = "\(id):\(secret)", service: String = "s3", kind: Origin.Kind = .http(Origin.ok)
    ) async throws -> SigningJail {
        let jail = try await SecretJail.open(
            "inject: { sigv4: { service: '\(service)', region: 'eu-1' } }", value: nil, kind: kind)
        let made = SigningJail(jail: jail)
        try await made.give(value)
        return made
    }

    func give(_ value: String, placeholder: String = "\(insideID)/\(insideSecret)") async throws {
        let placeholder = try #require(SecretPlaceholder(text: placeholder))
        try await jail.way.gateway.give(
            SecretGrant(name: "key", placeholder: placeholder, value: SecretValue(value.utf8)))
    }

    /// `X-Amz-Date` and `Authorization`, as a client inside makes them.
    static func fields(
        id: String = insideID, service: String = "s3", region: String = "eu-1", signed: String = "host;x-amz-date",
        seconds: Int64 = 0
    ) -> String {
        let time = UTCTime.compact(System.realtimeSeconds() + seconds)
        return "X-Amz-Date: \(time)\r\nAuthorization: AWS4-HMAC-SHA256 "
            + "Credential=\(id)/\(time.prefix(8))/\(region)/\(service)/aws4_request, SignedHeaders=\(signed), "
            + "Signature=\(SigningText.emptyDigest)\r\n"
    }

    /// The query of an address that a client inside has signed.
    static func query(lifetime: Int = 60, seconds: Int64 = 0, more: String = "") -> String {
        let time = UTCTime.compact(System.realtimeSeconds() + seconds)
        return "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(insideID)%2F\(time.prefix(8))%2Feu-1%2Fs3"
            + "%2Faws4_request&X-Amz-Date=\(time)&X-Amz-Expires=\(lifetime)&X-Amz-SignedHeaders=host\(more)"
            + "&X-Amz-Signature=\(SigningText.emptyDigest)"
    }

    /// As the service makes sure of it, out of what it was sent.
    static func expected(
        _ request: Origin.Received, path: String, query: String = "", signed: [String], payload: String,
        service: String = "s3", time: String
    ) -> String {
        let fields = signed.map { "\($0):\(request[$0] ?? "")\n" }.joined()
        let whole =
            "\(request.method)\n\(path)\n\(query)\n\(fields)\n\(signed.joined(separator: ";"))\n\(payload)"
        let scope = SigningScope(service: service, region: "eu-1")
        return SigningText.signature(
            SigningText.textToSign(whole, time: time, scope), secret: secret.utf8, time: time, scope)
    }
}

@Suite(.timeLimit(.minutes(3))) struct `Requests that are signed` {
    private let token = String(repeating: "tok/en+=", count: 4)

    @Test func `are signed anew, with the key that nobody inside has`() async throws {
        let jail = try await SigningJail.open()
        let fields =
            SigningJail.fields(signed: "host;range;x-amz-content-sha256;x-amz-date")
            + "X-Amz-Content-Sha256: \(SigningText.emptyDigest)\r\nRange: bytes=0-9\r\nX-Other: y\r\n"
        #expect(try await jail.jail.ask("GET", "/a%20b//c?list-type=2&b=%2f", fields).hasPrefix("HTTP/1.1 200"))
        let request = jail.jail.way.origin.requests[0]
        let time = try #require(request["X-Amz-Date"])
        let signed = ["host", "range", "x-amz-content-sha256", "x-amz-date"]
        let signature = SigningJail.expected(
            request, path: "/a%20b//c", query: "b=%2F&list-type=2", signed: signed, payload: SigningText.emptyDigest,
            time: time)
        #expect(
            request["Authorization"]
                == "AWS4-HMAC-SHA256 Credential=\(SigningJail.id)/\(time.prefix(8))/eu-1/s3/aws4_request, "
                + "SignedHeaders=\(signed.joined(separator: ";")), Signature=\(signature)")
        #expect(request.headers["Authorization"].count == 1 && request["Range"] == "bytes=0-9")
        let events = try await jail.jail.way.gateway.events()
        #expect(events.map(\.secret) == ["key"] && events[0].verdict == .allowed)
        #expect(!jail.jail.heard.contains(SigningJail.insideID) && !jail.jail.heard.contains(SigningJail.secret))
    }

    @Test func `are read to their end, where nothing says the digest of the body`() async throws {
        let jail = try await SigningJail.open(service: "service")
        let body = "Action=GetCallerIdentity"
        let digest = SigningText.hex(SHA256.hash(data: Array(body.utf8)))
        let fields = SigningJail.fields(service: "service") + "Content-Type: text/plain\r\n"
        let signed = ["content-type", "host", "x-amz-date"]
        for (fields, body) in [
            (fields + "Content-Length: \(body.utf8.count)\r\n", body),
            (fields + "Transfer-Encoding: chunked\r\n", body.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"),
        ] {
            #expect(try await jail.jail.ask("POST", "/a%20b//", fields, body: body).hasPrefix("HTTP/1.1 200"))
            let request = try #require(jail.jail.way.origin.requests.last)
            let time = try #require(request["X-Amz-Date"])
            let signature = SigningJail.expected(
                request, path: "/a%2520b/", signed: signed, payload: digest, service: "service", time: time)
            #expect(request["Authorization"]?.hasSuffix("Signature=\(signature)") == true)
            #expect(String(decoding: request.body, as: UTF8.self) == "Action=GetCallerIdentity")
        }
        #expect(try await jail.jail.way.gateway.with { $0.secrets?.bodies.held } == 0)
    }

    @Test func `a body that is told, or not covered, goes on as it comes`() async throws {
        let jail = try await SigningJail.open()
        for payload in [SigningText.unsignedPayload, SigningText.unsignedChunks, String(repeating: "a", count: 64)] {
            let fields =
                SigningJail.fields() + "X-Amz-Content-Sha256: \(payload)\r\nContent-Length: 2\r\n"
            #expect(try await jail.jail.ask("PUT", "/k", fields, body: "hi").hasPrefix("HTTP/1.1 200"))
            let request = try #require(jail.jail.way.origin.requests.last)
            let signature = SigningJail.expected(
                request, path: "/k", signed: ["host", "x-amz-content-sha256", "x-amz-date"], payload: payload,
                time: try #require(request["X-Amz-Date"]))
            #expect(request["Authorization"]?.hasSuffix("Signature=\(signature)") == true)
        }
    }

    @Test func `what may be held of bodies has an end`() {
        let bodies = HeldBodies()
        #expect(bodies.hold(HeldBodies.most) && !bodies.hold(1))
        #expect(HeldBody(bodies).take(ByteBuffer(string: "x"))?.reason.contains("to read and sign them") == true)
        bodies.letGo(1)
        #expect(bodies.hold(1))
    }

    @Test func `a temporary key brings its token`() async throws {
        let jail = try await SigningJail.open("\(SigningJail.id):\(SigningJail.secret):\(token)")
        #expect(try await jail.jail.ask("GET", "/", SigningJail.fields()).hasPrefix("HTTP/1.1 200"))
        let request = jail.jail.way.origin.requests[0]
        #expect(request["X-Amz-Security-Token"] == token)
        let signature = SigningJail.expected(
            request, path: "/", signed: ["host", "x-amz-date", "x-amz-security-token"],
            payload: SigningText.emptyDigest, time: try #require(request["X-Amz-Date"]))
        #expect(request["Authorization"]?.hasSuffix("Signature=\(signature)") == true)
        let query = SigningJail.query()
        #expect(try await jail.jail.ask("GET", "/a?\(query)").hasPrefix("HTTP/1.1 200"))
        let encoded = SigningText.encoded(token.utf8)
        #expect(jail.jail.way.origin.requests[1].target.contains("&X-Amz-Security-Token=\(encoded)&X-Amz-Signature="))
    }

    @Test func `an address that is signed is signed for now, and for minutes`() async throws {
        let jail = try await SigningJail.open()
        let query = SigningJail.query(lifetime: 604_800, seconds: -3600)
        #expect(try await jail.jail.ask("GET", "/a%20b?x=1&\(query)").hasPrefix("HTTP/1.1 200"))
        let request = jail.jail.way.origin.requests[0]
        let parts = request.target.split(separator: "&X-Amz-Signature=")
        let time = try #require(request.target.split(separator: "X-Amz-Date=").last?.prefix(16))
        let expected =
            "/a%20b?x=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(SigningJail.id)%2F\(time.prefix(8))%2Feu-1"
            + "%2Fs3%2Faws4_request&X-Amz-Date=\(time)&X-Amz-Expires=300&X-Amz-SignedHeaders=host"
        #expect(parts[0] == expected)
        let canonical = "X-Amz-" + expected.split(separator: "&X-Amz-", maxSplits: 1)[1] + "&x=1"
        let signature = SigningJail.expected(
            request, path: "/a%20b", query: canonical, signed: ["host"], payload: SigningText.unsignedPayload,
            time: String(time))
        #expect(parts[1] == signature)
        #expect(!jail.jail.heard.contains(SigningJail.insideID))
        try await #expect(
            jail.jail.way.gateway.events().allSatisfy { !$0.line.contains(SigningJail.insideID) })
    }

    // MARK: Refusals

    /// A request, and what its denial says.
    struct Refused: Sendable {
        var target = "/"
        var fields: String
        var body = ""
        var reason: String
        var isMisuse = false
    }

    private static let both = SigningJail.fields()
    private static let id = SigningJail.insideID
    private static let misplaced = "where that is not bound to"

    private static let refused: [Refused] = [
        Refused(fields: SigningJail.fields(region: "eu-2"), reason: "is for s3 in eu-2", isMisuse: true),
        Refused(fields: SigningJail.fields(service: "sts"), reason: "is for sts in eu-1", isMisuse: true),
        Refused(fields: SigningJail.fields(seconds: -1000), reason: "was made too long ago"),
        Refused(fields: SigningJail.fields(seconds: 1000), reason: "is of a time to come"),
        Refused(target: "/?\(SigningJail.query(seconds: -61))", fields: "", reason: "was made too long ago"),
        Refused(target: "/?\(SigningJail.query())", fields: both, reason: "is both in a field and in the query"),
        Refused(fields: both + "X-Amz-Date: 20260101T000000Z\r\n", reason: "no X-Amz-Date, or more than one"),
        Refused(
            fields: both.replacing("X-Amz-Date:", with: "Date:"), reason: "no X-Amz-Date, or more than one"),
        Refused(
            fields: both.replacing("/eu-1/", with: "/eu-1/x/"), reason: "has a scope that is none"),
        Refused(fields: both.replacing("\(id)/20", with: "\(id)/10"), reason: "or another day than X-Amz-Date"),
        Refused(fields: both + "X-Amz-Security-Token: mine\r\n", reason: "has a session token"),
        Refused(
            target: "/?\(SigningJail.query(more: "&X-Amz-Security-Token=mine"))", fields: "",
            reason: "has a session token"),
        Refused(
            fields: both + "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n",
            reason: "chunks are not signed anew"),
        Refused(fields: both + "X-Amz-Content-Sha256: x\r\n", reason: "that is not known here"),
        Refused(
            fields: both + "X-Amz-Content-Sha256: x\r\nX-Amz-Content-Sha256: x\r\n", reason: "has more than one"),
        Refused(target: "/?a=b+c", fields: both, reason: "has a '+' in the query"),
        Refused(fields: both + "Connection: Authorization\r\n", reason: misplaced, isMisuse: true),
        // Not understood at all, and so the key id is somewhere.
        Refused(
            fields: both.replacing("AWS4-HMAC-SHA256", with: "AWS4-ECDSA-P256-SHA256"), reason: misplaced,
            isMisuse: true),
        Refused(fields: both.replacing("Signature=e", with: "Signature=X"), reason: misplaced, isMisuse: true),
        Refused(fields: both.replacing("Signature=", with: "A=b, Signature="), reason: misplaced, isMisuse: true),
        Refused(fields: both + both, reason: misplaced, isMisuse: true),
        Refused(fields: both + "X-Other: \(id)\r\n", reason: misplaced, isMisuse: true),
        Refused(target: "/?a=\(id)&\(SigningJail.query())", fields: "", reason: misplaced, isMisuse: true),
        Refused(target: "/\(id)", fields: both, reason: misplaced, isMisuse: true),
        Refused(fields: "Authorization: Bearer \(id)\r\n", reason: misplaced, isMisuse: true),
        Refused(
            fields: both + "X-Other: \(SigningJail.insideSecret)\r\n", reason: misplaced, isMisuse: true),
    ]

    @Test(arguments: refused.indices)
    func `what is not understood, or for something else, is refused`(index: Int) async throws {
        let refused = Self.refused[index]
        let jail = try await SigningJail.open()
        let answer = try await jail.jail.ask("GET", refused.target, refused.fields)
        #expect(answer.hasPrefix("HTTP/1.1 403") && answer.contains(refused.reason), "\(refused)\n\(answer)")
        #expect(answer.contains("secret-misuse") == refused.isMisuse)
        #expect(jail.jail.way.origin.requests.isEmpty)
        let events = try await jail.jail.way.gateway.events()
        #expect(events.contains { $0.verdict == .denied && ($0.secret == "key") == refused.isMisuse })
        #expect(events.allSatisfy { !$0.line.contains(Self.id) && !$0.line.contains(SigningJail.insideSecret) })
    }

    @Test func `signatures with the caller's own key are left alone`() async throws {
        let jail = try await SigningJail.open()
        let fields = SigningJail.fields(id: "AKIAOTHER7EXAMPLE123", region: "eu-9")
        #expect(try await jail.jail.ask("GET", "/", fields).hasPrefix("HTTP/1.1 200"))
        let own = try #require(jail.jail.way.origin.requests[0]["Authorization"])
        #expect(fields.contains("Authorization: \(own)\r\n"))
    }

    // MARK: Answers

    @Test func `answers show the id of the key, and neither its secret nor its token`() async throws {
        let echo = "\(SigningJail.id) \(SigningJail.secret) \(token)"
        let jail = try await SigningJail.open(
            "\(SigningJail.id):\(SigningJail.secret):\(token)",
            kind: .http { request in
                request.isComplete
                    ? [.send("HTTP/1.1 206 Partial Content\r\nContent-Length: \(echo.utf8.count)\r\n\r\n\(echo)")] : []
            })
        let answer = try await jail.jail.ask("GET", "/", SigningJail.fields() + "Range: bytes=0-9\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 206") && answer.contains(SigningJail.id))
        #expect(!answer.contains(SigningJail.secret) && !answer.contains(token))
        #expect(jail.jail.way.origin.requests[0]["Range"] == "bytes=0-9")
    }

    @Test func `objects that are compressed arrive as they are`() async throws {
        let jail = try await SigningJail.open(
            kind: .http { request in
                request.isComplete
                    ? [.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")] : []
            })
        let answer = try await jail.jail.ask("GET", "/", SigningJail.fields())
        #expect(answer.contains("Content-Encoding: gzip") && answer.hasSuffix("\r\n\r\nabcd"))
    }

    @Test func `what is no access key is not taken`() async throws {
        let jail = try await SigningJail.open()
        let pair = "\(SigningJail.insideID)/\(SigningJail.insideSecret)"
        await #expect(throws: (any Error).self) { try await jail.give("no-access-key-at-all", placeholder: pair) }
        let single = try await SecretJail.open(
            "inject: { sigv4: { service: 's3', region: 'eu-1' } }", value: nil)
        await #expect(throws: (any Error).self) { try await single.give("\(SigningJail.id):\(SigningJail.secret)") }
        let bearer = try await SecretJail.open("inject: 'bearer'", value: nil)
        await #expect(throws: (any Error).self) {
            try await SigningJail(jail: bearer).give("\(SigningJail.id):\(SigningJail.secret)")
        }
    }
}
