package import NIOCore
package import SecretTraces

/// Follows the frames of one direction of a WebSocket (RFC 6455, 5), without keeping them: what is not a sequence of
/// well-formed frames ends the connection. Extensions are never negotiated, so the reserved bits are zero.
package struct WebSocketFrames {
    /// Clients mask, servers do not.
    private let isMasked: Bool
    private var header: [UInt8] = []
    private var payload: UInt64 = 0
    private var isInMessage = false
    private var hasClosed = false
    /// How the payload that comes is masked, and where in that it is.
    private var mask: [UInt8] = []
    private var masked = 0
    /// What looks through payloads, one message after the other; nil: nobody does.
    package var scanner: PlaceholderScanner?
    /// What it has found.
    package private(set) var found: Int?
    /// The same for canaries.
    package var canaryScan: CanaryDetector.Scan?
    /// Their ids, found in what was accepted last.
    package private(set) var canaries: [String] = []

    /// What frames are made of, in their order.
    package enum Part {
        /// A frame begins, with this header.
        case header([UInt8])
        /// Some of what it carries, as it came.
        case payload(ByteBufferView)
        case end
    }

    package init(fromClient: Bool) {
        isMasked = fromClient
        header.reserveCapacity(14)
    }

    /// - Parameter each: called with what is well-formed.
    /// - Returns: whether everything up to here is well-formed.
    package mutating func accept(_ buffer: ByteBuffer, _ each: (Part) -> Void = { _ in }) -> Bool {
        var bytes = buffer.readableBytesView
        canaries = []
        while !bytes.isEmpty {
            if payload > 0 {
                let count = Int(min(payload, UInt64(bytes.count)))
                payload -= UInt64(count)
                look(through: bytes.prefix(count))
                each(.payload(bytes.prefix(count)))
                if payload == 0 { each(.end) }
                bytes = bytes.dropFirst(count)
                continue
            }
            guard !hasClosed else { return false }
            header.append(bytes[bytes.startIndex])
            bytes = bytes.dropFirst()
            guard checkStart() else { return false }
            guard header.count == headerLength else { continue }
            guard finishHeader() else { return false }
            each(.header(header))
            header.removeAll(keepingCapacity: true)
            if payload == 0 { each(.end) }
        }
        return true
    }

    private mutating func look(through payload: ByteBufferView) {
        guard (scanner != nil && found == nil) || canaryScan != nil else { return }
        let start = masked
        masked += payload.count
        let plain = payload.enumerated().map { isMasked ? $1 ^ mask[(start + $0) & 3] : $1 }
        if found == nil, let index = scanner?.feed(plain) { found = index }
        canaries += canaryScan?.feed(plain) ?? []
    }

    private var headerLength: Int {
        guard header.count >= 2 else { return 2 }
        let extended =
            switch header[1] & 0x7F {
            case 126: 2
            case 127: 8
            default: 0
            }
        return 2 + extended + (isMasked ? 4 : 0)
    }

    /// As soon as a byte is there: nothing of a wrong frame is waited for.
    private func checkStart() -> Bool {
        switch header.count {
        case 1:
            let opcode = header[0] & 0x0F
            guard header[0] & 0x70 == 0 else { return false }
            switch opcode {
            case 0x0: return isInMessage
            case 0x1, 0x2: return !isInMessage
            // Control frames are never in parts.
            case 0x8, 0x9, 0xA: return header[0] & 0x80 != 0
            default: return false
            }
        case 2:
            guard (header[1] & 0x80 != 0) == isMasked else { return false }
            return header[0] & 0x08 == 0 || header[1] & 0x7F <= 125
        default: return true
        }
    }

    private mutating func finishHeader() -> Bool {
        let short = header[1] & 0x7F
        let bytes = header[2..<(headerLength - (isMasked ? 4 : 0))]
        payload = bytes.isEmpty ? UInt64(short) : bytes.reduce(0) { $0 << 8 | UInt64($1) }
        // In its shortest form, and below 2^63.
        if short == 126, payload < 126 { return false }
        if short == 127, payload <= 0xFFFF || payload >> 63 != 0 { return false }
        if isMasked { mask = Array(header.suffix(4)) }
        masked = 0
        let opcode = header[0] & 0x0F
        if opcode < 0x8 { isInMessage = header[0] & 0x80 == 0 }
        if opcode == 0x8 {
            guard payload != 1 else { return false }
            hasClosed = true
        }
        return true
    }
}
