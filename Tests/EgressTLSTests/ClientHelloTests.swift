import JailPolicy
import NIOCore
import Testing

@testable import EgressTLS

struct ClientHelloTests {
    private let usual = HelloBytes.usual

    private func expected(_ count: Int) throws -> ClientHello {
        ClientHello(
            serverName: try hostName("api.example.com"), alpn: ["h2", "http/1.1"],
            offersECH: false, supportedVersions: [0x0304, 0x0303], byteCount: count)
    }

    @Test func `name, protocols and versions are read`() throws {
        #expect(try parse(usual.record) == .hello(expected(usual.record.count)))
    }

    @Test func `every prefix needs more`() throws {
        for count in usual.record.indices {
            #expect(parse(Array(usual.record.prefix(count))) == .needMore, "\(count) bytes")
        }
        let slowly = parseSlowly(usual.record)
        #expect(slowly.fed == usual.record.count)
        #expect(try slowly.progress == .hello(expected(usual.record.count)))
    }

    @Test(arguments: 4...40) func `one message may come in several records`(size: Int) throws {
        let bytes = HelloBytes.records(usual.message, of: size)
        #expect(try parse(bytes) == .hello(expected(bytes.count)))
        #expect(try parseSlowly(bytes).progress == .hello(expected(bytes.count)))
    }

    @Test func `what follows the message is not counted`() throws {
        #expect(try parse(usual.record + [0x17, 3, 3, 0, 1, 0]) == .hello(expected(usual.record.count)))
    }

    @Test func `an answer stays`() {
        var parser = ClientHelloParser()
        let answer = parser.feed(ByteBuffer(bytes: usual.record))
        #expect(parser.feed(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")) == answer)
        var refusing = ClientHelloParser()
        #expect(refusing.feed(ByteBuffer(string: "GET ")) == .refused(.notTLS))
        #expect(refusing.feed(ByteBuffer(bytes: usual.record)) == .refused(.notTLS))
    }

    @Test func `letter case and one trailing dot do not matter`() {
        var hello = usual
        hello.extensions?[0] = HelloBytes.serverName(HelloBytes.name("API.Example.COM."))
        guard case .hello(let read) = parse(hello.record) else {
            Issue.record("refused")
            return
        }
        #expect(read.serverName?.text == "api.example.com")
    }

    @Test func `extensions may be missing`() {
        var hello = HelloBytes(extensions: nil)
        #expect(
            parse(hello.record)
                == .hello(
                    ClientHello(
                        alpn: [], offersECH: false, supportedVersions: [0x0303], byteCount: hello.record.count)))
        hello.extensions = []
        #expect(parse(hello.record) != .needMore)
    }

    @Test(arguments: [0xFE0D, 0xFFCE] as [UInt16]) func `an encrypted name is noticed`(type: UInt16) {
        var hello = usual
        hello.extensions?.append((type, [0, 1, 2, 3]))
        guard case .hello(let read) = parse(hello.record) else {
            Issue.record("refused")
            return
        }
        #expect(read.offersECH)
    }

    @Test func `reserved protocols are left out`() {
        var hello = usual
        hello.extensions?[1] = (16, HelloBytes.vector16([2, 0x0A, 0x0A, 2] + Array("h2".utf8)))
        guard case .hello(let read) = parse(hello.record) else {
            Issue.record("refused")
            return
        }
        #expect(read.alpn == ["h2"])
    }
}
