import NIOCore
import TestSupport
import Testing

@testable import EgressTLS

struct ClientHelloFuzzTests {
    /// Two properties: the parser always ends with an answer, and the answer does not depend on how the bytes are cut.
    @Test func `mutated messages are refused or read, however they are cut`() {
        var random = Seeded(0xC1A3)
        var hellos = 0
        var refused = 0
        for _ in 0..<fuzzRuns {
            let bytes = mutated(&random)
            let answer = parse(bytes)
            var parser = ClientHelloParser()
            var rest = bytes[...]
            var cut = ClientHelloParser.Progress.needMore
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...200, using: &random))
                rest = rest.dropFirst(part.count)
                cut = parser.feed(ByteBuffer(bytes: part))
            }
            #expect(cut == answer, "\(bytes)")
            if case .hello(let hello) = answer {
                hellos += 1
                #expect(hello.byteCount <= bytes.count)
            } else if case .refused = answer {
                refused += 1
            }
        }
        print("ClientHello fuzz: \(fuzzRuns) executions, \(hellos) read, \(refused) refused")
        #expect(hellos > 0 && refused > 0)
    }

    private func mutated(_ random: inout Seeded) -> [UInt8] {
        var hello = HelloBytes.usual
        hello.extensions?.shuffle(using: &random)
        var bytes = hello.message
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 3: bytes.remove(at: place)
            default: bytes += bytes[place...]
            }
            if bytes.count < 8 { break }
        }
        let size = Int.random(in: 1...600, using: &random)
        // Half of them with a length that fits, so that the inner structure is reached.
        if Bool.random(using: &random), bytes.count > 4 {
            bytes.replaceSubrange(1..<4, with: [0] + HelloBytes.number(UInt16(truncatingIfNeeded: bytes.count - 4)))
        }
        return HelloBytes.records(bytes, of: size)
    }
}
