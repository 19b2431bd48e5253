internal import CBrotli

/// Brotli (RFC 7932): windows of 16 MiB at most, and no shared dictionary.
@safe final class BrotliDecoder: ContentDecoder {
    private var state: OpaquePointer?
    private var phase = CodingPhase.empty

    init() throws(AnswerRefusal) {
        unsafe state = unsafe BrotliDecoderCreateInstance(nil, nil, nil)
        guard unsafe state != nil else { throw AnswerRefusal.noMemory }
    }

    deinit { unsafe BrotliDecoderDestroyInstance(state) }

    func decode(_ bytes: [UInt8], _ output: Output) throws(AnswerRefusal) {
        guard !bytes.isEmpty else { return }
        guard phase != .ended else { throw AnswerRefusal.behindEnd }
        phase = .inside
        var used = 0
        while true {
            let step = step(bytes, from: used)
            used += step.used
            if !step.output.isEmpty { try output(step.output) }
            switch step.result {
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
            case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return
            case BROTLI_DECODER_RESULT_SUCCESS:
                phase = .ended
                guard used == bytes.count else { throw AnswerRefusal.behindEnd }
                return
            default: throw AnswerRefusal.damaged
            }
        }
    }

    func finish() throws(AnswerRefusal) { try phase.finish() }

    private func step(
        _ bytes: [UInt8], from start: Int
    ) -> (result: BrotliDecoderResult, used: Int, output: [UInt8]) {
        var result = BROTLI_DECODER_RESULT_ERROR
        var used = 0
        let output = unsafe [UInt8](unsafeUninitializedCapacity: DecodedParts.size) { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { input in
                var inputLeft = input.count - start
                var inputNext = unsafe input.baseAddress?.advanced(by: start)
                var outputLeft = buffer.count
                var outputNext = buffer.baseAddress
                result = unsafe BrotliDecoderDecompressStream(
                    state, &inputLeft, &inputNext, &outputLeft, &outputNext, nil)
                used = input.count - start - inputLeft
                count = buffer.count - outputLeft
            }
        }
        return (result, used, output)
    }
}
