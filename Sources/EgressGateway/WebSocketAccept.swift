internal import Crypto
internal import NIOCore

/// The handshake's proof that the other side speaks WebSocket (RFC 6455, 4.2.2).
package enum WebSocketAccept {
    private static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// A nonce of 16 bytes in base64.
    package static func isKey(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        // 16 bytes are 21 characters, one with two bits, and "==".
        guard bytes.count == 24, bytes[22] == 0x3D, bytes[23] == 0x3D, "AQgw".utf8.contains(bytes[21]) else {
            return false
        }
        return bytes[..<22].allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
            default: false
            }
        }
    }

    package static func answer(to key: String) -> String {
        Base64.encode(Array(Insecure.SHA1.hash(data: Array((key + identifier).utf8))))
    }
}

private enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for position in 0..<4 {
                output.append(position <= group.count ? alphabet[value >> (18 - 6 * position) & 0x3F] : 0x3D)
            }
            index += 3
        }
        return String(decoding: output, as: UTF8.self)
    }
}
