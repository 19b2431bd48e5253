import TestSupport
import Testing

@testable import EgressGateway

/// Keeps what it is given.
struct EventLog: JSONReceiver {
    var events: [JSONEvent] = []

    mutating func take(_ event: JSONEvent) throws(JSONStreamError) { events.append(event) }
}

struct JSONStreamTests {
    /// nil: it is refused.
    static func read(_ text: String) -> [JSONEvent]? {
        var stream = JSONStream()
        var log = EventLog()
        do throws(JSONStreamError) {
            try stream.feed(text.utf8, &log)
            try stream.finish(&log)
            return log.events
        } catch { return nil }
    }

    static func string(_ text: String) -> JSONEvent { .string(JSONText(text: text, isCut: false)) }

    @Test func `values come out in their order`() {
        let text = #" {"a" : [1, -2.5e+3, true,false , null, "x\ny"], "b\u0062":{}, "c":[] } "#
        #expect(
            Self.read(text) == [
                .beginObject, .key(JSONText(text: "a", isCut: false)), .beginArray, .number("1"), .number("-2.5e+3"),
                .boolean(true), .boolean(false), .null, Self.string("x\ny"), .end,
                .key(JSONText(text: "bb", isCut: false)), .beginObject, .end, .key(JSONText(text: "c", isCut: false)),
                .beginArray, .end, .end,
            ])
        #expect(Self.read("7") == [.number("7")] && Self.read("true") == [.boolean(true)])
    }

    @Test(arguments: [
        (#""\ud83d\ude00""#, "😀"), (#""\u00e9é\/\\\"\b\f\r\t""#, "éé/\\\"\u{8}\u{c}\r\t"), (#""\ud83dx""#, "\u{FFFD}x"),
        (#""\ude00""#, "\u{FFFD}"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\n""#, "\u{FFFD}\n"),
        (#""\ud83d""#, "\u{FFFD}"),
    ])
    func `escapes are what they stand for`(text: String, value: String) {
        #expect(Self.read(text) == [Self.string(value)])
    }

    @Test(arguments: [
        "", " ", "{", "[", "]", "}", "{]", "[}", "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "[1 2]", "1 2", "{} {}", "nul", "nulls", "TRUE", "True", "NaN", "Infinity", "-", "+1", ".5", "\"",
        "\"\\", "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\u{0}\"", "// x\n1", "/**/1", "[1]x", "\u{FEFF}1",
        "\u{A0}1", "{\"a\":1 \"b\":2}", "{1:2}", "[\"a\":1]", "{\"a\",1}", "0x10", "--", "1-", "[-]",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test func `it is the same however the bytes come`() {
        let text = Array(#"{"a":[1,{"b":"ü\u00fc\ud83d\ude00"}],"c":12.5}"#.utf8)
        for cut in text.indices {
            var stream = JSONStream()
            var log = EventLog()
            #expect(throws: Never.self) {
                try stream.feed(text[..<cut], &log)
                try stream.feed(text[cut...], &log)
                try stream.finish(&log)
            }
            #expect(log.events == Self.read(String(decoding: text, as: UTF8.self)))
        }
    }

    @Test func `memory and depth are bounded`() {
        let long = String(repeating: "x", count: 100_000)
        let cut = String(long.prefix(JSONStream.mostKept))
        #expect(Self.read("\"\(long)\"") == [.string(JSONText(text: cut, isCut: true))])
        #expect(Self.read(String(repeating: "1", count: 1000)) == nil)
        let deep = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        #expect(Self.read(deep(JSONStream.mostDepth)) != nil)
        #expect(Self.read(deep(JSONStream.mostDepth + 1)) == nil)
        #expect(Self.read(String(repeating: "[", count: 1_000_000)) == nil)
    }

    @Test func `random bytes bring nothing down`() {
        var generator = Seeded(3)
        let alphabet = Array(#"{}[]",:\u0dtrfalsn1-.e "#.utf8) + [0, 0xFF, 0xC3, 0x0A]
        for _ in 0..<5000 {
            let bytes = (0..<40).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            var stream = JSONStream()
            var reader = RequestReader(.chat, more: [])
            try? stream.feed(bytes, &reader)
            try? stream.finish(&reader)
        }
    }
}
