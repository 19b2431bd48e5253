import FoundationEssentials
import JailPolicy
import TestSupport
import Testing

@testable import EgressGateway

struct `Placeholders in streams` {
    private static let texts = [
        "sk-ant-api03-Zk3mQ9xT7bW1cV5nR8yL2pD4", "ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5",
        "123456789:Qw3rT5yU7iO9pA1sD3fG5hJ7kL9zX1cV3bN",
    ]

    private static func matcher() throws -> PlaceholderMatcher {
        PlaceholderMatcher(try texts.map { try #require(SecretPlaceholder(text: $0)) })
    }

    private static func find(_ text: String) throws -> Int? {
        var scanner = PlaceholderScanner(try matcher())
        return scanner.feed(text.utf8)
    }

    /// Ways in which a text is written in requests.
    private static let encodings: [@Sendable (String, inout Seeded) -> String] = [
        { text, _ in text }, { text, _ in text.uppercased() }, { text, _ in text.lowercased() },
        { text, generator in percent(text, &generator) },
        { text, generator in percent(percent(text, &generator), &generator) },
        { text, _ in Data(text.utf8).base64EncodedString() },
        { text, _ in Data("u:\(text)".utf8).base64EncodedString() },
        { text, _ in Data("us:\(text)\n".utf8).base64EncodedString() },
        { text, _ in
            Data("x?~\(text)?~".utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        },
        { text, _ in text.utf8.map(hex).joined() },
        { text, _ in text.utf8.map(hex).joined().uppercased() },
    ]

    private static func percent(_ text: String, _ generator: inout Seeded) -> String {
        var result = ""
        for byte in text.utf8 {
            let isEncoded = Bool.random(using: &generator) || byte == 0x25
            result += isEncoded ? "%\(hex(byte))" : String(decoding: [byte], as: UTF8.self)
        }
        return result
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0\(digits)" : digits
    }

    @Test func `a placeholder is found in every usual spelling, wherever it stands and however it is split`() throws {
        var generator = Seeded(11)
        let matcher = try Self.matcher()
        for round in 0..<600 {
            let index = round % Self.texts.count
            let encoding = Self.encodings[round % Self.encodings.count]
            // Of an encoding that was begun the next character would be a part.
            let before = "\(Self.noise(&generator))&"
            let stream = Array((before + encoding(Self.texts[index], &generator) + Self.noise(&generator)).utf8)
            var scanner = PlaceholderScanner(matcher)
            var found: Int?
            var rest = stream[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...40, using: &generator))
                found = found ?? scanner.feed(part)
                rest = rest.dropFirst(part.count)
            }
            #expect(found == index, "\(String(decoding: stream, as: UTF8.self))")
        }
    }

    /// Also with beginnings of placeholders and of encodings in it.
    private static func noise(_ generator: inout Seeded) -> String {
        let pieces = ["a", "%", "%4", "sk-ant-", "ghp_aB3dE5", "&k=", "\r\n", "=", "%25", "9", "+/", "%zz"]
        return (0..<Int.random(in: 0...12, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? ""
        }
        .joined()
    }

    @Test func `what is no placeholder is not found`() throws {
        var generator = Seeded(12)
        let matcher = try Self.matcher()
        for text in Self.texts {
            for dropped in [0, 7, 19, text.utf8.count - 1] {
                var bytes = Array(text.utf8)
                bytes.remove(at: dropped)
                var scanner = PlaceholderScanner(matcher)
                #expect(scanner.feed(bytes) == nil)
            }
        }
        for _ in 0..<200 {
            var scanner = PlaceholderScanner(matcher)
            #expect(scanner.feed(Array((0..<500).map { _ in UInt8.random(in: 0...255, using: &generator) })) == nil)
        }
    }

    @Test func `without placeholders nothing is found`() {
        var scanner = PlaceholderScanner(PlaceholderMatcher([]))
        #expect(scanner.feed("anything%20at all".utf8) == nil)
    }

    @Test func `the end of one placeholder may be the beginning of another`() throws {
        let one = try #require(SecretPlaceholder(text: "aaaaaaaaaabbbbbbbbbbcc"))
        let other = try #require(SecretPlaceholder(text: "bbbbbbbbbbccdddddddddd"))
        var scanner = PlaceholderScanner(PlaceholderMatcher([one, other]))
        #expect(scanner.feed("aaaaaaaaabbbbbbbbbbccdddddddddd".utf8) == 1)
    }
}
