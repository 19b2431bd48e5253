import JailPolicy
import TestSupport
import Testing

@testable import DNSMessages

struct `Names in messages` {
    private func read(_ bytes: [UInt8], at index: Int = 0) -> Result<DNSName, DNSFormatError> {
        outcome { () throws(DNSFormatError) in
            var reader = DNSReader(bytes)
            reader.index = index
            return try reader.name()
        }
    }

    /// Twelve bytes stand for the header.
    private let header = [UInt8](repeating: 0, count: 12)

    @Test func `a name is read to its end, and no further`() throws {
        var reader = DNSReader(header + hex("03 [www] 02 [de] 00 FF"))
        reader.index = 12
        #expect(try reader.name().hostName == host("www.de"))
        #expect(reader.index == 20)
    }

    @Test func `a pointer leads backwards, and the reader goes on behind it`() throws {
        var reader = DNSReader(header + hex("03 [org] 00 01 [a] C0 0C 01 [b] C0 11 FF"))
        reader.index = 21
        #expect(try reader.name().hostName == host("b.a.org"))
        #expect(reader.index == 25)
    }

    @Test(arguments: [
        "C0 0C",  // itself
        "C0 0E",  // forwards
        "01 [a] C0 0C",  // the run that it stands in
        "C0 00",  // the header
        "C0 0B", "FF FF",
    ])
    func `a pointer that leads anywhere else is refused`(text: String) {
        #expect(read(header + hex(text) + [0, 0, 0], at: 12) == .failure(.pointer))
    }

    @Test func `two pointers that lead to each other are refused`() {
        #expect(read(header + hex("C0 0E C0 0C"), at: 14) == .failure(.pointer))
        #expect(read(header + hex("01 [a] C0 10 C0 0C"), at: 16) == .failure(.pointer))
    }

    @Test func `a chain of pointers has an end`() {
        func chain(_ count: Int) -> [UInt8] {
            var bytes = header + [0, 0]
            for index in 0..<count {
                let target = index == 0 ? 12 : 14 + 2 * (index - 1)
                bytes += [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
            }
            return bytes
        }
        #expect(read(chain(64), at: 14 + 2 * 63) == .success(.root))
        #expect(read(chain(65), at: 14 + 2 * 64) == .failure(.pointer))
    }

    @Test(arguments: ["40 [a] 00", "80 [a] 00", "BF 00"])
    func `a label of an unknown kind is refused`(text: String) {
        #expect(read(header + hex(text), at: 12) == .failure(.label))
    }

    @Test func `a name has at most 255 bytes, also through pointers`() {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let longest = label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0]
        #expect(longest.count == 255)
        #expect(read(longest).map(\.wire) == .success(longest))
        #expect(read(label + label + label + [62] + [UInt8](repeating: 0x61, count: 62) + [0]) == .failure(.nameLength))
        let bytes = header + longest + [1, 0x62, 0xC0, 12]
        #expect(read(bytes, at: 12 + 255) == .failure(.nameLength))
    }

    @Test(arguments: ["", "03", "03 [ww]", "03 [www]", "03 [www] C0"])
    func `a name that ends too early is refused`(text: String) {
        #expect(read(header + hex(text), at: 12) == .failure(.truncated))
    }

    @Test func `a dot within a label makes no other name`() throws {
        let name = DNSName(checked: hex("0B [example.org] 00"))
        #expect(name.hostName == nil)
        #expect(name.text == "example\\046org")
    }

    @Test(arguments: [
        (hex("00"), "."), (hex("01 00 00"), "\\000"), (hex("02 0A 7F 00"), "\\010\\127"),
        (hex("03 [a\\b] 02 C3 A9 00"), "a\\092b.\\195\\169"), (hex("01 20 00"), "\\032"),
    ])
    func `a name that no host has is printed without harm`(wire: [UInt8], text: String) {
        #expect(DNSName(checked: wire).text == text)
        #expect(DNSName(checked: wire).hostName == nil)
    }

    @Test(arguments: ["5F 61", "2A", "61 00", "2D 61", "E9"])
    func `letters, digits and hyphens make a host name, and nothing else`(label: String) {
        let label = hex(label)
        #expect(DNSName(checked: [UInt8(label.count)] + label + hex("03 [org] 00")).hostName == nil)
    }

    @Test func `a random case is the same name, and is drawn each time`() throws {
        var generator = Seeded(7)
        let name = DNSName(try host("a-rather-long-name.example.org"))
        let drawn = (0..<20).map { _ in name.withRandomCase(using: &generator) }
        #expect(Set(drawn).count == 20)
        #expect(drawn.allSatisfy { $0.folded == name })
    }
}
