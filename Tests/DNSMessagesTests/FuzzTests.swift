import Foundation
import JailPolicy
import TestSupport
import Testing

@testable import DNSMessages

/// How often, from CLAWJAIL_FUZZ_RUNS.
private let runs = ProcessInfo.processInfo.environment["CLAWJAIL_FUZZ_RUNS"].flatMap { Int($0) } ?? 20_000

/// Changes a message the way that finds faults in parsers: single bits, interesting bytes, pieces moved about.
private func mutate(_ bytes: [UInt8], _ generator: inout Seeded) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<3, using: &generator) {
        guard !bytes.isEmpty else { return bytes }
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        let other = Int.random(in: index..<bytes.count, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[index] = [0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF].randomElement(using: &generator) ?? 0
        case 2: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 3: bytes.removeSubrange(index..<other)
        case 4: bytes.insert(contentsOf: bytes[index..<min(other, index + 40)], at: index)
        case 5: bytes.removeLast(bytes.count - index)
        case 6: bytes.replaceSubrange(index..<index, with: [0xC0, UInt8.random(in: 0..<64, using: &generator)])
        default: bytes.append(UInt8.random(in: 0...255, using: &generator))
        }
    }
    return bytes
}

struct `Mutated messages` {
    @Test func `no bytes break the codec, and what it takes it takes again`() throws {
        var generator = Seeded(UInt64(runs))
        let name = DNSName(try host("www.example.org"))
        let seeds = [
            Sample.query, Sample.response,
            DNSQuery(id: 1, question: DNSQuestion(name: name, type: .a)).bytes,
            DNSReply(
                to: DNSQuery(id: 1, question: DNSQuestion(name: name, type: .a)), addresses: [.v4(1), .v4(2)]
            ).bytes,
        ]
        var taken = (queries: 0, responses: 0)
        for run in 0..<runs {
            let bytes = mutate(seeds[run % seeds.count], &generator)
            switch DNSQuery.read(bytes) {
            case .query(let query):
                taken.queries += 1
                // What an answer says is what was understood.
                guard case .query(let again) = DNSQuery.read(query.bytes) else {
                    Issue.record("not read back: \(bytes)")
                    return
                }
                #expect(again.question == query.question)
                #expect(try DNSResponse(DNSReply(to: query, addresses: [.v4(1)]).bytes).answers(query))
            case .refusal(let answer): #expect(answer.count >= 12)
            case .ignored: #expect(bytes.count < 12 || bytes[2] & 0x80 != 0)
            }
            if case .success(let response) = outcome({ () throws(DNSFormatError) in try DNSResponse(bytes) }) {
                taken.responses += 1
                _ = response.addresses
                #expect(response.question.name.wire.count <= 255)
                #expect(response.question.name.text.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            }
        }
        print("DNS messages: \(runs) executions, \(taken.queries) queries and \(taken.responses) responses taken")
        #expect(taken.queries > 0 && taken.responses > 0)
    }
}
