internal import JailPolicy

/// The first message of a WebSocket's client, which must be OpenClaw's `connect` with the token in it.
struct GateMessage {
    private let payload: [UInt8]
    private let mask: [UInt8]
    /// Bytes of the frame.
    let count: Int

    /// nil: it has not all come.
    ///
    /// - Throws: it is none that could have the token: a text in one frame, masked, and of a bounded size (RFC 6455, 5.2).
    init?(_ bytes: [UInt8]) throws(GateError) {
        guard let first = bytes.first else { return nil }
        guard first == 0x81 else { throw .malformed }
        guard bytes.count >= 2 else { return nil }
        let short = Int(bytes[1] & 0x7F)
        guard bytes[1] & 0x80 != 0, short < 127 else { throw .malformed }
        let start = short == 126 ? 4 : 2
        guard bytes.count >= start + 4 else { return nil }
        let length = short == 126 ? Int(bytes[2]) << 8 | Int(bytes[3]) : short
        guard short != 126 || (126...TokenGate.mostHeld).contains(length) else { throw .malformed }
        count = start + 4 + length
        guard bytes.count >= count else { return nil }
        mask = Array(bytes[start..<start + 4])
        payload = Self.masked(bytes[(start + 4)..<count], mask)
    }

    private static func masked(_ bytes: some Collection<UInt8>, _ mask: [UInt8]) -> [UInt8] {
        bytes.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    /// The frame as it goes on, with the placeholder in the token's place.
    func bytes(replacing token: PublishedToken) throws(GateError) -> [UInt8] {
        guard let value = try? JSON5Reader.read(payload, file: ""), value["type"]?.text == "req",
            value["method"]?.text == "connect"
        else { throw .malformed }
        guard let offered = value["params"]?["auth"]?["token"]?.text else { throw .noToken }
        guard token.isSame(as: Array(offered.utf8)[...]) else { throw .wrongToken }
        // As it is written there, and nowhere else: the jail would have it.
        let places = token.places(in: payload)
        guard places.count == 1, let place = places.first else { throw .malformed }
        return frame(
            Array(payload[..<place]) + token.placeholder + payload[(place + offered.utf8.count)...])
    }

    private func frame(_ payload: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)] : [0xFE, UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
        return [0x81] + length + mask + Self.masked(payload, mask)
    }

    /// A frame that says goodbye with "policy violation" (RFC 6455, 7.4.1).
    static func farewell(_ refusal: TokenGate.Refusal) -> [UInt8] {
        let reason = Array(refusal.rawValue.utf8)
        return [0x88, UInt8(2 + reason.count), 0x03, 0xF0] + reason
    }
}
