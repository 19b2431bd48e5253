import JailPolicy
import Testing

struct `Canonical paths` {
    @Test(arguments: [
        ("/", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a/b", "/a/b"), ("/%61", "/a"), ("/%7Eu", "/~u"), ("/%7eu", "/~u"),
        ("/%2D%2e%5F", "/-._"), ("/%c3%a9", "/%C3%A9"), ("/a%20b", "/a%20b"), ("/%3f", "/%3F"), ("/%40x", "/%40x"),
        ("/@x", "/@x"), ("/a*b", "/a*b"), ("/%2a", "/%2A"), ("/a:b=c,d+e!$&'()", "/a:b=c,d+e!$&'()"),
        ("/a|b\"<>^`{}", "/a%7Cb%22%3C%3E%5E%60%7B%7D"),
        ("/a%7cb", "/a%7Cb"), ("/[x]", "/%5Bx%5D"), ("/./a", "/a"), ("/a/.", "/a/"), ("/a/..", "/"), ("/a/../", "/"),
        ("/a/b/../c", "/a/c"), ("/a/%2e%2E/c", "/c"), ("/a/.%2e/c", "/c"), ("/%2e/a", "/a"), ("/...", "/..."),
        ("/a/..b", "/a/..b"),
        ("/a//b", "/a//b"), ("//a", "//a"), ("/a//../b", "/a/b"), ("/100%25", "/100%25"), ("/100%25/x", "/100%25/x"),
        ("/%25zz", "/%25zz"),
    ])
    func `a path has one form, and that form is its own`(target: String, expected: String) throws {
        let path = try #require(CanonicalPath(target: target))
        #expect(path.path == expected)
        #expect(path.query == nil)
        #expect(CanonicalPath(target: path.target) == path)
    }

    @Test(arguments: [
        "", "a", "*", "?", "#", "http://a/", "/%", "/%4", "/%g0", "/%0", "/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb",
        "/a\\b", "/a;b", "/a%3bb",
        "/..", "/../a", "/a/../..", "/%2e%2e", "/a/../../b", "/a/%2e%2e/%2e%2e/b", "/a b", "/a\tb", "/a\nb", "/a\0b",
        "/a\u{7F}",
        "/%00", "/%0a", "/%1F", "/%7f", "/é", "/a#b", "/%23%", "/%252e", "/%2541", "/%252f", "/%c0%af", "/%c0%ae",
        "/%c3", "/%c3%28",
        "/%ff", "/%ed%a0%80", "/%f5%80%80%80", "/?a b", "/?%", "/?%4", "/?a#b", "/?\0", "/?é", "/?\u{7F}",
    ])
    func `what servers read in different ways is refused`(target: String) {
        #expect(CanonicalPath(target: target) == nil)
    }

    @Test(arguments: [
        ("/?", ""), ("/a?b=c&d", "b=c&d"), ("/?%2f%5c;%0a", "%2f%5c;%0a"), ("/?a?b/../c\\", "a?b/../c\\"),
        ("/?%c3", "%c3"),
    ])
    func `a query is checked and stays as it is`(target: String, query: String) throws {
        let path = try #require(CanonicalPath(target: target))
        #expect(path.query == query)
        #expect(path.target == target)
    }

    @Test func `every byte by itself is kept, encoded or refused`() {
        for byte in UInt8.min...UInt8.max {
            let raw = CanonicalPath(target: [0x2F, byte])
            let digits = String(byte, radix: 16)
            let encoded = CanonicalPath(target: "/%" + (digits.count == 1 ? "0" : "") + digits)
            #expect((raw == nil) == (byte <= 0x20 || byte >= 0x7F || "#;\\%".utf8.contains(byte)), "\(byte)")
            let isRefused = byte < 0x20 || byte >= 0x7F || "/;\\".utf8.contains(byte)
            #expect((encoded == nil) == isRefused, "\(byte)")
            // Both spellings of an unreserved or an unusual character are one.
            if let raw, let encoded, byte != 0x2F, byte != 0x3F, !"!$&'()*+,=:@".utf8.contains(byte) {
                #expect(raw == encoded, "\(byte)")
            }
        }
    }

    @Test func `deep and long paths are read in time`() {
        let deep = String(repeating: "/a", count: 100_000) + String(repeating: "/..", count: 100_000)
        #expect(CanonicalPath(target: deep)?.path == "/")
        #expect(CanonicalPath(target: deep + "/..") == nil)
    }
}

struct `Path patterns` {
    private func matches(_ pattern: String, _ path: String) throws -> Bool {
        try #require(PathPattern(pattern), "\(pattern)").matches(try #require(CanonicalPath(target: path), "\(path)"))
    }

    @Test(arguments: [
        ("/", ["/"], ["/a", "//"]),
        ("/a", ["/a", "/%61"], ["/", "/a/", "/A", "/a/b", "/ab"]),
        ("/a/*", ["/a/b", "/a/*"], ["/a", "/a/", "/a/b/", "/a/b/c", "/a//"]),
        ("/a/*/c", ["/a/b/c"], ["/a/c", "/a//c", "/a/b/b/c"]),
        ("/a*", ["/a", "/ab", "/a*"], ["/", "/b", "/a/"]),
        ("/*a*b*", ["/ab", "/xaxbx"], ["/ba", "/a/b"]),
        ("/**", ["/", "/a", "/a/b", "//", "/a//b/"], []),
        ("/a/**", ["/a", "/a/", "/a/b", "/a//b"], ["/", "/ab", "/b/a"]),
        ("/**/c", ["/c", "/a/c", "/a/b/c", "//c"], ["/c/", "/a", "/cc"]),
        ("/a/**/b/**/c", ["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c/c"], ["/a/c/b", "/a/b"]),
        ("/a/\\*", ["/a/*"], ["/a/b", "/a/%2A"]),
        ("/a//b", ["/a//b"], ["/a/b"]),
        ("/bot*/**", ["/bot1:x/getMe", "/bot1"], ["/file/bot1/x", "/bo"]),
    ])
    func `a pattern matches these paths and not those`(pattern: String, these: [String], those: [String]) throws {
        for path in these { #expect(try matches(pattern, path), "\(path)") }
        for path in those { #expect(try !matches(pattern, path), "\(path)") }
    }

    @Test(arguments: [
        "", "a", "*", "**", "/a/../b", "/./a", "/%61", "/%2f", "/a;b", "/a?b", "/a#", "/a b", "/é", "/a\\b", "/a\\",
        "/a**", "/**a", "/***",
        "/a/*b**", "/%c3%a9", "/a|b", "/%", "/" + String(repeating: "a", count: 5000),
    ])
    func `a pattern that no canonical path can match is refused`(text: String) {
        #expect(PathPattern(text) == nil)
        #expect(throws: ValueError.self) { try PathPattern.parse(text) }
    }

    @Test func `the pattern of one path matches that path alone`() throws {
        for target in ["/", "/a*b", "/**", "/*", "/a//b/", "/%2A", "/*/**/c"] {
            let path = try #require(CanonicalPath(target: target))
            let pattern = PathPattern(matching: path)
            #expect(pattern.matches(path))
            #expect(try #require(PathPattern(pattern.text)) == pattern)
            #expect(try #require(PathPattern(pattern.text)).matches(path))
            for other in ["/axb", "/x", "/a/b", "/x/y/c", "/a/b/"] {
                #expect(!pattern.matches(try #require(CanonicalPath(target: other))), "\(target) \(other)")
            }
        }
    }

    @Test func `a pattern of many wildcards takes no exponential time`() throws {
        let pattern = try #require(PathPattern("/" + String(repeating: "a*", count: 100) + "b"))
        #expect(!pattern.matches(try #require(CanonicalPath(target: "/" + String(repeating: "a", count: 10_000)))))
        let deep = try #require(PathPattern(String(repeating: "/**/a", count: 50) + "/b"))
        #expect(!deep.matches(try #require(CanonicalPath(target: String(repeating: "/a", count: 5000)))))
    }
}
