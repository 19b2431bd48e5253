import JailPolicy
import Testing

@testable import DNSMessages

struct `Queries` {
    private func query(_ bytes: [UInt8]) throws -> DNSQuery {
        guard case .query(let query) = DNSQuery.read(bytes) else { throw DNSFormatError.header }
        return query
    }

    /// The response code of a refusal that consists of a header alone.
    private func refusal(_ bytes: [UInt8]) -> DNSResponseCode? {
        guard case .refusal(let answer) = DNSQuery.read(bytes), answer.count == 12 else { return nil }
        #expect(Array(answer[..<2]) == Array(bytes[..<2]))
        #expect(answer[2] & 0xF8 == 0x80 | bytes[2] & 0x78)
        #expect(answer[4...].allSatisfy { $0 == 0 })
        return DNSResponseCode(rawValue: UInt16(answer[3] & 0xF))
    }

    @Test func `a query with EDNS is read`() throws {
        let read = try query(Sample.query)
        #expect(read.id == 0x1234)
        #expect(read.recursionDesired)
        #expect(read.question.type == .a)
        #expect(read.question.name.text == "ExAmple.org")
        #expect(try read.question.name.hostName == host("example.org"))
        #expect(read.extensions == DNSExtensions(payloadSize: 1232))
    }

    @Test func `what is written is read back`() throws {
        for extensions in [nil, DNSExtensions(payloadSize: 1232)] {
            let name = DNSName(try host("www.example.org"))
            let written = DNSQuery(id: 9, question: DNSQuestion(name: name, type: .aaaa), extensions: extensions)
            #expect(try query(written.bytes) == written)
        }
    }

    @Test func `a query that is cut anywhere is refused, and ignored without a whole header`() {
        for length in 0..<Sample.query.count {
            let bytes = Array(Sample.query.prefix(length))
            if length < 12 {
                #expect(DNSQuery.read(bytes) == .ignored)
            } else {
                #expect(refusal(bytes) == .formatError)
            }
        }
    }

    @Test func `a response is never answered`() {
        var bytes = Sample.query
        bytes[2] |= 0x80
        #expect(DNSQuery.read(bytes) == .ignored)
        #expect(DNSQuery.read(Sample.response) == .ignored)
    }

    @Test(arguments: 1...15)
    func `any other opcode is not implemented`(opcode: UInt8) {
        var bytes = Sample.query
        bytes[2] = bytes[2] & 0x87 | opcode << 3
        #expect(refusal(bytes) == .notImplemented)
    }

    @Test(arguments: [(5, 0), (5, 2), (4, 1), (7, 1), (9, 1), (10, 1), (11, 0), (11, 2), (2, 3)])
    func `counts and flags that no query has are refused`(index: Int, value: UInt8) {
        var bytes = Sample.query
        bytes[index] = value
        #expect(refusal(bytes) == .formatError)
    }

    @Test func `bytes behind the end are refused`() { #expect(refusal(Sample.query + [0]) == .formatError) }

    @Test func `the additional record is EDNS of the root, or the query is refused`() {
        var named = Sample.query
        named.replaceSubrange(29...29, with: hex("01 [a] 00"))
        #expect(refusal(named) == .formatError)
        var signature = Sample.query
        signature[31] = 250
        #expect(refusal(signature) == .formatError)
        var option = Sample.query
        option[43] = 9
        #expect(refusal(option) == .formatError)
    }

    @Test func `another version of EDNS is told so`() throws {
        var bytes = Sample.query
        bytes[35] = 1
        guard case .refusal(let answer) = DNSQuery.read(bytes) else {
            Issue.record("no refusal")
            return
        }
        #expect(try DNSResponse(answer).code == .badVersion)
    }

    @Test func `a pointer in the question is refused`() {
        #expect(refusal(hex("00 01 00 00 00 01 00 00 00 00 00 00 C0 0C 00 01 00 01")) == .formatError)
        #expect(refusal(hex("00 01 00 00 00 01 00 00 00 00 00 00 01 [a] C0 04 00 01 00 01")) == .formatError)
    }
}

struct `Replies` {
    private func query(_ type: DNSType, extensions: DNSExtensions? = nil) -> DNSQuery {
        let name = DNSName(checked: hex("03 [wWw] 07 [ExAmple] 03 [org] 00"))
        return DNSQuery(id: 0xBEEF, question: DNSQuestion(name: name, type: type), extensions: extensions)
    }

    @Test func `an address, byte by byte`() {
        let reply = DNSReply(to: query(.a), addresses: [.v4(0xC612_0001)], timeToLive: 60)
        #expect(
            reply.bytes
                == hex(
                    """
                    BE EF 81 80 00 01 00 01 00 00 00 00
                    03 [wWw] 07 [ExAmple] 03 [org] 00 00 01 00 01
                    C0 0C 00 01 00 01 00 00 00 3C 00 04 C6 12 00 01
                    """))
    }

    @Test func `the question comes back as it was asked, with EDNS if it had that`() throws {
        for code in [DNSResponseCode.noError, .nameError, .serverFailure, .refused, .badVersion] {
            let asked = query(.aaaa, extensions: DNSExtensions(payloadSize: 512))
            let response = try DNSResponse(DNSReply(to: asked, code: code).bytes)
            #expect(response.answers(asked))
            #expect(response.code == code)
            #expect(response.answers.isEmpty)
        }
    }

    @Test func `the longest reply fits into 512 bytes`() {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let name = DNSName(checked: label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0])
        let asked = DNSQuery(
            id: 1, question: DNSQuestion(name: name, type: .aaaa), extensions: DNSExtensions(payloadSize: 512))
        let addresses = (0..<9).map { IPAddress.v6(high: 0, low: $0) }
        #expect(DNSReply(to: asked, addresses: addresses).bytes.count <= 512)
    }
}
