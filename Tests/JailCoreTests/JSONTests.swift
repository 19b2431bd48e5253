import Foundation
import JailCore
import Testing

struct `Written JSON` {
    @Test func `members stay in the order they are given in`() {
        let value: JSON = ["z": 1, "a": ["y", true, .null], "m": ["k": -5]]
        #expect(value.text() == #"{"z":1,"a":["y",true,null],"m":{"k":-5}}"#)
    }

    @Test func `pretty text has two spaces for each level, and empty lists none`() {
        let value: JSON = ["a": [1, ["b": 2]], "e": [], "o": .object([])]
        #expect(
            value.text(pretty: true) == """
                {
                  "a": [
                    1,
                    {
                      "b": 2
                    }
                  ],
                  "e": [],
                  "o": {}
                }
                """)
    }

    @Test func `quotes, backslashes and control characters are escaped`() {
        let text = JSON.string("\"\\\n\r\t\u{0}\u{1B}\u{7F}\u{9F}\u{2028}\u{202E}\u{2069}é🦞").text()
        #expect(text == #""\"\\\n\r\t\u0000\u001b\u007f\u009f\u2028\u202e\u2069é🦞""#)
    }

    @Test func `keys are escaped as values are`() {
        #expect(JSON.object([("a\"\n", 1)]).text() == #"{"a\"\n":1}"#)
    }

    @Test func `an independent reader gets back every character`() throws {
        let scalars = (UInt32(0)...0x30FF).compactMap(Unicode.Scalar.init) + ["🦞", "\u{10FFFF}"]
        var all = ""
        all.unicodeScalars.append(contentsOf: scalars)
        let bytes = Data(JSON.array([.string(all)]).text().utf8)
        let read = try JSONSerialization.jsonObject(with: bytes) as? [String]
        #expect(read?.first.map { Array($0.unicodeScalars) } == Array(all.unicodeScalars))
    }

    @Test func `numbers beyond 64 bits are clamped, absent text is null`() {
        #expect(JSON.number(UInt64.max).text() == "9223372036854775807")
        #expect(JSON.number(Int64.min).text() == "-9223372036854775808")
        #expect(JSON.optional(nil).text() == "null")
        #expect(JSON.optional("x").text() == "\"x\"")
        #expect(JSON.strings(["a", "b"]).text() == #"["a","b"]"#)
    }
}
