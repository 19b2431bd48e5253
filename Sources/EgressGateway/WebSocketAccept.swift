internal import Crypto
internal import FoundationEssentials

/// The handshake's proof that the other side speaks WebSocket (RFC 6455, 4.2.2).
package enum WebSocketAccept {
    private static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// A nonce of 16 bytes in base64, in its one spelling.
    package static func isKey(_ text: String) -> Bool {
        guard let nonce = Data(base64Encoded: text) else { return false }
        return nonce.count == 16 && nonce.base64EncodedString() == text
    }

    package static func answer(to key: String) -> String {
        Data(Insecure.SHA1.hash(data: Data((key + identifier).utf8))).base64EncodedString()
    }
}
