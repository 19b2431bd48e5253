package import NIOCore
package import SecretTraces

/// Covers secrets in what an origin says over a WebSocket (RFC 6455): within each message, over all of its frames, and in
/// what control frames carry. Frames stay as they are, with their headers and lengths, in their order.
///
/// Stars are ASCII, and so is every spelling that they take the place of: text stays UTF-8.
package struct WebSocketCover {
    private enum Piece {
        case known([UInt8])
        /// Bytes of the message that is under way, which the redactor still holds.
        case message(Int)
    }

    private let traces: SecretTraces
    private var frames = WebSocketFrames(fromClient: false)
    private var message: SecretRedactor
    /// What a control frame carries; nil: the frame is one of a message.
    private var control: [UInt8]?
    private var isLast = false
    private var waiting = CircularBuffer<Piece>()
    /// Bytes of headers and of control frames in it.
    private var waitingKnown = 0
    private var found: Set<String> = []
    private var told: Set<String> = []

    /// While a few bytes of a message wait, an origin may send any number of empty frames. This is more than anybody has.
    package static let mostWaiting = 16 << 10

    package init(_ traces: SecretTraces) {
        self.traces = traces
        message = SecretRedactor(traces)
    }

    /// - Parameter buffer: the next bytes of the origin's.
    /// - Returns: those that go on now; nil: they are no frames, or too many wait, and the connection is to end.
    package mutating func cover(_ buffer: ByteBuffer) -> ByteBuffer? {
        var out = ByteBuffer()
        var frames = frames
        let isWellFormed = frames.accept(buffer) { part in take(part, &out) }
        self.frames = frames
        return isWellFormed && waitingKnown <= Self.mostWaiting ? out : nil
    }

    /// The names of secrets that have come back since the last time.
    package mutating func takeFound() -> [String] {
        if message.hasFound { found.formUnion(message.found) }
        guard found.count > told.count else { return [] }
        defer { told = found }
        return found.subtracting(told).sorted()
    }

    private mutating func take(_ part: WebSocketFrames.Part, _ out: inout ByteBuffer) {
        switch part {
        case .header(let header):
            // RFC 6455, 5.2: the last frame of a message has its first bit, control frames the highest of their opcode's.
            isLast = header[0] & 0x80 != 0
            control = header[0] & 0x08 == 0 ? nil : []
            wait(for: header)
            pass([], &out)
        case .payload(let bytes):
            guard control == nil else { return control?.append(contentsOf: bytes) ?? () }
            waiting.append(.message(bytes.count))
            pass(message.feed(Array(bytes)), &out)
        case .end:
            if let control {
                wait(for: covered(control))
                pass([], &out)
            } else if isLast {
                pass(message.finish(), &out)
                if message.hasFound { found.formUnion(message.found) }
                message = SecretRedactor(traces)
            }
        }
    }

    /// The payload of a control frame, of at most 125 bytes, which comes in one frame.
    private mutating func covered(_ bytes: [UInt8]) -> [UInt8] {
        var redactor = SecretRedactor(traces)
        let covered = redactor.feed(bytes) + redactor.finish()
        found.formUnion(redactor.found)
        return covered
    }

    private mutating func wait(for known: [UInt8]) {
        waiting.append(.known(known))
        waitingKnown += known.count
    }

    /// Writes what waits, up to bytes of the message that are not ready.
    private mutating func pass(_ ready: [UInt8], _ out: inout ByteBuffer) {
        var ready = ready[...]
        while let piece = waiting.first {
            switch piece {
            case .known(let bytes):
                out.writeBytes(bytes)
                waitingKnown -= bytes.count
            case .message(let count):
                let part = ready.prefix(count)
                out.writeBytes(part)
                ready = ready.dropFirst(part.count)
                guard part.count == count else {
                    waiting[waiting.startIndex] = .message(count - part.count)
                    return
                }
            }
            waiting.removeFirst()
        }
    }
}
