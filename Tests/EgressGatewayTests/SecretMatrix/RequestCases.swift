import FoundationEssentials
import Testing

@testable import EgressGateway

private let token = SecretWorld.token
private let bearer = SecretWorld.bearer
private let half = String(token.prefix(12))
private let rest = String(token.dropFirst(12))
private let base64 = Data("x:\(token)".utf8).base64EncodedString()
private let base64url = Data("?>\(token)".utf8).base64EncodedString().replacing("+", with: "-").replacing(
    "/", with: "_")
private let encoded: String = token.utf8.map { "%" + String($0, radix: 16) }.joined()
private let twice: String = encoded.replacing("%", with: "%25")
private let hex: String = token.utf8.map { String($0, radix: 16) }.joined()

/// Placeholders in requests of HTTP/1.1 to the bound host, anywhere but in the bound place.
enum RequestCases {
    static let all: [SecretCase] = targets + fields + bindings + bodies + streams

    private static func target(_ name: String, _ target: String) -> SecretCase {
        SecretCase("target: \(name)", .misuse) { try await $0.ask("GET", target) }
    }

    private static let targets: [SecretCase] = [
        target("a segment of the path", "/\(token)"), target("part of a segment", "/a\(token)b"),
        target("a parameter", "/?a=\(token)"), target("a parameter's name", "/?\(token)"),
        target("a parameter beside its place", "/?a=\(token)&key=\(token)"),
        target("percent-encoded", "/?a=\(encoded)"),
        target("percent-encoded in the path", "/\(encoded)"), target("percent-encoded twice", "/?k=\(twice)"),
        target("base64", "/?k=\(base64)"), target("base64url", "/?k=\(base64url)"), target("hexadecimal", "/?k=\(hex)"),
        target("upper case", "/?k=\(token.uppercased())"), target("lower case", "/?k=\(token.lowercased())"),
        SecretCase("target: a parameter, with the bearer in its place", .misuse) {
            try await $0.ask("GET", "/?a=\(token)", bearer)
        },
        SecretCase("target: a fragment, which no request has", .refused) {
            try await $0.ask("GET", "/#\(token)", bearer)
        },
        SecretCase("target: a user's password in the URL", .refused) { world in
            try await world.proxy("GET http://x:\(token)@a.test:\(world.clear.port)/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        },
    ]

    private static func field(_ name: String, _ fields: String) -> SecretCase {
        SecretCase("field: \(name)", .misuse) { try await $0.ask("GET", "/", fields) }
    }

    private static let fields: [SecretCase] = [
        field("another one", "X-Other: \(token)\r\n"), field("part of another one", "X-Other: a\(token)b\r\n"),
        field("a field's name", "\(token): x\r\n"), field("a cookie", "Cookie: a=b; c=\(token)\r\n"),
        field("Referer", "Referer: https://x/\(token)\r\n"), field("User-Agent", "User-Agent: \(token)\r\n"),
        field("another scheme", "Authorization: Basic \(base64)\r\n"),
        field("no scheme", "Authorization: \(token)\r\n"),
        field("two spaces", "Authorization: Bearer  \(token)\r\n"),
        field("something behind it", "Authorization: Bearer \(token)x\r\n"),
        field("upper case", "Authorization: Bearer \(token.uppercased())\r\n"),
        field("percent-encoded", "Authorization: Bearer \(encoded)\r\n"),
        field("hexadecimal", "X-Other: \(hex.uppercased())\r\n"),
        field("a list of credentials", "Authorization: Bearer x, Bearer \(token)\r\n"),
        field("twice", bearer + bearer), field("beside the caller's own", "\(bearer)Authorization: Bearer mine\r\n"),
        field("in its place and elsewhere", "\(bearer)X-Other: \(token)\r\n"),
        field("split over two fields", "X-A: \(half)\r\nX-B: \(rest)\r\n"),
        field("split over two lines of one", "X-A: \(half)\r\nX-A: \(rest)\r\n"),
        field("split, with another between", "X-A: \(half)\r\nX-B: between\r\nX-A: \(rest)\r\n"),
        field("for a proxy", "Proxy-Authorization: Bearer \(token)\r\n"),
        field("TE, which is dropped", "TE: \(token)\r\n"),
        field("one of the hop's, which is dropped", "Connection: X-A\r\nX-A: \(token)\r\n"),
        SecretCase("field: folded over two lines", .refused) {
            try await $0.ask("GET", "/", "Authorization: Bearer\r\n \(token)\r\n")
        },
        SecretCase("field: with a line of its own in it", .refused) {
            try await $0.ask("GET", "/", "X-A: a\r\u{0}\(token)\r\n")
        },
    ]

    private static let bindings: [SecretCase] =
        [
            SecretCase("binding: a method that is allowed and not bound", .misuse) {
                try await $0.ask("PUT", "/", "\(bearer)Content-Length: 0\r\n")
            },
            SecretCase("binding: a method that is not allowed", .misuse) { try await $0.ask("DELETE", "/", bearer) },
            SecretCase("binding: TRACE, whose answer is the request", .misuse) {
                try await $0.ask("TRACE", "/", bearer)
            },
            SecretCase("binding: another path", .misuse) { try await $0.ask("GET", "/elsewhere", bearer) },
            SecretCase("binding: a path that leads back", .refused) { try await $0.ask("GET", "/%2e%2e/x", bearer) },
            SecretCase("binding: a path with an encoded slash", .refused) { try await $0.ask("GET", "/%2f", bearer) },
        ]
        + ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].map { name in
            SecretCase("binding: a method that \(name) names", .misuse) {
                try await $0.ask("POST", "/", "\(bearer)\(name): PUT\r\nContent-Length: 0\r\n")
            }
        }

    private static let spellings = [
        ("plain", token), ("base64", base64), ("base64url", base64url), ("percent-encoded", encoded),
        ("hexadecimal", hex),
        ("in JSON", "{\"a\":\"\(token)\"}"), ("in a form", "a=b&c=\(token)"),
    ]

    private static let bodies: [SecretCase] = spellings.flatMap { name, body -> [SecretCase] in
        let length = "Content-Length: \(body.utf8.count)\r\n"
        return [
            SecretCase("body: \(name)", .misuse) { try await $0.ask("POST", "/", length, body: body) },
            SecretCase("body: \(name), with the bearer in its place", .misuse, isUsed: nil) {
                try await $0.ask("POST", "/", bearer + length, body: body)
            },
        ]
    }

    private static let chunked = "Transfer-Encoding: chunked\r\n"

    private static let streams: [SecretCase] = [
        SecretCase("body: split over chunks of one byte", .misuse) { world in
            let chunks = token.utf8.map { "1\r\n\(String(decoding: [$0], as: UTF8.self))\r\n" }.joined()
            return try await world.ask("POST", "/", chunked, body: chunks + "0\r\n\r\n")
        },
        SecretCase("body: in trailers", .misuse) {
            try await $0.ask("POST", "/", chunked, body: "1\r\nx\r\n0\r\nX-T: \(token)\r\n\r\n")
        },
        SecretCase("body: split over trailers", .misuse) {
            try await $0.ask("POST", "/", chunked, body: "0\r\nX-T: \(half)\r\nX-U: \(rest)\r\n\r\n")
        },
        SecretCase("body: the bearer in trailers, where nothing is bound", .misuse) {
            try await $0.ask("POST", "/", chunked, body: "0\r\n\(bearer)\r\n")
        },
        SecretCase("body: in a chunk's extension, which is dropped", .nothing) {
            try await $0.ask("POST", "/", chunked, body: "1;a=\(token)\r\nx\r\n0\r\n\r\n")
        },
        SecretCase("body: a length and chunks", .refused) {
            try await $0.ask("POST", "/", "\(bearer)\(chunked)Content-Length: 5\r\n", body: "0\r\n\r\n")
        },
        SecretCase("body: after 100 Continue", .misuse, isUsed: nil) {
            try await $0.ask(
                "POST", "/", "\(bearer)Expect: 100-continue\r\nContent-Length: \(token.utf8.count)\r\n", body: token)
        },
        SecretCase("a second request on the connection", .misuse, isUsed: true) { world in
            let client = try await world.client()
            let head = "GET / HTTP/1.1\r\nHost: a.test:\(world.port)\r\n"
            try await client.send("\(head)\(bearer)\r\n\(head)X-Other: \(token)\r\n\r\n")
            return try await client.receiveAll().replacing("HTTP/1.1 200", with: "first")
        },
        SecretCase("a second request without a placeholder has no secret", .nothing, isUsed: true) { world in
            let client = try await world.client()
            let head = "GET / HTTP/1.1\r\nHost: a.test:\(world.port)\r\n"
            try await client.send("\(head)\(bearer)\r\n\(head)Connection: close\r\n\r\n")
            let answer = try await client.receiveAll()
            #expect(world.heard().ranges(of: SecretWorld.value).count == 1)
            return answer
        },
    ]
}
