import JailPolicy
import Testing

struct `Host names` {
    static let label = String(repeating: "a", count: 63)
    static let longest = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")

    @Test(arguments: [
        ("example.org", "example.org"), ("EXAMPLE.Org", "example.org"), ("example.org.", "example.org"), ("a", "a"),
        ("1.example", "1.example"), ("1e.1e", "1e.1e"), ("0xg", "0xg"), ("r3---sn-x.example", "r3---sn-x.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("XN--BCHER-KVA", "xn--bcher-kva"),
        ("xn--fa-hia.de", "xn--fa-hia.de"), (longest, longest), (longest + ".", longest),
    ])
    func `a name of the wire has one form`(text: String, expected: String) {
        #expect(HostName(wire: text.utf8)?.text == expected)
        #expect(HostName(user: text)?.text == expected)
    }

    @Test(arguments: [
        "", ".", "..", "a..b", ".a", "a..", "-a", "a-", "a_b", "a b", "a\0b", "a\n", "a:1", "a@b", "a/b", "a%41", "*",
        "*.a",
        "[::1]", "a" + longest, label + "a", "a." + label + "a",
        // What ends in a number is an address for clients, whatever stands before it.
        "1", "1.2.3.4", "a.1", "127.1", "0x7f.1", "a.0x", "a.0x1f", "a.0X1F", "2130706433", "017700000001", "1.",
        "a.08",
        // No A-labels: nothing encoded, not canonical, not decodable, not a letter.
        "xn--", "xn--a", "xn--example-", "xn--bcher-kva-", "xn--999999999", "a.xn--ls8h=", "xn--0.pt",
    ])
    func `what has no form is refused`(text: String) {
        #expect(HostName(wire: text.utf8) == nil)
        #expect(HostName(user: text) == nil)
    }

    @Test func `a label that decodes to ASCII or to capitals is no A-label`() {
        // "example" and "BÜCHER", in Punycode.
        for text in ["xn--example--", "xn--BCHER-1ua0b", "xn--bCHER-1ua", "xn--fa-hia-"] {
            if let name = HostName(wire: text.utf8) { #expect(name.text == text.lowercased()) }
        }
        #expect(HostName(wire: "xn--strae-oqa".utf8) != nil)  // straße
        #expect(HostName(wire: "xn--BCHER-KVA".utf8)?.text == "xn--bcher-kva")
    }

    @Test(arguments: [
        ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u{308}cher.example", "xn--bcher-kva.example"), ("faß.de", "xn--fa-hia.de"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"), ("ｅｘａｍｐｌｅ.org", "example.org"),
    ])
    func `a person may write a name in Unicode`(text: String, expected: String) {
        #expect(HostName(user: text)?.text == expected)
        #expect(HostName(wire: text.utf8) == nil)
    }

    @Test(arguments: [
        "１２７.1", "１２７。０。０。１", "a\u{200E}b", "a\u{FF0F}b", "a\u{2024}b\u{FFFD}", "\u{AD}", "ü\0x", "ü x", "ü_x", "℀.com",
        String(repeating: "ü", count: 600),
    ])
    func `Unicode that maps to no name is refused`(text: String) {
        #expect(HostName(user: text) == nil)
    }

    @Test func `a name below another is a strict descendant by whole labels`() throws {
        let parent = try #require(HostName(wire: "example.org".utf8))
        for (text, expected) in [
            ("a.example.org", true), ("a.b.example.org", true), ("example.org", false), ("aexample.org", false),
            ("bad-example.org", false),
            ("org", false), ("example.org.a", false),
        ] {
            #expect(try #require(HostName(wire: text.utf8)).isBelow(parent) == expected, "\(text)")
        }
    }
}

struct `Authorities` {
    @Test(
        arguments: [
            ("example.org", "example.org", nil), ("Example.ORG.:443", "example.org", 443),
            ("1.2.3.4:80", "1.2.3.4", 80),
            ("[2001:DB8::1]", "2001:db8::1", nil), ("[::1]:65535", "::1", 65535), ("a:1", "a", 1),
        ] as [(String, String, UInt16?)])
    func `host and port`(text: String, host: String, port: UInt16?) throws {
        let authority = try #require(Authority(wire: Array(text.utf8)))
        #expect(authority.host.text == host)
        #expect(authority.port == port)
        // What it is written as is read as the same.
        #expect(Authority(wire: Array(authority.description.utf8)) == authority)
    }

    @Test(arguments: [
        "", ":", ":80", "a:", "a:0", "a:080", "a:65536", "a:99999", "a:100000", "a:+1", "a: 1", "a:1 ", "a:1:2", "u@a",
        "u:p@a", "a@", "::1", "::1:80", "[::1", "[]", "[::1]80", "[::1]:", "[::1]a", "[1.2.3.4]", "[fe80::1%eth0]",
        "[fe80::1%25eth0]", "1.2.3", "1.2.3.4.", "127.1", "0x7f000001", "01.2.3.4", "1.2.3.256", "a b", "a\0", "a/b",
        "a#",
        "a?", "é", "a\u{3002}b", "http://a", "[a]", "[::1]]", "[[::1]]", "%61", "a%2e.b",
    ])
    func `anything else is refused`(text: String) {
        #expect(Authority(wire: Array(text.utf8)) == nil)
    }

    @Test func `bytes that are no text, and endless ones, are refused`() {
        #expect(Authority(wire: [0xFF]) == nil)
        #expect(Authority(wire: [0x61, 0xC3, 0x28]) == nil)
        #expect(Authority(wire: [UInt8](repeating: 0x61, count: 1 << 20)) == nil)
        #expect(Authority(wire: [UInt8](repeating: 0x5B, count: 1 << 20)) == nil)
    }

    @Test func `a refusal says what an odd spelling means`() {
        #expect(
            Host.reason(refusing: "0x7f.1")
                == "\"0x7f.1\" is another spelling of the address 127.0.0.1 (a loopback address); only that one is taken"
        )
        #expect(Host.reason(refusing: "2852039166").contains("169.254.169.254 (a cloud's metadata service)"))
        #expect(Host.reason(refusing: "a_b") == "\"a_b\" is neither a host name nor an address")
    }
}
