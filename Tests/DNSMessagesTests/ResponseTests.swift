import JailPolicy
import Testing

@testable import DNSMessages

struct `Responses` {
    private let first = IPAddress.v4(0xC000_0201)
    private let second = IPAddress.v4(0xC000_0202)

    /// A response to `a.b A` with these answer records; `count` where it is not what it says.
    private func response(_ records: [String], code: String = "80", count: UInt8? = nil) -> [UInt8] {
        hex("00 07 81 \(code) 00 01 00") + [count ?? UInt8(records.count)]
            + hex("00 00 00 00 01 [a] 01 [b] 00 00 01 00 01") + records.flatMap(hex)
    }

    private func addresses(_ records: [String]) throws -> DNSResponse.Addresses? {
        try DNSResponse(response(records)).addresses
    }

    @Test func `aliases are followed, and the shortest time counts`() throws {
        let read = try DNSResponse(Sample.response)
        #expect(read.id == 0x1234)
        #expect(read.code == .noError)
        #expect(read.answers.count == 3)
        #expect(read.authorities.map(\.content) == [.zone(minimum: 5)])
        #expect(read.addresses == DNSResponse.Addresses(addresses: [first, second], timeToLive: 60))
    }

    @Test func `a response that is cut anywhere is refused`() {
        for length in 0..<Sample.response.count {
            #expect(fault(Array(Sample.response.prefix(length))) == .truncated)
        }
        #expect(fault(Sample.response + [0]) == .trailing)
    }

    @Test func `only the same id and the same spelling answer a query`() throws {
        let read = try DNSResponse(DNSReply(to: DNSQuery(id: 1, question: question("Ab"))).bytes)
        #expect(read.answers(DNSQuery(id: 1, question: question("Ab"))))
        #expect(!read.answers(DNSQuery(id: 2, question: question("Ab"))))
        #expect(!read.answers(DNSQuery(id: 1, question: question("ab"))))
        #expect(!read.answers(DNSQuery(id: 1, question: question("Ab", .aaaa))))
        var chaos = question("Ab")
        chaos.recordClass = 3
        #expect(!read.answers(DNSQuery(id: 1, question: chaos)))
    }

    private func question(_ label: String, _ type: DNSType = .a) -> DNSQuestion {
        DNSQuestion(name: DNSName(checked: hex("02 [\(label)] 00")), type: type)
    }

    @Test func `records of other names, types and classes are no addresses`() throws {
        let found = try addresses([
            "01 [c] 01 [b] 00 00 01 00 01 00 00 00 09 00 04 01 01 01 01",
            "C0 0C 00 1C 00 01 00 00 00 09 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01",
            "C0 0C 00 01 00 03 00 00 00 09 00 04 01 01 01 01",
            "C0 0C 00 10 00 01 00 00 00 09 00 04 01 01 01 01",
        ])
        #expect(found?.addresses.isEmpty == true)
    }

    @Test func `letter case makes no other name`() throws {
        #expect(
            try addresses(["01 [A] 01 [B] 00 00 01 00 01 00 00 00 09 00 04 C0 00 02 01"])
                == DNSResponse.Addresses(addresses: [first], timeToLive: 9))
    }

    @Test func `an alias that nobody resolves leads to no address`() throws {
        let found = try addresses(["C0 0C 00 05 00 01 00 00 00 09 00 04 01 [c] C0 0E"])
        #expect(found == DNSResponse.Addresses(addresses: [], timeToLive: 9))
    }

    @Test func `aliases in a circle, and two of one name, are refused`() throws {
        let circle = [
            "C0 0C 00 05 00 01 00 00 00 09 00 03 01 [c] 00", "01 [c] 00 00 05 00 01 00 00 00 09 00 02 C0 0C",
        ]
        #expect(try addresses(circle) == nil)
        let fork = ["C0 0C 00 05 00 01 00 00 00 09 00 03 01 [c] 00", "C0 0C 00 05 00 01 00 00 00 09 00 03 01 [d] 00"]
        #expect(try addresses(fork) == nil)
        #expect(try addresses(["C0 0C 00 05 00 01 00 00 00 09 00 02 C0 0C"]) == nil)
    }

    @Test func `sixteen aliases are followed, and no more`() throws {
        func chain(_ count: UInt8) throws -> [IPAddress]? {
            var records = ["C0 0C 00 05 00 01 00 00 00 09 00 03 01 61 00"]
            for index in 1..<count {
                let owner = String(0x60 + index, radix: 16)
                records.append("01 \(owner) 00 00 05 00 01 00 00 00 09 00 03 01 \(String(0x61 + index, radix: 16)) 00")
            }
            records.append("01 \(String(0x60 + count, radix: 16)) 00 00 01 00 01 00 00 00 09 00 04 C0 00 02 01")
            return try addresses(records)?.addresses
        }
        #expect(try chain(16) == [first])
        #expect(try chain(17) == nil)
    }

    @Test(arguments: [
        "C0 0C 00 01 00 01 00 00 00 09 00 03 01 01 01", "C0 0C 00 01 00 01 00 00 00 09 00 05 01 01 01 01 01",
        "C0 0C 00 1C 00 01 00 00 00 09 00 04 01 01 01 01", "C0 0C 00 05 00 01 00 00 00 09 00 04 01 [c] 00 00",
        "C0 0C 00 06 00 01 00 00 00 09 00 15 00 00 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 05",
        "00 00 29 04 D0 00 00 00 00 00 03 00 01 00",
    ])
    func `data that does not fit its type is refused`(record: String) {
        #expect([.record, .truncated].contains(fault(response([record]))))
    }

    @Test func `data cannot be longer than the message`() {
        #expect(fault(response(["C0 0C 00 10 00 01 00 00 00 09 FF FF 01"])) == .truncated)
        // A name that begins in the record and ends behind it.
        #expect(
            fault(response(["C0 0C 00 05 00 01 00 00 00 09 00 01 01 [c] 00", "00 00 10 00 01 00 00 00 09 00 00"]))
                == .record)
    }

    @Test func `a count that is not so is refused`() {
        let record = "C0 0C 00 01 00 01 00 00 00 09 00 04 01 01 01 01"
        #expect(fault(response([record], count: 2)) == .truncated)
        #expect(fault(response([record], count: 0)) == .trailing)
        #expect(fault(response(Array(repeating: record, count: 3), count: 255)) == .truncated)
    }

    @Test func `a time with its highest bit set is none`() throws {
        let found = try addresses(["C0 0C 00 01 00 01 80 00 00 09 00 04 C0 00 02 01"])
        #expect(found?.timeToLive == 0)
    }

    @Test func `EDNS carries the high bits of the code, once`() throws {
        let edns = "00 00 29 04 D0 01 00 00 00 00 00"
        var bytes = response([edns], code: "87")
        bytes.replaceSubrange(6..<12, with: [0, 0, 0, 0, 0, 1])
        #expect(try DNSResponse(bytes).code == DNSResponseCode(rawValue: 0x17))
        bytes[11] = 2
        #expect(fault(bytes + hex(edns)) == .counts)
    }

    @Test func `of a truncated response only the question counts`() throws {
        var bytes = response(["C0 0C 00 01 00 01 00"])
        bytes[2] |= 2
        let read = try DNSResponse(bytes)
        #expect(read.isTruncated)
        #expect(read.answers.isEmpty)
    }

    @Test func `a query, another opcode and two questions are no response`() {
        #expect(fault(Sample.query) == .header)
        var bytes = Sample.response
        bytes[2] |= 0x10
        #expect(fault(bytes) == .header)
        bytes = Sample.response
        bytes[5] = 2
        #expect(fault(bytes) == .counts)
        bytes[5] = 0
        #expect(fault(bytes) == .counts)
    }

    @Test func `the largest message of records costs no noticeable time`() throws {
        var bytes = response([])
        let count = (65_535 - bytes.count) / 16
        bytes[6] = UInt8(count >> 8)
        bytes[7] = UInt8(count & 0xFF)
        for _ in 0..<count { bytes += hex("C0 0C 00 01 00 01 00 00 00 09 00 04 C0 00 02 01") }
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try DNSResponse(bytes).addresses?.addresses.count == count)
        #expect(clock.now - start < .seconds(2))
    }
}
