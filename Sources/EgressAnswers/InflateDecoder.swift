internal import CZlib

/// gzip (RFC 1952), one member or several, and deflate: with the frame of zlib (RFC 1950), as it must be, or without (RFC
/// 1951), as some servers send it. zlib checks checksums and lengths.
@safe final class InflateDecoder: ContentDecoder {
    private let isGzip: Bool
    /// On the heap: zlib wants it to stay where it is. nil: nothing has come yet.
    private var stream: UnsafeMutablePointer<z_stream>?
    /// The first two bytes tell whether there is a frame.
    private var beginning: [UInt8] = []
    private var phase = CodingPhase.empty

    init(gzip: Bool) { isGzip = gzip }

    deinit {
        guard let stream = unsafe stream else { return }
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    func decode(_ bytes: [UInt8], _ output: Output) throws(AnswerRefusal) {
        guard !bytes.isEmpty else { return }
        if unsafe stream == nil, !isGzip {
            phase = .inside
            beginning += bytes
            guard beginning.count >= 2 else { return }
            try open(Self.hasFrame(beginning) ? MAX_WBITS : -MAX_WBITS)
            let bytes = beginning
            beginning = []
            return try inflate(bytes, output)
        }
        if unsafe stream == nil { try open(MAX_WBITS + 16) }
        try inflate(bytes, output)
    }

    func finish() throws(AnswerRefusal) { try phase.finish() }

    /// Its method and its check bits (RFC 1950, 2.2).
    private static func hasFrame(_ bytes: [UInt8]) -> Bool {
        bytes[0] & 0x0F == 8 && bytes[0] >> 4 <= 7 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
    }

    private func open(_ windowBits: Int32) throws(AnswerRefusal) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe stream.deinitialize(count: 1)
            unsafe stream.deallocate()
            throw AnswerRefusal.noMemory
        }
        unsafe self.stream = stream
    }

    private func inflate(_ bytes: [UInt8], _ output: Output) throws(AnswerRefusal) {
        var used = 0
        var isFull = false
        while used < bytes.count || isFull {
            if phase == .ended { try begin() }
            phase = .inside
            let step = step(bytes, from: used)
            used += step.used
            isFull = step.output.count == DecodedParts.size
            if !step.output.isEmpty { try output(step.output) }
            switch step.result {
            case Z_OK: break
            // Nothing more can be done without more of it.
            case Z_BUF_ERROR where used == bytes.count: isFull = false
            case Z_STREAM_END:
                phase = .ended
                isFull = false
            case Z_MEM_ERROR: throw AnswerRefusal.noMemory
            default: throw AnswerRefusal.damaged
            }
        }
    }

    /// Something follows the end: another member, where there may be one.
    private func begin() throws(AnswerRefusal) {
        guard isGzip, let stream = unsafe stream, unsafe inflateReset(stream) == Z_OK else {
            throw AnswerRefusal.behindEnd
        }
    }

    private func step(_ bytes: [UInt8], from start: Int) -> (result: Int32, used: Int, output: [UInt8]) {
        guard let stream = unsafe stream else { return (Z_STREAM_ERROR, 0, []) }
        var result = Z_STREAM_ERROR
        var used = 0
        let output = unsafe [UInt8](unsafeUninitializedCapacity: DecodedParts.size) { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { input in
                // zlib does not write to its input.
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
                    mutating: input.baseAddress?.advanced(by: start))
                unsafe stream.pointee.avail_in = UInt32(input.count - start)
                unsafe stream.pointee.next_out = buffer.baseAddress
                unsafe stream.pointee.avail_out = UInt32(buffer.count)
                result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                used = unsafe input.count - start - Int(stream.pointee.avail_in)
                count = unsafe buffer.count - Int(stream.pointee.avail_out)
                unsafe stream.pointee.next_in = nil
                unsafe stream.pointee.next_out = nil
            }
        }
        return (result, used, output)
    }
}
