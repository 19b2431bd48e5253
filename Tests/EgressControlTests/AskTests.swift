import JailCore
import JailPolicy
import Testing

@testable import EgressControl

struct `A request for approval` {
    private static func ask(_ target: String = "/v1/x") throws -> EgressAsk {
        let path = try #require(CanonicalPath(target: target))
        let host = Host.name(try #require(HostName(user: "a.example")))
        return EgressAsk(
            id: 7,
            request: try #require(AskedRequest(scheme: .https, host: host, port: 443, method: "POST", path: path)))
    }

    @Test func `is read as it was written, and has no query`() throws {
        let ask = try Self.ask("/v1/x?secret=1")
        #expect(!ask.text.contains("secret"))
        #expect(EgressAsk(text: Array(ask.text.utf8)) == ask)
        guard case .ask(let read)? = try EgressMessage.report(EgressMessage.ask(ask).bytes, []) else {
            Issue.record("it is not understood")
            return
        }
        #expect(read == ask)
    }

    @Test(arguments: [
        ("\"id\":7", "\"id\":-1"), ("\"id\":7", "\"id\":4294967296"), ("\"https\"", "\"tcp\""), ("\"https\"", "1"),
        ("a.example", "A.example"), ("a.example", "a_b..c"), ("a.example", "a.example."), ("443", "65536"),
        ("POST", "TRACE"), ("POST", "post"), ("/v1/x", "/v1/../x"), ("/v1/x", "/v1/x?q"), ("/v1/x", "v1"),
        ("/v1/x", "/%41"), ("/v1/x", "/a%2Fb"), ("\"path\"", "\"paths\""), ("}", ",\"more\":1}"),
        ("/v1/x", "/" + String(repeating: "a", count: 512)),
    ])
    func `of any other form is none`(_ old: String, _ new: String) throws {
        let text = try Self.ask().text.replacing(old, with: new)
        #expect(EgressAsk(text: Array(text.utf8)) == nil, "\(text)")
    }

    @Test func `cut at any byte is none`() throws {
        let text = Array(try Self.ask().text.utf8)
        for count in text.indices { #expect(EgressAsk(text: Array(text.prefix(count))) == nil) }
    }

    @Test func `is withdrawn by its number alone`() throws {
        for (text, id) in [("7", 7), ("", nil), ("-1", nil), ("4294967296", nil), ("7 ", nil)] as [(String, UInt32?)] {
            let report = try EgressMessage.report([EgressMessage.withdrawn(7).bytes[0]] + Array(text.utf8), [])
            if case .withdrawn(let found)? = report { #expect(found == id) } else { #expect(id == nil) }
        }
    }

    @Test func `is answered by a grant, or a reason`() throws {
        for verdict in [EgressVerdict(id: 1, grant: 3), EgressVerdict(id: 2, grant: nil, reason: "nobody\n answered")] {
            let read = EgressVerdict(try JSON5Reader.read(Array(verdict.text.utf8), file: ""))
            #expect(read == verdict)
        }
        for text in [
            "{}", #"{"id":1,"reason":""}"#, #"{"id":1,"grant":-1,"reason":""}"#, #"{"id":1,"grant":true,"reason":""}"#,
        ] {
            #expect(EgressVerdict(try JSON5Reader.read(Array(text.utf8), file: "")) == nil)
        }
    }
}
