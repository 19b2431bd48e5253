import Testing

@testable import JailView

struct `A log on a terminal` {
    private func escaped(_ parts: [UInt8]...) -> String {
        var text = LogText()
        return parts.map { text.escape($0) }.joined() + text.escape([], isLast: true)
    }

    @Test func `text stays, control characters are written out`() {
        #expect(escaped(Array("a\tb\né😀\r\n".utf8)) == "a\tb\né😀\n")
        #expect(escaped(Array("\u{1B}]0;title\u{7}".utf8)) == #"\x1b]0;title\x07"#)
        #expect(escaped(Array("a\rb\u{8}\u{7F}".utf8)) == #"a\x0db\x08\x7f"#)
        // C1 controls, in UTF-8 and alone, and what turns the direction of text.
        #expect(escaped(Array("\u{9B}2J\u{202E}".utf8)) == #"\u{9b}2J\u{202e}"#)
        #expect(escaped([0x9B, 0x32, 0x4A]) == #"\x9b2J"#)
    }

    @Test func `characters that come in parts are whole`() {
        #expect(escaped([0xE2], [0x82], [0xAC]) == "€")
        #expect(escaped([0xF0, 0x9F], [0x98, 0x80, 0x0D], [0x0A]) == "😀\n")
        #expect(escaped([0xE2, 0x82]) == #"\xe2\x82"#)
        #expect(escaped([0x0D]) == #"\x0d"#)
    }

    @Test func `what is no text is written out, byte by byte`() {
        // Too long, half of a pair, beyond the last one, alone.
        #expect(escaped([0xC0, 0x80]) == #"\xc0\x80"#)
        #expect(escaped([0xED, 0xA0, 0x80]) == #"\xed\xa0\x80"#)
        #expect(escaped([0xF4, 0x90, 0x80, 0x80]) == #"\xf4\x90\x80\x80"#)
        #expect(escaped([0x41, 0x80, 0xFF]) == #"A\x80\xff"#)
    }

    @Test func `whatever comes, in whatever parts, nothing acts on the terminal`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let cut = Int.random(in: 0...20, using: &generator)
            let text = escaped(Array(bytes[..<cut]), Array(bytes[cut...]))
            #expect(text == escaped(bytes), "\(bytes) at \(cut)")
            #expect(
                text.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) || $0 == "\n" || $0 == "\t"
                },
                "\(bytes)")
        }
    }
}
