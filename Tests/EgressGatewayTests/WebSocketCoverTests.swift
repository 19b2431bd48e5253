import EgressGateway
import NIOCore
import SecretTraces
import TestSupport
import Testing

/// Secrets in what an origin says over a WebSocket.
@Suite struct `Messages of WebSockets` {
    private static let secret = "sk-proj-0123456789abcdef"
    private static let stars = String(repeating: "*", count: 24)

    /// One frame, as servers send them.
    static func frame(_ opcode: UInt8, _ text: String, isLast: Bool = true) -> [UInt8] {
        let bytes = Array(text.utf8)
        let size: [UInt8] =
            bytes.count < 126 ? [UInt8(bytes.count)] : [126, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)]
        return [(isLast ? 0x80 : 0) | opcode] + size + bytes
    }

    private static func cover() throws -> WebSocketCover {
        WebSocketCover(try SecretTraces([.init(name: "key", value: Array(secret.utf8))]))
    }

    /// - Returns: what goes on, with what waits dropped, and the names that were found; nil: refused.
    private static func run(_ bytes: [UInt8], pieces: Int = .max) throws -> (bytes: [UInt8], found: [String])? {
        var cover = try cover()
        var out: [UInt8] = []
        var found: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let part = cover.cover(ByteBuffer(bytes: rest.prefix(pieces))) else { return nil }
            rest = rest.dropFirst(pieces)
            out += part.readableBytesView
            found += cover.takeFound()
        }
        return (out, found)
    }

    /// Frames as they come, and as they go on.
    private static let messages: [(String, [[UInt8]], [[UInt8]])] = [
        ("text", [frame(1, "<\(secret)>")], [frame(1, "<\(stars)>")]),
        ("binary", [frame(2, secret)], [frame(2, stars)]),
        (
            "long", [frame(1, String(repeating: "x", count: 200) + secret)],
            [frame(1, String(repeating: "x", count: 200) + stars)]
        ),
        (
            "over frames",
            [frame(1, "sk-proj-", isLast: false), frame(0, "01234567", isLast: false), frame(0, "89abcdef!")],
            [frame(1, "********", isLast: false), frame(0, "********", isLast: false), frame(0, "********!")]
        ),
        (
            "over frames, with a ping between",
            [frame(1, "sk-proj-012", isLast: false), frame(9, "?"), frame(0, "3456789abcdef")],
            [frame(1, "***********", isLast: false), frame(9, "?"), frame(0, "*************")]
        ),
        (
            "empty frames", [frame(1, "", isLast: false), frame(0, secret, isLast: false), frame(0, "")],
            [frame(1, "", isLast: false), frame(0, stars, isLast: false), frame(0, "")]
        ),
        ("ping", [frame(9, "a \(secret)")], [frame(9, "a \(stars)")]),
        ("pong", [frame(10, secret)], [frame(10, stars)]),
        ("close", [frame(8, "\u{3}\u{20}no \(secret)")], [frame(8, "\u{3}\u{20}no \(stars)")]),
        ("beside other letters", [frame(1, "\u{e9}\(secret)\u{1F600}")], [frame(1, "\u{e9}\(stars)\u{1F600}")]),
        (
            "in JSON", [frame(1, "{\"t\":\"sk\\u002dproj-0123456789abcdef\"}")],
            [frame(1, "{\"t\":\"\(String(repeating: "*", count: 29))\"}")]
        ),
    ]

    @Test(arguments: messages.indices, [1, 2, 5, .max])
    func `what is a secret is covered, and frames stay as they are`(index: Int, pieces: Int) throws {
        let (name, came, expected) = Self.messages[index]
        let result = try #require(try Self.run(came.flatMap(\.self), pieces: pieces), "\(name)")
        #expect(result.bytes == expected.flatMap(\.self), "\(name)")
        #expect(result.found == ["key"], "\(name)")
        #expect(WebSocketFramesTests.accepts(result.bytes, fromClient: false))
    }

    @Test func `nothing waits that is no beginning of one, and a message's end ends it`() throws {
        var cover = try Self.cover()
        #expect(cover.cover(ByteBuffer(bytes: Self.frame(1, "hello", isLast: false)))?.readableBytes == 7)
        // The header of the frame goes on, and what may be a secret does not.
        #expect(cover.cover(ByteBuffer(bytes: Self.frame(0, "a sk-proj", isLast: false)))?.readableBytes == 4)
        #expect(cover.cover(ByteBuffer(bytes: Self.frame(0, "")))?.readableBytes == 9)
        // Not joined to what came before.
        #expect(cover.cover(ByteBuffer(bytes: Self.frame(1, "-0123456789abcdef")))?.readableBytes == 19)
        #expect(cover.takeFound().isEmpty)
    }

    @Test func `no frame overtakes another, and so many may not wait`() throws {
        var cover = try Self.cover()
        _ = cover.cover(ByteBuffer(bytes: Self.frame(1, "sk-proj", isLast: false)))
        var rounds = 0
        while rounds < 100_000, let part = cover.cover(ByteBuffer(bytes: Self.frame(0, "", isLast: false))) {
            guard part.readableBytes == 0 else { break }
            rounds += 1
        }
        #expect(rounds == WebSocketCover.mostWaiting / 2)
    }

    @Test(arguments: [[0xC1, 0x00], [0x81, 0x80], [0x83, 0x00], [0x80, 0x00], [0x09, 0x00], [0x88, 0x01]])
    func `what is no frame is refused`(bytes: [UInt8]) throws {
        #expect(try Self.run(bytes) == nil)
    }

    @Test func `random messages in random frames and pieces come out covered, and otherwise as they were`() throws {
        var generator = Seeded(8)
        for round in 0..<300 {
            var came: [UInt8] = []
            var expected: [UInt8] = []
            for _ in 0..<3 {
                let text = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                    String(
                        Self.secret.prefix(
                            Bool.random(using: &generator) ? 24 : Int.random(in: 0...10, using: &generator)))
                }.joined()
                let covered = text.replacing(Self.secret, with: Self.stars)
                var sizes: [Int] = []
                repeat { sizes.append(Int.random(in: 0...20, using: &generator)) } while sizes.reduce(0, +) < text.count
                came += Self.message(text, sizes)
                expected += Self.message(covered, sizes)
            }
            let result = try Self.run(came, pieces: Int.random(in: 1...40, using: &generator))
            #expect(result?.bytes == expected, "\(round)")
        }
    }

    /// - Parameter sizes: of its frames; the last one has what is left.
    private static func message(_ text: String, _ sizes: [Int]) -> [UInt8] {
        var rest = text[...]
        return sizes.indices.flatMap { index -> [UInt8] in
            let part = rest.prefix(sizes[index])
            rest = rest.dropFirst(part.count)
            return frame(index == 0 ? 2 : 0, String(part), isLast: index == sizes.count - 1)
        }
    }
}
