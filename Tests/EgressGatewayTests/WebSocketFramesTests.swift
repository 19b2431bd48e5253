import EgressGateway
import NIOCore
import Testing

@Suite struct WebSocketFramesTests {
    static func accepts(_ bytes: [UInt8], fromClient: Bool, pieces: Int = .max) -> Bool {
        var frames = WebSocketFrames(fromClient: fromClient)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces)
            rest = rest.dropFirst(pieces)
            guard frames.accept(ByteBuffer(bytes: piece)) else { return false }
        }
        return true
    }

    static let key: [UInt8] = [1, 2, 3, 4]
    static let good: [[UInt8]] = [
        [0x81, 0x85] + key + Array("hello".utf8),
        [0x01, 0x81] + key + [0x20] + [0x89, 0x80] + key + [0x80, 0x81] + key + [0x21],
        [0x82, 0xFE, 0x00, 0x7E] + key + [UInt8](repeating: 7, count: 126),
        [0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0] + key + [UInt8](repeating: 7, count: 65536),
        [0x88, 0x82] + key + [0x03, 0xE8],
    ]

    @Test(arguments: good, [1, 2, 3, 7, .max])
    func `well-formed frames pass, however they are cut`(frame: [UInt8], pieces: Int) {
        #expect(Self.accepts(frame, fromClient: true, pieces: pieces))
        // Servers do not mask.
        #expect(!Self.accepts(frame, fromClient: false, pieces: pieces))
    }

    @Test(arguments: [
        [0x81, 0x05], [0xC1, 0x80], [0xA1, 0x80], [0x91, 0x80], [0x83, 0x80], [0x8B, 0x80], [0x80, 0x80],
        // Control frames in parts, or long.
        [0x09, 0x80], [0x88, 0xFE],
        // Not the shortest form, beyond 2^63, a close reason of one byte.
        [0x82, 0xFE, 0, 125, 1, 2, 3, 4], [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4],
        [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], [0x88, 0x81, 1, 2, 3, 4],
        // A message within a message, and anything after a close.
        [0x01, 0x80, 1, 2, 3, 4, 0x81], [0x88, 0x80, 1, 2, 3, 4, 0x81],
    ])
    func `anything else ends the connection`(bytes: [UInt8]) {
        #expect(!Self.accepts(bytes, fromClient: true))
        #expect(!Self.accepts(bytes, fromClient: true, pieces: 1))
    }

    @Test func `the proof of the handshake is that of the RFC`() {
        #expect(WebSocketAccept.answer(to: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(WebSocketAccept.isKey("dGhlIHNhbXBsZSBub25jZQ=="))
        for key in ["", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub2 jZQ=="] {
            #expect(!WebSocketAccept.isKey(key))
        }
    }
}
