internal import CBrotliEncoder
internal import CZlib

/// Compresses, for origins that tests play.
package enum Coder {
    package static func gzip(_ bytes: [UInt8]) -> [UInt8] { deflate(bytes, MAX_WBITS + 16) }
    /// In the frame of zlib.
    package static func zlib(_ bytes: [UInt8]) -> [UInt8] { deflate(bytes, MAX_WBITS) }
    package static func rawDeflate(_ bytes: [UInt8]) -> [UInt8] { deflate(bytes, -MAX_WBITS) }

    private static func deflate(_ bytes: [UInt8], _ windowBits: Int32) -> [UInt8] {
        var stream = unsafe z_stream()
        precondition(
            unsafe deflateInit2_(
                &stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { unsafe deflateEnd(&stream) }
        var bytes = bytes
        return unsafe [UInt8](unsafeUninitializedCapacity: bytes.count + bytes.count / 100 + 256) { buffer, count in
            unsafe bytes.withUnsafeMutableBufferPointer { input in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = buffer.baseAddress
                unsafe stream.avail_out = UInt32(buffer.count)
                precondition(unsafe CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END)
                count = unsafe buffer.count - Int(stream.avail_out)
            }
        }
    }

    package static func brotli(_ bytes: [UInt8], quality: Int32 = 5) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: bytes.count + bytes.count / 10 + 1024) { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { input in
                var size = buffer.count
                let isDone = unsafe BrotliEncoderCompress(
                    quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, input.count, input.baseAddress, &size,
                    buffer.baseAddress)
                precondition(isDone == BROTLI_TRUE)
                count = size
            }
        }
    }
}
