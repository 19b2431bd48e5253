package import NIOCore

/// Reads a ClientHello out of the first bytes of a connection, however they are cut: into packets, and into TLS records
/// (RFC 8446, 5.1). Holds at most `messageLimit` bytes. Takes no time-outs: whoever feeds it does.
package struct ClientHelloParser: Sendable {
    package enum Progress: Equatable, Sendable {
        case needMore
        case hello(ClientHello)
        case refused(ClientHelloRefusal)
    }

    /// Bytes of the handshake message with its header. Real ones have 200 to 2,000.
    package static let messageLimit = 65_536
    /// Records that may carry one message. Real clients use one, those that dodge middleboxes a few.
    package static let recordLimit = 64

    private var header: [UInt8] = []
    /// Bytes of the current record that are still to come.
    private var missing = 0
    private var message: [UInt8] = []
    private var byteCount = 0
    private var records = 0
    private var outcome = Progress.needMore

    package init() {}

    /// Takes the bytes that came since the last call; the caller keeps them for whoever speaks TLS or passes them on. Once it
    /// is no longer `.needMore`, the answer stays what it is.
    package mutating func feed(_ bytes: ByteBuffer) -> Progress {
        guard outcome == .needMore else { return outcome }
        do throws(ClientHelloRefusal) {
            if let hello = try take(bytes.readableBytesView[...]) { outcome = .hello(hello) }
        } catch {
            outcome = .refused(error)
        }
        if outcome != .needMore { message = [] }
        return outcome
    }

    private mutating func take(_ bytes: ByteBufferView) throws(ClientHelloRefusal) -> ClientHello? {
        var rest = bytes
        while let byte = rest.first {
            if missing == 0 {
                header.append(byte)
                rest = rest.dropFirst()
                byteCount += 1
                try checkRecordHeader()
                continue
            }
            let part = rest.prefix(missing)
            message.append(contentsOf: part)
            rest = rest.dropFirst(part.count)
            byteCount += part.count
            missing -= part.count
            if let hello = try completeMessage() { return hello }
        }
        return nil
    }

    /// Every byte is judged as soon as it is there, so that nobody who speaks something else waits for a time-out.
    private mutating func checkRecordHeader() throws(ClientHelloRefusal) {
        // ContentType handshake; legacy_record_version 3.x: 3.1 and 3.3 are seen, the rest is not to be looked at.
        guard header[0] == 0x16, header.count < 2 || header[1] == 0x03 else {
            throw byteCount <= 2 ? .notTLS : .malformed("another record interrupts the message")
        }
        guard header.count == 5 else { return }
        missing = Int(header[3]) << 8 | Int(header[4])
        header = []
        records += 1
        guard (1...16_384).contains(missing) else { throw .malformed("record length \(missing)") }
        guard records <= Self.recordLimit else { throw .tooManyRecords }
    }

    private func completeMessage() throws(ClientHelloRefusal) -> ClientHello? {
        guard message[0] == 0x01 else { throw .notTLS }
        guard message.count >= 4 else { return nil }
        let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
        guard length <= Self.messageLimit - 4 else { throw .tooLong }
        // RFC 8446, 5.1: the message that a key change follows ends with its record.
        guard message.count + missing <= length + 4 else { throw .malformed("bytes after the message") }
        guard message.count == length + 4 else { return nil }
        return try ClientHello(body: message[4...], byteCount: byteCount)
    }
}
