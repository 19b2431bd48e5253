import AnswerSupport
import Foundation
import Testing

@testable import EgressAnswers

/// The decoders against what others have compressed, whole and in pieces, sound and damaged.
struct DecoderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var coding: ContentCoding
        var code: @Sendable ([UInt8]) -> [UInt8]

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "gzip", coding: .gzip, code: Coder.gzip), Case(name: "zlib", coding: .deflate, code: Coder.zlib),
        Case(name: "deflate", coding: .deflate, code: Coder.rawDeflate),
        Case(name: "brotli", coding: .brotli) { Coder.brotli($0) },
    ]

    /// Some that compress well, some that do not, of all sizes around those of parts.
    static let texts: [[UInt8]] = {
        var random = SystemRandomNumberGenerator()
        let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        return [
            [0x61], Array("hello, hello, hello".utf8), [UInt8](repeating: 0, count: 32 << 10),
            [UInt8](repeating: 7, count: 200_001), noise, Array(noise.prefix(32769)),
        ]
    }()

    static func decode(
        _ bytes: [UInt8], _ coding: ContentCoding, pieces: Int = .max, memory: DecoderMemory = DecoderMemory()
    ) throws(AnswerRefusal) -> [UInt8] {
        let decoder = try BoundedDecoder(coding, memory)
        var output: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, pieces == .max ? bytes.count : start + pieces)
            try decoder.decode(Array(bytes[start..<end])) { part in
                #expect((1...DecodedParts.size).contains(part.count))
                output += part
            }
            start = end
        }
        try decoder.finish()
        return output
    }

    @Test(arguments: cases)
    func `what was compressed comes back, whatever the pieces`(test: Case) throws {
        for text in Self.texts {
            let coded = test.code(text)
            for pieces in [.max, 1000, text.count > 1000 ? 37 : 1] {
                let isSame = try Self.decode(coded, test.coding, pieces: pieces) == text
                #expect(isSame)
            }
        }
    }

    @Test(arguments: cases)
    func `a body without a byte is complete`(test: Case) throws {
        #expect(try Self.decode([], test.coding) == [])
        #expect(try Self.decode(test.code([]), test.coding) == [])
    }

    @Test(arguments: cases)
    func `one that breaks off anywhere is not complete`(test: Case) throws {
        let coded = test.code(Array("hello, hello, world".utf8))
        for count in 1..<coded.count {
            #expect(throws: AnswerRefusal("a compressed answer that ends in the middle")) {
                try Self.decode(Array(coded[..<count]), test.coding)
            }
        }
    }

    @Test(arguments: cases)
    func `something behind the end is refused, in the same piece or in the next`(test: Case) throws {
        let coded = test.code(Array("hello, hello, world".utf8))
        for pieces in [.max, coded.count, 1] {
            #expect(throws: AnswerRefusal.self) { try Self.decode(coded + [0], test.coding, pieces: pieces) }
        }
    }

    @Test func `members of gzip follow one another, and all must be sound`() throws {
        let one = Coder.gzip(Array("one".utf8))
        let two = Coder.gzip(Array("two".utf8))
        for pieces in [.max, one.count, 1] {
            #expect(try Self.decode(one + two + one, .gzip, pieces: pieces) == Array("onetwoone".utf8))
        }
        #expect(throws: AnswerRefusal.self) { try Self.decode(one + two.dropLast(), .gzip) }
        #expect(throws: AnswerRefusal.behindEnd) {
            try Self.decode(Coder.zlib([1]) + Coder.zlib([2]), .deflate)
        }
    }

    @Test func `checksums and lengths are looked at`() throws {
        let text = Array("hello, hello, world".utf8)
        let gzip = Coder.gzip(text)
        for index in gzip.count - 8..<gzip.count {
            var damaged = gzip
            damaged[index] ^= 1
            #expect(throws: AnswerRefusal.damaged) { try Self.decode(damaged, .gzip) }
        }
        var zlib = Coder.zlib(text)
        zlib[zlib.count - 1] ^= 1
        #expect(throws: AnswerRefusal.damaged) { try Self.decode(zlib, .deflate) }
    }

    @Test func `a dictionary that nobody has is refused`() {
        // FDICT set, with the check bits that belong to it (RFC 1950, 2.2).
        #expect(throws: AnswerRefusal.damaged) { try Self.decode([0x78, 0xBB, 1, 2, 3, 4, 0, 0], .deflate) }
    }

    @Test func `the greatest window of brotli is one of the standard's`() {
        // The first byte of a stream with a large window (17, and 1 bit): an extension that is not asked for.
        #expect(throws: AnswerRefusal.damaged) { try Self.decode([0x11, 0x1E, 0, 0, 0, 0], .brotli) }
    }

    // MARK: Hostile

    @Test(arguments: cases)
    func `a bomb is broken off early`(test: Case) throws {
        let bomb = test.code([UInt8](repeating: 0, count: 64 << 20))
        var output = 0
        let decoder = try BoundedDecoder(test.coding, DecoderMemory())
        #expect(throws: AnswerRefusal("a compressed answer that grows too much")) {
            try decoder.decode(bomb) { output += $0.count }
        }
        #expect(output <= BoundedDecoder.free + bomb.count * BoundedDecoder.mostRatio)
        #expect(bomb.count < 128 << 10)
    }

    @Test(arguments: cases)
    func `whatever the bytes are, it ends, and damage is seen or changes something`(test: Case) throws {
        var random = SystemRandomNumberGenerator()
        let text = (0..<2000).map { _ in UInt8.random(in: 97...100, using: &random) }
        let sound = test.code(text)
        for _ in 0..<300 {
            var coded = sound
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                coded[Int.random(in: 0..<coded.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Self.decode(coded, test.coding, pieces: Int.random(in: 1...500, using: &random))
            let noise = (0..<Int.random(in: 1...400, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Self.decode(noise, test.coding, pieces: 7)
        }
        // With a checksum that is worth the name nothing else comes out as if it were whole.
        guard test.coding == .gzip else { return }
        for index in sound.indices.dropFirst(10) {
            var coded = sound
            coded[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            let isSame = (try? Self.decode(coded, test.coding)).map { $0 == text } ?? true
            #expect(isSame)
        }
    }

    @Test func `no more memory is taken than there is for all, and it is given back`() throws {
        let memory = DecoderMemory()
        do {
            let decoders = try (0..<3).map { _ in try BoundedDecoder(.brotli, memory) }
            #expect(throws: AnswerRefusal("too many compressed answers at the same time to decode them all")) {
                try BoundedDecoder(.brotli, memory)
            }
            #expect(try Self.decode(Coder.gzip([1]), .gzip, memory: memory) == [1])
            #expect(decoders.count == 3 && memory.used > 0)
        }
        #expect(memory.used == 0)
    }

    // MARK: Others' work

    /// Debian's gzip and Python's zlib.
    @Test func `what other programs compress comes back`() throws {
        let gzip = try Self.run("/usr/bin/gzip", ["-c", "-9", "-n"], input: Self.texts[1])
        #expect(try Self.decode(gzip, .gzip) == Self.texts[1])
        let code = "import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"
        let zlib = try Self.run("/usr/bin/env", ["python3", "-c", code], input: Self.texts[3])
        let isSame = try Self.decode(zlib, .deflate) == Self.texts[3]
        #expect(isSame)
    }

    private static func run(_ path: String, _ arguments: [String], input: [UInt8]) throws -> [UInt8] {
        let process = Process()
        let (read, write) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = write
        process.standardOutput = read
        try process.run()
        DispatchQueue.global().async {
            try? write.fileHandleForWriting.write(contentsOf: Data(input))
            try? write.fileHandleForWriting.close()
        }
        let output = read.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Array(output)
    }
}
