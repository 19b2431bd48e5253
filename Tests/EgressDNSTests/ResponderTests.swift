import DNSMessages
import JailPolicy
import NIOCore
import Testing

@testable import EgressDNS

/// A responder, and what it told.
final class Recorder {
    var events: [DNSResponder.Event] = []
    var untold = 0

    func responder(
        _ settings: DNSResponder.Settings = .init(), table: NameTable? = nil, allowed: Set<String> = []
    ) throws -> DNSResponder {
        DNSResponder(table: try table ?? NameTable(), settings: settings) {
            allowed.contains($0.text)
        } onEvent: { event, before in
            self.events.append(event)
            self.untold += before
        }
    }
}

struct `Responder` {
    private let recorder = Recorder()

    private func ask(_ responder: DNSResponder, _ query: DNSQuery) throws -> DNSResponse {
        let answer = try #require(responder.answer(query.bytes, now: .second(0)))
        let response = try DNSResponse(answer)
        #expect(response.answers(query))
        return response
    }

    @Test func `an allowed name has one synthetic address, and always the same`() throws {
        let responder = try recorder.responder(allowed: ["example.org"])
        for spelling in ["example.org", "EXAMPLE.org", "eXaMpLe.oRg"] {
            let labels = spelling.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            let bytes = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, 1, 0, 1]
            let answer = try #require(responder.answer(bytes, now: .second(0)))
            // Spelled as it was asked for.
            #expect(Array(answer[12..<bytes.count]) == Array(bytes[12...]))
            let addresses = try #require(DNSResponse(answer).addresses)
            #expect(addresses.addresses == [.v4(0xC612_0001)])
            #expect(addresses.timeToLive == 60)
        }
        #expect(recorder.events.isEmpty)
    }

    @Test(arguments: [
        DNSType.aaaa, .https, .svcb, .txt, .mx, .any, .ptr, .soa, .cname, .opt, DNSType(rawValue: 0),
        DNSType(rawValue: 252), DNSType(rawValue: 65_535),
    ])
    func `an allowed name has nothing else`(type: DNSType) throws {
        let response = try ask(recorder.responder(allowed: ["example.org"]), query("example.org", type))
        #expect(response.code == .noError)
        #expect(response.answers.isEmpty && response.authorities.isEmpty)
    }

    @Test(arguments: [DNSType.a, .aaaa, .txt, .https, .any])
    func `any other name does not exist, whatever is asked of it`(type: DNSType) throws {
        let table = try NameTable()
        let responder = try recorder.responder(table: table, allowed: ["example.org"])
        #expect(try ask(responder, query("www.example.org", type)).code == .nameError)
        #expect(recorder.events == [.denied("www.example.org")])
        #expect(table.count == 0)
    }

    @Test func `a name that no host can have does not exist, and is told as harmless text`() throws {
        let responder = try recorder.responder(allowed: ["example.org", "a.b"])
        for (wire, text) in [
            ([4, 0x5F, 0x61, 0x0A, 0x62, 0], "_a\\010b"), ([3, 0x61, 0x2E, 0x62, 0], "a\\046b"), ([0], "."),
            ([1, 0x31, 0], "1"),
        ] as [([UInt8], String)] {
            let bytes = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + wire + [0, 1, 0, 1]
            let answer = try #require(responder.answer(bytes, now: .second(0)))
            #expect(try DNSResponse(answer).code == .nameError)
            #expect(recorder.events.last == .denied(text))
        }
    }

    @Test func `localhost is the jail itself, without any rule`() throws {
        let responder = try recorder.responder()
        for name in ["localhost", "a.localhost"] {
            #expect(try ask(responder, query(name)).addresses?.addresses == [.v4(0x7F00_0001)])
            #expect(try ask(responder, query(name, .aaaa)).addresses?.addresses == [.v6(high: 0, low: 1)])
            #expect(try ask(responder, query(name, .txt)).answers.isEmpty)
        }
        #expect(try ask(responder, query("notlocalhost")).code == .nameError)
        #expect(try ask(responder, query("localhost.example.org")).code == .nameError)
    }

    @Test func `other classes are refused`() throws {
        var chaos = try query("example.org", .txt)
        chaos.question.recordClass = 3
        #expect(try ask(recorder.responder(allowed: ["example.org"]), chaos).code == .refused)
    }

    @Test func `without a free address the name cannot be told`() throws {
        let file = try MemoryFile()
        let table = try NameTable(descriptor: file.readOnly(), now: .second(0))
        let responder = try recorder.responder(table: table, allowed: ["example.org"])
        #expect(try ask(responder, query("example.org")).code == .serverFailure)
        #expect(
            try recorder.events
                == [.noAddress(host("example.org"), NameStoreError(call: "pwrite", errno: 9))])
    }

    @Test func `a flood of queries is refused, and does not fill the channel of events`() throws {
        var settings = DNSResponder.Settings()
        settings.queries = RateLimit(burst: 50, perMinute: 60)
        settings.events = RateLimit(burst: 5, perMinute: 60)
        let responder = try recorder.responder(settings, allowed: ["example.org"])
        var codes: [DNSResponseCode] = []
        for number in 0..<80 { codes.append(try ask(responder, query("n\(number).example")).code) }
        #expect(codes == Array(repeating: .nameError, count: 50) + Array(repeating: .refused, count: 30))
        #expect(recorder.events.count == 5)
        #expect(recorder.untold == 0)
        let later = try #require(responder.answer(query("late.example").bytes, now: .second(60)))
        #expect(try DNSResponse(later).code == .nameError)
        #expect(recorder.events.last == .denied("late.example"))
        #expect(recorder.untold == 75)
    }

    @Test func `malformed queries are told so, and responses are not answered`() throws {
        let responder = try recorder.responder(allowed: ["example.org"])
        let bytes = try query("example.org").bytes
        for length in 0..<bytes.count {
            let answer = responder.answer(Array(bytes.prefix(length)), now: .second(0))
            if length < 12 { #expect(answer == nil) } else { #expect(answer?[3] == 0x81) }
        }
        #expect(try responder.answer(DNSReply(to: query("example.org")).bytes, now: .second(0)) == nil)
        #expect(recorder.events.isEmpty)
    }
}
