import AnswerSupport
import FoundationEssentials
import NIOCore
import Synchronization
import Testing

@testable import EgressGateway

private let value = SecretWorld.value
private let bytes = Array("{\"you\":\"\(value)\"}".utf8)
private let base64 = Data("u:\(value)".utf8).base64EncodedString()
private let urlSafe = base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
private let digits: [String] = value.utf8.map { String($0, radix: 16) }

/// What an origin may send back to a request that carried the secret as it should.
enum AnswerCases {
    static let all: [SecretCase] = bodies + coded + heads + refused + broken + overHTTP2 + sockets

    /// - Parameter steps: once the request is complete.
    private static func answer(_ name: String, _ told: SecretCase.Told, _ steps: [Origin.Step]) -> SecretCase {
        SecretCase(
            "answer: \(name)", told, host: .http1(.http { $0.isComplete ? steps : [] }), isUsed: true
        ) { try await $0.ask("GET", "/", SecretWorld.bearer) }
    }

    private static func body(_ name: String, _ text: String) -> SecretCase {
        answer(name, .returned, [.send("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")])
    }

    private static func chunks(_ parts: [String]) -> [Origin.Step] {
        [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
            + parts.enumerated().map { index, part in
                .later([.send("\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n")], .milliseconds(Int64(index)))
            } + [.later([.send("0\r\n\r\n")], .milliseconds(Int64(parts.count + 5)))]
    }

    private static let bodies: [SecretCase] = [
        body("plain", "<\(value)>"), body("nothing but it", value),
        body("many times", String(repeating: value, count: 50)),
        body("base64 of the credentials", base64), body("base64url without padding", urlSafe),
        body("percent-encoded", digits.map { "%\($0)" }.joined()),
        body("percent-encoded where it has to be", "a=\(value.replacing("-", with: "%2D"))"),
        body("hexadecimal", digits.joined()), body("hexadecimal, in capitals", digits.joined().uppercased()),
        body("escapes of JSON", "\"" + digits.map { "\\u00\($0)" }.joined() + "\""),
        body("entities of HTML", digits.map { "&#x\($0);" }.joined()),
        body("a page of errors with the request in it", "<pre>GET / HTTP/1.1\nAuthorization: Bearer \(value)\n</pre>"),
        answer("in chunks", .returned, chunks(["<sk-real-", "4f9c2e7a1b8d6053-NEV", "ER-INSIDE>"])),
        answer("in chunks of one byte", .returned, chunks(value.map { String($0) })),
        answer("to the end of the connection", .returned, [.send("HTTP/1.1 200 OK\r\n\r\n<\(value)>"), .close]),
        answer(
            "an event of a stream", .returned,
            [.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: \(value)\n\n"), .close]),
        answer(
            "the page of a refusal", .returned,
            [.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 43\r\n\r\nbad: '\(value)")]),
    ]

    private static func coded(_ name: String, _ coding: String, _ body: [UInt8], _ told: SecretCase.Told) -> SecretCase
    {
        answer(
            name, told,
            [
                .send("HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n\r\n"),
                .bytes(body),
            ])
    }

    private static let coded: [SecretCase] = [
        coded("gzip", "gzip", Coder.gzip(bytes), .returned), coded("x-gzip", "x-gzip", Coder.gzip(bytes), .returned),
        coded(
            "gzip of several members", "gzip",
            Coder.gzip(Array(value.utf8.prefix(9))) + Coder.gzip(Array(value.utf8.dropFirst(9))), .returned),
        coded("deflate", "deflate", Coder.zlib(bytes), .returned),
        coded("deflate without a frame", "deflate", Coder.rawDeflate(bytes), .returned),
        coded("brotli", "br", Coder.brotli(bytes), .returned),
        coded("two codings", "gzip, br", Coder.brotli(Coder.gzip(bytes)), .refused),
        coded("one coding twice", "gzip, gzip", Coder.gzip(Coder.gzip(bytes)), .refused),
        coded("a coding that nobody knows", "zstd", bytes, .refused),
        coded("a coding that it does not have", "gzip", bytes, .refused),
        coded("something behind its end", "gzip", Coder.gzip(bytes) + bytes, .refused),
        coded("identity, said", "identity", bytes, .returned),
        answer(
            "two lines of codings", .refused,
            [.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok")]),
    ]

    private static func head(_ name: String, _ status: String, _ fields: String, _ told: SecretCase.Told = .returned)
        -> SecretCase
    { answer(name, told, [.send("HTTP/1.1 \(status)\r\n\(fields)Content-Length: 2\r\n\r\nok")]) }

    private static let heads: [SecretCase] = [
        head("a field", "200 OK", "X-Echo: \(value)\r\n"), head("a field's name", "200 OK", "X-\(value): a\r\n"),
        head("a cookie", "200 OK", "Set-Cookie: t=\(value); Path=/\r\n"),
        head("where it sends the client", "302 Found", "Location: https://b.test/?t=\(value)\r\n"),
        head("what it challenges with", "401 Unauthorized", "WWW-Authenticate: Bearer realm=\"\(value)\"\r\n"),
        head("base64 in a field", "200 OK", "X-Echo: \(base64)\r\n"),
        head("the reason of a status that has none, which is not passed on", "299 \(value)", "", .nothing),
        head("the reason of a status that has one", "200 \(value)", "", .nothing),
        answer(
            "trailers", .returned,
            [
                .send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: \(value)\r\n\r\n")
            ]),
        answer(
            "an early hint", .nothing,
            [
                .send("HTTP/1.1 103 Early Hints\r\nLink: </\(value)>; rel=preload\r\n\r\n"),
                .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            ]),
        head("304 with a field", "304 Not Modified", "ETag: \"\(value)\"\r\n"),
    ]

    private static let refused: [SecretCase] = [
        head("206, which nobody asked for", "206 Partial Content", "Content-Range: bytes 0-1/9\r\n", .refused),
        head("226", "226 IM Used", "IM: feed\r\n", .refused),
        head("parts", "200 OK", "Content-Type: multipart/byteranges; boundary=b\r\n", .refused),
        head("101, which nobody asked for", "101 Switching Protocols", "Upgrade: x\r\nX-Echo: \(value)\r\n", .refused),
        head("two lengths", "200 OK", "Content-Length: 37\r\n", .refused),
        answer(
            "a transfer coding", .refused,
            [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]),
        answer("what is no HTTP", .refused, [.send("\(value)\r\n\r\n"), .close]),
    ]

    private static let broken: [SecretCase] = [
        answer(
            "closed in the middle of it", .refused,
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<\(value.prefix(30))"), .close]),
        answer(
            "reset in the middle of it", .refused,
            [
                .send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<\(value.prefix(30))"),
                .later([.reset], .milliseconds(20)),
            ]),
        answer(
            "closed in the middle of a chunk", .refused,
            [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\n<\(value.prefix(30))"), .close]),
        coded("gzip that breaks off", "gzip", Array(Coder.gzip(bytes).dropLast(6)), .refused),
        answer("nothing at all", .refused, [.close]),
    ]

    // MARK: HTTP/2

    private static func stream(_ name: String, _ told: SecretCase.Told, _ host: SecretCase.Host) -> SecretCase {
        SecretCase("answer over HTTP/2: \(name)", told, host: host, isUsed: nil) {
            try await $0.stream([("authorization", "Bearer \(SecretWorld.token)")])
        }
    }

    private static let overHTTP2: [SecretCase] = [
        stream("body", .returned, .http2(.init(body: "<\(value)>"))),
        stream("field", .returned, .http2(.init(fields: [("x-echo", value)]))),
        stream("trailers", .returned, .http2(.init(trailers: [("x-t", value)]))),
        stream(
            "a coding that nobody knows", .refused, .http2(.init(fields: [("content-encoding", "zstd")], body: value))),
        stream("pushed, which it was told not to", .refused, .raw(PushingOrigin.script())),
        stream(
            "from an origin of HTTP/1.1", .returned,
            .http1(
                .http {
                    $0.isComplete ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n\(value)")] : []
                })),
    ]

    // MARK: WebSockets

    private typealias Messages = `Messages of WebSockets`

    private static let open =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: \(WebSocketTests.accept)\r\n"

    /// - Parameter frames: the origin's, right after its answer.
    private static func origin(_ fields: String = "", _ frames: [UInt8] = []) -> SecretCase.Host {
        .http1(
            .raw { bytes in
                bytes.suffix(4) == Array("\r\n\r\n".utf8) ? [.bytes(Array("\(open)\(fields)\r\n".utf8) + frames)] : []
            })
    }

    private static func socket(_ name: String, _ frames: [[UInt8]], _ end: String) -> SecretCase {
        SecretCase("WebSocket: \(name)", .returned, host: origin("", frames.flatMap(\.self)), isUsed: true) {
            try await $0.socket(until: end)
        }
    }

    /// A frame of the client's.
    private static func masked(_ opcode: UInt8, _ text: String, isLast: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [7, 77, 177, 200]
        let payload = text.utf8.enumerated().map { $1 ^ mask[$0 & 3] }
        return [(isLast ? 0x80 : 0) | opcode, 0x80 | UInt8(payload.count)] + mask + payload
    }

    private static func said(_ name: String, _ frames: [UInt8]) -> SecretCase {
        SecretCase("WebSocket: the placeholder \(name)", .misuse, host: origin(), isUsed: true) { world in
            try await world.socket(frames)
        }
    }

    private static let sockets: [SecretCase] = [
        socket("a message", [Messages.frame(1, "<\(value)>")], "*>"),
        socket("a binary message", [Messages.frame(2, "<\(value)>")], "*>"),
        socket(
            "a message in frames",
            [
                Messages.frame(1, "<\(value.prefix(20))", isLast: false), Messages.frame(9, "?"),
                Messages.frame(0, "\(value.dropFirst(20))>"),
            ], "*>"),
        socket("base64 in a message", [Messages.frame(1, "<\(base64)>")], "*"),
        socket("a ping", [Messages.frame(9, "<\(value)>")], "*>"),
        socket("the reason of its end", [Messages.frame(8, "\u{3}\u{20}<\(value)>")], "*>"),
        SecretCase(
            "WebSocket: a field of the handshake's answer", .returned, host: origin("Set-Cookie: t=\(value)\r\n"),
            isUsed: true
        ) {
            try await $0.socket(until: "\r\n\r\n")
        },
        SecretCase(
            "WebSocket: an extension that nobody offered", .refused,
            host: origin("Sec-WebSocket-Extensions: permessage-deflate\r\n"), isUsed: true
        ) {
            try await $0.socket(until: "}")
        },
        SecretCase(
            "WebSocket: a handshake that is refused with it", .refused,
            host: .http1(
                .http {
                    $0.isComplete ? [.send("HTTP/1.1 400 \(value)\r\nContent-Length: 37\r\n\r\n\(value)")] : []
                }), isUsed: true
        ) { try await $0.socket(until: "}") },
        said("in a message", masked(1, SecretWorld.token)), said("in a ping", masked(9, SecretWorld.token)),
        said(
            "over frames",
            masked(1, String(SecretWorld.token.prefix(9)), isLast: false)
                + masked(0, String(SecretWorld.token.dropFirst(9)))),
        said("in base64", masked(2, Data("xy\(SecretWorld.token)".utf8).base64EncodedString())),
        said("as the reason of its end", masked(8, "\u{3}\u{20}\(SecretWorld.token)")),
        SecretCase("WebSocket: the placeholder as a protocol", .misuse, host: origin()) {
            try await $0.socket([], "Sec-WebSocket-Protocol: \(SecretWorld.token)\r\n", until: "}")
        },
    ]
}

/// An origin of HTTP/2 that pushes an answer with the secret in it, before the one that it was asked for.
private enum PushingOrigin {
    static func script() -> @Sendable ([UInt8]) -> [Origin.Step] {
        let hasAnswered = Flag()
        return { bytes in
            guard bytes.count > 24 + 9, hasHead(bytes), hasAnswered.set() else { return [] }
            return [.bytes(frames)]
        }
    }

    private final class Flag: Sendable {
        private let value = Mutex(false)
        func set() -> Bool {
            value.withLock { isSet in
                defer { isSet = true }
                return !isSet
            }
        }
    }

    /// Of a request, among the frames behind the preface of 24 bytes.
    private static func hasHead(_ bytes: [UInt8]) -> Bool {
        var rest = bytes.dropFirst(24)
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            if head[3] == 1 { return true }
            rest = rest.dropFirst(9 + (Int(head[0]) << 16) + (Int(head[1]) << 8) + Int(head[2]))
        }
        return false
    }

    private static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), kind, flags, 0, 0, 0, stream] + payload
    }

    /// RFC 7541, 6.2.2: a field that is written out.
    private static func field(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }

    private static let frames: [UInt8] = {
        let promised: [UInt8] = [0, 0, 0, 2, 0x82, 0x87, 0x84] + field(":authority", "a.test")
        return frame(4, 0, 0, []) + frame(4, 1, 0, []) + frame(5, 4, 1, promised)
            + frame(1, 4, 2, [0x88] + field("x-echo", SecretWorld.value))
            + frame(0, 1, 2, Array(SecretWorld.value.utf8))
            + frame(1, 4, 1, [0x88]) + frame(0, 1, 1, Array("ok".utf8))
    }()
}
