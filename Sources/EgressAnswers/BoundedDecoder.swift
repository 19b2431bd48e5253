/// Memory for decoders that are at work at the same time, for all of one gateway. Confined to whoever holds it.
package final class DecoderMemory {
    /// Bytes.
    package static let most = 64 << 20

    private(set) var used = 0

    package init() {}

    func take(_ bytes: Int) -> Bool {
        guard used + bytes <= Self.most else { return false }
        used += bytes
        return true
    }

    func giveBack(_ bytes: Int) { used -= bytes }
}

/// Undoes a coding, and lets no more come of it than is reasonable.
final class BoundedDecoder {
    /// Bytes out for each one in, beyond a first part: deflate's greatest is 1032, and that of texts far below this.
    static let mostRatio = 256
    static let free = 1 << 20
    /// Bytes of one answer.
    static let mostDecoded = 1 << 30

    private let decoder: any ContentDecoder
    private let coding: ContentCoding
    private let memory: DecoderMemory
    private var input = 0
    private var output = 0

    init(_ coding: ContentCoding, _ memory: DecoderMemory) throws(AnswerRefusal) {
        switch coding {
        case .gzip: decoder = InflateDecoder(gzip: true)
        case .deflate: decoder = InflateDecoder(gzip: false)
        case .brotli: decoder = try BrotliDecoder()
        }
        guard memory.take(coding.memory) else {
            throw AnswerRefusal("too many compressed answers at the same time to decode them all")
        }
        self.coding = coding
        self.memory = memory
    }

    deinit { memory.giveBack(coding.memory) }

    func decode(_ bytes: [UInt8], _ output: ([UInt8]) throws(AnswerRefusal) -> Void) throws(AnswerRefusal) {
        input += bytes.count
        try decoder.decode(bytes) { (part) throws(AnswerRefusal) in
            self.output += part.count
            guard self.output <= Self.free + self.input * Self.mostRatio, self.output <= Self.mostDecoded else {
                throw AnswerRefusal("a compressed answer that grows too much")
            }
            try output(part)
        }
    }

    func finish() throws(AnswerRefusal) { try decoder.finish() }
}
