import Glibc
import JailPolicy
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import EgressGateway

/// Bytes to parser to check, with requests that are bent in many ways.
struct RequestFuzzTests {
    private static var runs: Int {
        unsafe getenv("CLAWJAIL_FUZZ_RUNS").flatMap { unsafe Int(String(cString: $0)) } ?? 20_000
    }

    private static let corpus = [
        "GET /a/b?c=d HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc",
        "POST /a HTTP/1.1\r\nHost: A.test:80\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
        "GET http://a.test/x HTTP/1.1\r\nhost:a.test\r\nProxy-Connection: close\r\nConnection: x, close\r\n\r\n",
        "GET /s HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "PUT /%7e/./b/../c HTTP/1.0\r\nHost: a.test\r\nX-HTTP-Method-Override: delete\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\r\nHost: b\r\n\r\n",
    ]

    private static let pieces = [
        "\r\n", "\n", "\r", " ", "\t", "\0", ":", ",", ";", "%2f", "%00", "..", "//", "\\", "#", "?", "@", "HTTP/1.1",
        "Host: a.test\r\n", "Host: b.test\r\n", "Content-Length: 3\r\n", "Content-Length: 4\r\n",
        "Content-Length: +3\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding:\u{0B}chunked\r\n", "Transfer_Encoding: chunked\r\n", "Connection: host\r\n",
        "Connection: content-length, transfer-encoding\r\n", "Upgrade: h2c\r\n", " folded\r\n", "X: \u{FF}\r\n",
        "GET / HTTP/1.1\r\n\r\n", "[::1]", "u@", "xn--a", "0\r\n\r\n", "Expect: 100-continue\r\n",
    ].map { Array($0.utf8) }

    @Test func `whatever is accepted has one reading, and no other request goes on`() throws {
        var generator = Seeded(0x00F0_22ED)
        var (accepted, refused) = (0, 0)
        for run in 0..<Self.runs {
            let bytes = Self.mutated(&generator)
            let entry: RequestEntry =
                run % 3 == 0 ? .proxy : .connection(Destination(host: .name("a.test"), port: 80), .http)
            let heads = Self.parse(bytes, &generator)
            if heads.isEmpty { refused += 1 }
            for head in heads {
                let check = RequestCheck(entry, isHTTP2: false, mostTarget: 4096, mostHeaders: 8192)
                let result = Result { () throws(RequestRefusal) in try check.check(head) }
                guard case .success(let request) = result else {
                    refused += 1
                    continue
                }
                accepted += 1
                let problem = Self.problem(request)
                #expect(problem == nil, "\(String(decoding: bytes, as: UTF8.self)): \(problem ?? "")")
            }
        }
        print("HTTP request fuzz: \(Self.runs) executions, \(accepted) accepted, \(refused) refused")
        #expect(accepted > Self.runs / 50 && refused > Self.runs / 50)
    }

    /// The heads that come out of the parser, cut anywhere on their way in.
    private static func parse(_ bytes: [UInt8], _ generator: inout Seeded) -> [HTTPRequestHead] {
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(generator.chance() ? rest.count : Int.random(in: 1...20, using: &generator))
            rest = rest.dropFirst(part.count)
            // What came before it stays read.
            guard (try? channel.writeInbound(ByteBuffer(bytes: part))) != nil else { break }
        }
        var heads: [HTTPRequestHead] = []
        while case .some(let part) = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            if case .head(let head) = part { heads.append(head) }
        }
        return heads
    }

    private static func mutated(_ generator: inout Seeded) -> [UInt8] {
        var bytes = Array(RandomRequests.pick(corpus, &generator).utf8)
        for _ in 0..<generator.next() % 4 {
            let place = Int(generator.next() % UInt64(bytes.count))
            switch generator.next() % 7 {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes += bytes[place...]
            case 4: bytes.removeLast(bytes.count - place)
            case 5:
                // Whole lines, where lines begin.
                let line = bytes.indices.filter { $0 > 1 && bytes[$0 - 1] == 0x0A }
                bytes.insert(
                    contentsOf: RandomRequests.pick(pieces, &generator),
                    at: RandomRequests.pick(line + [place], &generator))
            default: bytes.insert(contentsOf: RandomRequests.pick(pieces, &generator), at: place)
            }
            if bytes.isEmpty { bytes = [0] }
        }
        return bytes
    }

    /// nil: it is canonical: one Host, which is the destination, one framing, and what is sent reads as what was judged.
    private static func problem(_ request: CheckedRequest) -> String? {
        let headers = request.headers
        guard headers["host"] == [request.destination.authority(request.scheme)] else { return "Host" }
        let lengths = headers["content-length"]
        let codings = headers["transfer-encoding"]
        guard lengths.count + codings.count <= 1, codings.allSatisfy({ $0 == "chunked" }) else { return "framing" }
        switch request.body {
        case .none: guard lengths.allSatisfy({ $0 == "0" }), codings.isEmpty else { return "a body from nowhere" }
        case .length(let length): guard lengths == [String(length)] else { return "length" }
        case .chunked: guard !codings.isEmpty else { return "chunks" }
        }
        guard
            headers.allSatisfy({
                !$0.name.isEmpty && $0.name.utf8.allSatisfy(\.isToken) && FieldValue.isClean($0.value)
            })
        else { return "fields" }
        guard CanonicalPath(target: request.path.target) == request.path else { return "path" }
        return sentAgain(request)
    }

    private static func sentAgain(_ request: CheckedRequest) -> String? {
        var text = "\(request.method) \(request.path.target) HTTP/1.1\r\n"
        for (name, value) in request.headers { text += "\(name): \(value)\r\n" }
        guard let head = Enforcement.read(text + "\r\n") else { return "the parser refuses what is sent" }
        let entry = RequestEntry.connection(request.destination, request.scheme)
        let check = RequestCheck(entry, isHTTP2: false, mostTarget: 4096, mostHeaders: 9000)
        guard let again = try? check.check(head) else { return "the check refuses what is sent" }
        let fields = { (request: CheckedRequest) in request.headers.map { "\($0.name): \($0.value)" }.sorted() }
        guard again.question == request.question, again.path.target == request.path.target,
            fields(again) == fields(request)
        else { return "what is sent reads as something else: \(again.headers)" }
        return nil
    }
}
