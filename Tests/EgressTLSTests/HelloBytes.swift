import NIOCore
import Testing

@testable import EgressTLS

/// A ClientHello made by hand, every part of which can be wrong.
struct HelloBytes {
    var version: UInt16 = 0x0303
    var session: [UInt8] = [UInt8](repeating: 7, count: 32)
    var suites: [UInt8] = [0x13, 0x01, 0xC0, 0x2B]
    var compression: [UInt8] = [0]
    /// nil: no extension block at all.
    var extensions: [(type: UInt16, content: [UInt8])]? = []
    /// After the extension block, inside the message.
    var tail: [UInt8] = []

    static func name(_ name: String, type: UInt8 = 0) -> [UInt8] { [type] + vector16(Array(name.utf8)) }

    static func serverName(_ names: [UInt8]...) -> (type: UInt16, content: [UInt8]) {
        (0, vector16(names.flatMap(\.self)))
    }

    static func alpn(_ names: String...) -> (type: UInt16, content: [UInt8]) {
        (16, vector16(names.flatMap { vector8(Array($0.utf8)) }))
    }

    static func versions(_ versions: UInt16...) -> (type: UInt16, content: [UInt8]) {
        (43, vector8(versions.flatMap { number($0) }))
    }

    static func number(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }
    static func vector8(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count)] + bytes }
    static func vector16(_ bytes: [UInt8]) -> [UInt8] { number(UInt16(bytes.count)) + bytes }

    /// With its header.
    var message: [UInt8] {
        var body = Self.number(version) + [UInt8](repeating: 9, count: 32)
        body += Self.vector8(session) + Self.vector16(suites) + Self.vector8(compression)
        if let extensions {
            body += Self.vector16(extensions.flatMap { Self.number($0.type) + Self.vector16($0.content) })
        }
        body += tail
        return [1, UInt8(body.count >> 16)] + Self.number(UInt16(body.count & 0xFFFF)) + body
    }

    var record: [UInt8] { Self.records(message, of: 16_384) }

    static func records(_ message: [UInt8], of size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { start in
            [0x16, 3, 1] + vector16(Array(message[start..<min(start + size, message.count)]))
        }
    }

    static var usual: HelloBytes {
        HelloBytes(extensions: [
            serverName(name("api.example.com")), alpn("h2", "http/1.1"), versions(0x0304, 0x0303),
        ])
    }
}

func parse(_ bytes: [UInt8]) -> ClientHelloParser.Progress {
    var parser = ClientHelloParser()
    return parser.feed(ByteBuffer(bytes: bytes))
}

/// Byte by byte, until there is an answer.
func parseSlowly(_ bytes: [UInt8]) -> (progress: ClientHelloParser.Progress, fed: Int) {
    var parser = ClientHelloParser()
    var progress = ClientHelloParser.Progress.needMore
    for (index, byte) in bytes.enumerated() {
        progress = parser.feed(ByteBuffer(bytes: [byte]))
        if progress != .needMore { return (progress, index + 1) }
    }
    return (progress, bytes.count)
}
