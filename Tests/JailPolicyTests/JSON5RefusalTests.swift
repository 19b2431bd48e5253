import JailCore
import JailPolicy
import Testing

struct `JSON5 refusals` {
    @Test(arguments: [
        ("", "f:1:1: a value is missing at the end of the file"),
        ("// only a comment", "f:1:18: a value is missing at the end of the file"),
        ("{a: 1} x", "f:1:8: 'x' after the end of the value"),
        ("1 2", "f:1:3: '2' after the end of the value"),
        ("{a: 1,\n  a: 2}", "f:2:3: duplicate key 'a', first on line 1"),
        ("{a: 1, \"\\u0061\": 2}", "f:1:8: duplicate key 'a', first on line 1"),
        ("{a: 1", "f:1:1: this '{' is never closed"),
        ("{a", "f:1:3: ':' expected after the key 'a'"),
        ("{a:", "f:1:4: a value is missing at the end of the file"),
        ("{a 1}", "f:1:4: ':' expected after the key 'a'"),
        ("{a: 1 b: 2}", "f:1:7: ',' or '}' expected, not 'b'"),
        ("[1 2]", "f:1:4: ',' or ']' expected, not '2'"),
        ("[1}", "f:1:3: ',' or ']' expected, not '}'"),
        ("[1", "f:1:1: this '[' is never closed"),
        ("[1,", "f:1:1: this '[' is never closed"),
        ("{,}", "f:1:2: a key expected, not ','"),
        ("[,]", "f:1:2: a value expected, not ','"),
        ("{1a: 2}", "f:1:2: a key expected, not '1'"),
        ("{a-b: 2}", "f:1:3: ':' expected after the key 'a'"),
        ("{a: yes}", "f:1:5: 'yes' is no value; a text needs quotes"),
        ("{a: }", "f:1:5: a value expected, not '}'"),
        ("True", "f:1:1: 'True' is no value; a text needs quotes"),
        ("/* a\n", "f:1:1: this comment is never closed"),
        ("/ 1", "f:1:1: a value expected, not '/'"),
        ("é", "f:1:1: a value expected, not 'é'"),
    ])
    func `a broken text is refused at its place`(text: String, expected: String) {
        #expect(message { try read(text) } == expected)
    }

    @Test(arguments: [
        ("Infinity", "Infinity is no value here"), ("NaN", "NaN is no value here"),
        ("-Infinity", "Infinity and NaN are no values here"), ("+NaN", "Infinity and NaN are no values here"),
        ("0123", "a number that ends with '1'"), ("1x", "a number that ends with 'x'"),
        ("1.2.3", "a number that ends with '.'"),
        ("0x", "a number without digits"), ("0xg", "a number without digits"), (".", "a number without digits"),
        ("-", "a number without digits"), ("1e", "a number without digits"), ("1e+", "a number without digits"),
        ("--1", "a number without digits"), ("+ 1", "a number without digits"),
        ("0x1.8", "a number that ends with '.'"),
        (".e1", "a number without digits"), ("1_000", "a number that ends with '_'"),
    ])
    func `a broken number is refused`(text: String, reason: String) {
        #expect(message { try read(text) } == "f:1:1: \(reason)")
    }

    @Test(arguments: [
        ("'abc", "1:1: this string is never closed"), ("'a\nb'", "1:1: this string is not closed on its line"),
        ("'a\rb'", "1:1: this string is not closed on its line"), ("'a\tb'", "1:3: a raw control character (U+0009)"),
        ("'a\u{0}'", "1:3: a raw control character (U+0000)"), ("'\u{1B}[2J'", "1:2: a raw control character (U+001B)"),
        ("'\u{7F}'", "1:2: a raw control character (U+007F)"), ("'é\u{9B}'", "1:3: a raw control character (U+009B)"),
        (#"'\0'"#, "1:2: NUL is no part of a text"), (#"'\u0000'"#, "1:2: NUL is no part of a text"),
        (#"'\x00'"#, "1:2: NUL is no part of a text"), (#"'\1'"#, "1:2: a digit is no escape"),
        (#"'\9'"#, "1:2: a digit is no escape"),
        (#"'\u12'"#, "1:2: 4 hexadecimal digits expected"), (#"'\xg0'"#, "1:2: 2 hexadecimal digits expected"),
        (#"'\uD800'"#, "1:2: an unpaired surrogate"), (#"'\uDC00'"#, "1:2: an unpaired surrogate"),
        (#"'\uD800\u0041'"#, "1:2: an unpaired surrogate"), (#"'\uD800\uD800'"#, "1:2: an unpaired surrogate"),
        (#"'\uDC00\uD800'"#, "1:2: an unpaired surrogate"), ("'\\", "1:2: this string is never closed"),
        ("'\\\u{1}'", "1:3: a raw control character (U+0001)"),
        (#"{\x41: 1}"#, "1:2: only \\u escapes in a bare key"), (#"{\u0020a: 1}"#, "1:2: U+0020 needs a key in quotes"),
        (#"{\u0031: 1}"#, "1:2: U+0031 needs a key in quotes"),
    ])
    func `a broken string is refused`(text: String, reason: String) {
        #expect(message { try read(text) } == "f:\(reason)")
    }

    @Test(arguments: [
        "// \u{202E}x\n1", "'\u{2066}'", "// a\u{2028}1\n2", "'\u{2029}'", "{\u{202A}a: 1}", "'\\\u{2028}'",
    ])
    func `a character that makes the text look different is refused everywhere`(text: String) {
        #expect(message { try read(text) }.contains("must be written as an escape"))
    }

    @Test(arguments: ["// \u{1B}]0;x\u{7}\n1", "/* \u{0} */1", "/* \u{85} */1"])
    func `a control character in a comment is refused`(text: String) {
        #expect(message { try read(text) }.contains("a raw control character"))
    }

    @Test(
        arguments: [
            [0xFF], [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xFE, 0xFE],
        ] as [[UInt8]])
    func `invalid UTF-8 is refused in strings, comments and between them`(bytes: [UInt8]) {
        for (before, after) in [("'", "'"), ("/*", "*/1"), ("", "1"), ("{", ":1}"), ("//", ""), ("'\\", "'")] {
            let text = Array(before.utf8) + bytes + Array(after.utf8)
            #expect(message { try JSON5Reader.read(text, file: "f") } == "f:1:\(before.utf8.count + 1): invalid UTF-8")
        }
    }

    @Test func `nesting ends at its limit`() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        _ = try read(nested(32, "[", "]"))
        #expect(message { try read(nested(33, "[", "]")) } == "f:1:33: more than 32 levels of nesting")
        _ = try read(nested(32, "{a:", "}"))
        #expect(message { try read(nested(33, "{a:", "}")) } == "f:1:97: more than 32 levels of nesting")
        #expect(message { try read(String(repeating: "[", count: 1_000_000)) }.contains("32 levels"))
        // What was closed counts no longer.
        _ = try read("[" + String(repeating: "[[]],", count: 100) + "]")
    }

    @Test func `a text of more than 1 MiB is refused`() throws {
        let filling = String(repeating: " ", count: (1 << 20) - 1)
        _ = try read(filling + "1")
        #expect(message { try read(filling + " 1") } == "f:1:1: longer than 1 MiB")
    }

    @Test func `a duplicate among many keys is found`() {
        let many = (0..<40).map { "k\($0):0" }.joined(separator: ",")
        for name in ["k0", "k15", "k16", "k17", "k39"] {
            #expect(message { try read("{\(many),\(name):1}") }.contains("duplicate key '\(name)'"))
        }
    }

    @Test func `hostile sizes take linear time`() throws {
        let clock = ContinuousClock()
        let texts = [
            "{" + (0..<90_000).map { "k\($0):1" }.joined(separator: ",") + "}",
            "[" + String(repeating: "'\\u0041\\n',", count: 80_000) + "]",
            String(repeating: "/**/\n", count: 200_000) + "1",
            String(repeating: "9", count: 1_000_000),
            "'" + String(repeating: "é", count: 500_000) + "'",
            "'" + String(repeating: "e\u{301}", count: 300_000) + "'",
        ]
        for text in texts {
            let time = try clock.measure { _ = try read(text) }
            // Quadratic behaviour would take minutes; the bound leaves room for a slow and busy machine.
            #expect(time < .seconds(20))
        }
    }

    @Test func `an error shows hostile bytes harmlessly and briefly`() {
        let text = message { try read("{'\\u001b[2J\\n\(String(repeating: "x", count: 5000))' 1}") }
        #expect(text.contains("\\u{1b}[2J\\n"))
        #expect(text.utf8.count < 300)
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test func `no truncation or changed byte of a text makes the reader crash`() throws {
        let text = Array("{a: [1, -0x1F, .5e3, 'x\\u00e9\\\n', \"😀\"], /* é */ 'b': {c: null, d: true}, // end\n}".utf8)
        _ = try JSON5Reader.read(text, file: "f")
        for end in text.indices {
            #expect(throws: JSON5Error.self) { try JSON5Reader.read(Array(text[..<end]), file: "f") }
        }
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                _ = try? JSON5Reader.read(changed, file: "f")
            }
        }
    }
}
