import JailCore
import JailPolicy
import TestSupport
import Testing

/// A value without positions, for comparing.
func render(_ value: JSON5Value) -> String {
    switch value.content {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let number): "\(number.text)=\(number.integer.map { "\($0)" } ?? "?")"
    case .string(let text): JSON.string(text).text()
    case .array(let values): "[" + values.map(render).joined(separator: ",") + "]"
    case .object(let members): "{" + members.map { "\($0.key):\(render($0.value))" }.joined(separator: ",") + "}"
    }
}

struct `JSON5 values` {
    @Test(arguments: [
        ("null", "null"), (" true ", "true"), ("false", "false"), ("{}", "{}"), ("[]", "[]"),
        ("{a:1}", "{a:1=1}"), ("{a:1,}", "{a:1=1}"), ("[1,2,]", "[1=1,2=2]"), ("{'a b':1,\"c\":2}", "{a b:1=1,c:2=2}"),
        ("{$_a1:1}", "{$_a1:1=1}"), ("{\\u0061b:1}", "{ab:1=1}"), ("{über:1}", "{über:1=1}"),
        ("{true:1}", "{true:1=1}"),
        ("// x\n1 /* y\n * z **/ // end", "1=1"), ("/**/1", "1=1"), ("\u{FEFF}{\u{A0}\u{2003}a\u{FEFF}:1}", "{a:1=1}"),
        ("\t\u{B}\u{C}\r\n1", "1=1"),
    ])
    func `what the specification allows is read`(text: String, expected: String) throws {
        #expect(try render(read(text)) == expected)
    }

    @Test(arguments: [
        ("0", "0=0"), ("-0", "-0=0"), ("+7", "+7=7"), ("0x1F", "0x1F=31"), ("-0XfF", "-0XfF=-255"), (".5", ".5=?"),
        ("5.", "5.=?"), ("1.25", "1.25=?"), ("1e3", "1e3=?"), ("5.e-3", "5.e-3=?"), ("-.5E+2", "-.5E+2=?"),
        ("9223372036854775807", "9223372036854775807=9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808=-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808=?"), ("0xFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFF=?"),
        ("99999999999999999999999", "99999999999999999999999=?"), ("18446744073709551616", "18446744073709551616=?"),
        ("0x10000000000000001", "0x10000000000000001=?"),
    ])
    func `a number keeps its text, and has a value if it is an integer that fits`(text: String, expected: String) throws
    {
        #expect(try render(read(text)) == expected)
    }

    @Test(arguments: [
        (#""a'b""#, "a'b"), (#"'a"b'"#, "a\"b"), (#""\b\f\n\r\t\v""#, "\u{8}\u{C}\n\r\t\u{B}"),
        (#""\'\"\\\/\q""#, "'\"\\/q"),
        (#""\x41\u00e9""#, "Aé"), (#""\uD83D\uDE00""#, "😀"), ("\"😀é\"", "😀é"), ("\"a\\\nb\\\r\nc\\\rd\"", "abcd"),
        ("\"a\\éb\"", "aéb"), ("''", ""), (#""\u202E""#, "\u{202E}"), ("'\\\n'", ""),
    ])
    func `a string is what its escapes say`(text: String, expected: String) throws {
        guard case .string(let string) = try read(text).content else {
            Issue.record("no string")
            return
        }
        #expect(Array(string.unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test func `every value and key knows its line and column, counted in characters`() throws {
        let value = try read("{\n  é: 1, 'b': [\r\n\t\"😀\", x],\r c: // é\n 2}".replacingX(), file: "d/a.json5")
        #expect("\(value.position)" == "d/a.json5:1:1")
        guard case .object(let members) = value.content, case .array(let list) = members[1].value.content else {
            Issue.record("no object")
            return
        }
        #expect(members.map { "\($0.keyPosition.line):\($0.keyPosition.column)" } == ["2:3", "2:9", "4:2"])
        #expect(members.map { "\($0.value.position.line):\($0.value.position.column)" } == ["2:6", "2:14", "5:2"])
        #expect(list.map { "\($0.position.line):\($0.position.column)" } == ["3:2", "3:7"])
    }

    @Test func `a byte order mark is no column`() throws {
        #expect("\(try read("\u{FEFF}1").position)" == "f:1:1")
    }

    @Test func `what the JSON writer writes is read back as it was`() throws {
        var generator = Seeded(1)
        for _ in 0..<300 {
            let json = randomJSON(&generator, depth: 4)
            let text = json.text(pretty: Bool.random(using: &generator))
            #expect(rewritten(try read(text)).text() == json.text())
        }
    }

    private func rewritten(_ value: JSON5Value) -> JSON {
        switch value.content {
        case .null: .null
        case .boolean(let value): .boolean(value)
        case .number(let number): .integer(number.integer ?? 0)
        case .string(let text): .string(text)
        case .array(let values): .array(values.map(rewritten))
        case .object(let members): .object(members.map { ($0.key, rewritten($0.value)) })
        }
    }

    private func randomJSON(_ generator: inout Seeded, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth == 0 ? 4 : 6), using: &generator) {
        case 0: return .null
        case 1: return .boolean(Bool.random(using: &generator))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3: return .string(randomText(&generator))
        case 4:
            let count = Int.random(in: 0..<4, using: &generator)
            return .array((0..<count).map { _ in randomJSON(&generator, depth: depth - 1) })
        default:
            let count = Int.random(in: 0..<4, using: &generator)
            return .object(
                (0..<count).map { ("\($0)" + randomText(&generator), randomJSON(&generator, depth: depth - 1)) })
        }
    }

    private func randomText(_ generator: inout Seeded) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            1...0x7F, 0x20...0x7E, 0x80...0x24F, 0x2000...0x206F, 0xE000...0xFFFF, 0x1F600...0x10FFFF,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0..<12, using: &generator) {
            let range = ranges[Int.random(in: ranges.indices, using: &generator)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension String {
    fileprivate func replacingX() -> String { String(map { $0 == "x" ? "3" : $0 }) }
}
