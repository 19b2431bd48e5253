import NIOCore
import Testing

@testable import EgressTLS

struct ClientHelloRefusalTests {
    private func refusal(_ change: (inout HelloBytes) -> Void) -> ClientHelloParser.Progress {
        var hello = HelloBytes.usual
        change(&hello)
        // However it is cut, the answer is the same.
        #expect(parseSlowly(hello.record).progress == parse(hello.record))
        return parse(hello.record)
    }

    private func isMalformed(_ progress: ClientHelloParser.Progress) -> Bool {
        if case .refused(.malformed) = progress { true } else { false }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\u{15}\u{3}\u{1}", "\u{17}\u{3}\u{3}", "\u{16}\u{2}\u{0}", "\0", "\n",
    ]) func `what is not TLS is refused`(text: String) {
        #expect(parse(Array(text.utf8)) == .refused(.notTLS))
    }

    @Test func `what is not TLS is refused at its first byte`() {
        #expect(parse([0x47]) == .refused(.notTLS))
        // SSL 2: length 46, CLIENT-HELLO, version 3.1.
        #expect(parse([0x80, 0x2E, 0x01, 0x03, 0x01]) == .refused(.notTLS))
        #expect(parse([0x16, 3, 1, 0, 5, 2]) == .refused(.notTLS))
    }

    @Test func `lengths that contradict are refused`() {
        #expect(isMalformed(refusal { $0.tail = [0] }))
        #expect(isMalformed(refusal { $0.session = [UInt8](repeating: 0, count: 33) }))
        #expect(isMalformed(refusal { $0.suites = [] }))
        #expect(isMalformed(refusal { $0.suites = [1, 2, 3] }))
        #expect(isMalformed(refusal { $0.compression = [] }))
        #expect(isMalformed(refusal { $0.version = 0x0203 }))
        #expect(
            isMalformed(
                refusal {
                    $0.extensions?.append((5, []))
                    $0.tail = [0, 5, 0]
                }))
        #expect(isMalformed(refusal { $0.extensions?[1] = (16, []) }))
        #expect(isMalformed(refusal { $0.extensions?[1] = (16, [0, 0]) }))
        #expect(isMalformed(refusal { $0.extensions?[1] = (16, [0, 1, 0]) }))
        #expect(isMalformed(refusal { $0.extensions?[1] = (16, [0, 3, 2, 65, 65, 65]) }))
        #expect(isMalformed(refusal { $0.extensions?[2] = (43, [0]) }))
        #expect(isMalformed(refusal { $0.extensions?[2] = (43, [3, 3, 4, 3]) }))
        #expect(isMalformed(refusal { $0.extensions?[2] = (43, [2, 3, 4, 0]) }))
    }

    @Test func `every cut of the message that claims to be whole is refused`() {
        let body = Array(HelloBytes.usual.message.dropFirst(4))
        // The one prefix that is whole: without an extension block.
        let whole = HelloBytes(extensions: nil).message.count - 4
        for count in body.indices where count != whole {
            let header: [UInt8] = [1, 0] + HelloBytes.number(UInt16(count))
            #expect(isMalformed(parse(HelloBytes.records(header + body.prefix(count), of: 16_384))), "\(count) bytes")
        }
    }

    @Test func `an extension that comes twice is refused`() {
        #expect(refusal { $0.extensions?.append(HelloBytes.alpn("h2")) } == .refused(.duplicateExtension(16)))
        #expect(
            refusal { $0.extensions?.append(HelloBytes.serverName(HelloBytes.name("evil.example"))) }
                == .refused(.duplicateExtension(0)))
        #expect(
            refusal { $0.extensions? += [(0x0A0A, []), (0x0A0A, [])] } == .refused(.duplicateExtension(0x0A0A)))
    }

    @Test func `more than one name is refused`() {
        let names = HelloBytes.serverName(HelloBytes.name("api.example.com"), HelloBytes.name("evil.example"))
        #expect(refusal { $0.extensions?[0] = names } == .refused(.severalServerNames))
        let types = HelloBytes.serverName(HelloBytes.name("api.example.com"), HelloBytes.name("x", type: 1))
        #expect(refusal { $0.extensions?[0] = types } == .refused(.severalServerNames))
    }

    @Test func `a name of another type, or none, is refused`() {
        #expect(
            isMalformed(refusal { $0.extensions?[0] = HelloBytes.serverName(HelloBytes.name("x.example", type: 1)) }))
        #expect(isMalformed(refusal { $0.extensions?[0] = HelloBytes.serverName() }))
        #expect(isMalformed(refusal { $0.extensions?[0] = (0, []) }))
        #expect(isMalformed(refusal { $0.extensions?[0].content.append(0) }))
    }

    @Test(arguments: [
        "", ".", "api.example.com\0.evil.example", "api..example.com", "api.example.com..", "*.example.com",
        "a b.example",
        "b\u{FC}cher.example", "-a.example", "api.example.com:443", "user@api.example.com", "api.example.com/", "[::1]",
        String(repeating: "a", count: 64) + ".example", String(repeating: "a.", count: 200) + "example",
    ]) func `what is no host name is refused`(name: String) {
        let names = HelloBytes.serverName(HelloBytes.name(name))
        #expect(refusal { $0.extensions?[0] = names } == .refused(.notAHostName))
    }

    @Test func `a record is neither empty nor too long`() {
        #expect(parse([0x16, 3, 1, 0, 0]) == .refused(.malformed("record length 0")))
        #expect(parse([0x16, 3, 1, 0x40, 1]) == .refused(.malformed("record length 16385")))
    }

    @Test func `no other record interrupts, and nothing shares the last one`() {
        let message = HelloBytes.usual.message
        let half = HelloBytes.records(Array(message.prefix(40)), of: 40)
        #expect(parse(half + [0x14, 3, 3, 0, 1, 1]) == .refused(.malformed("another record interrupts the message")))
        #expect(isMalformed(parse(HelloBytes.records(message + [1], of: 16_384))))
        #expect(isMalformed(parse(HelloBytes.records(message + message, of: 16_384))))
    }

    @Test func `length and number of records are limited`() {
        let header: [UInt8] = [1, 1, 0, 0]
        #expect(parse(HelloBytes.records(header, of: 4)) == .refused(.tooLong))
        #expect(parse(HelloBytes.records([1, 0xFF, 0xFF, 0xFF], of: 4)) == .refused(.tooLong))
        #expect(parse(HelloBytes.records(HelloBytes.usual.message, of: 1)) == .refused(.tooManyRecords))
        var largest = HelloBytes.usual
        largest.extensions?.append((21, [UInt8](repeating: 0, count: 60_000)))
        #expect(parse(largest.record) != .needMore)
        #expect(parseSlowly(largest.record).progress == parse(largest.record))
    }

    @Test func `too many extensions are refused`() {
        #expect(isMalformed(refusal { $0.extensions = (100...400).map { ($0, []) } }))
    }
}
