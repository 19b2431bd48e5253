import JailPolicy
import TestSupport
import Testing

struct `Patterns of words` {
    @Test func `a pattern is about the whole word`() throws {
        for (pattern, yes, no) in [
            ("a", ["a"], ["", "b", "aa", "A"]),
            ("", [""], ["a"]),
            ("a|bc", ["a", "bc"], ["ab", "b", "ac"]),
            ("a*", ["", "a", "aaaa"], ["b", "ab"]),
            ("a+b?", ["a", "ab", "aab"], ["", "b", "abb"]),
            ("(ab)+", ["ab", "abab"], ["", "aba"]),
            ("a{3}", ["aaa"], ["aa", "aaaa"]),
            ("a{0,2}", ["", "a", "aa"], ["aaa"]),
            ("[a-c0-9_]+", ["a", "b9_"], ["d", "-", ""]),
            ("[^a/]+", ["b", "é"], ["a", "b/"]),
            ("[\\-\\]\\^]", ["-", "]", "^"], ["\\", "a"]),
            ("[-a]+", ["-", "a-"], ["b"]),
            ("[a-c-]+", ["-", "a-c"], ["d"]),
            ("[^-]", ["a"], ["-"]),
            (".", ["a", "é", "漢", "."], ["", "ab"]),
            ("a\\.b", ["a.b"], ["axb"]),
            ("\\$\\{x\\}", ["${x}"], ["x"]),
            ("(a|b)*c", ["c", "abbac"], ["abb"]),
            ("(|a)b", ["b", "ab"], ["a"]),
            ("claw/[a-z0-9-]{1,40}", ["claw/a-1"], ["claw/", "claw/A", "main"]),
            ("(a*)*", ["", "aaa"], ["b"]),
        ] {
            let compiled = try CommandPattern.parse(pattern)
            for word in yes { #expect(compiled.matches(word), "\(pattern) \(word)") }
            for word in no { #expect(!compiled.matches(word), "\(pattern) \(word)") }
        }
    }

    @Test func `what means different things to different programs is no pattern`() {
        for pattern in [
            "^a", "a$", "*", "+a", "?", "a**", "a*?", "a++", "a{2}{3}", "a{2,}", "a{,2}", "a{3,2}", "a{999}", "a{",
            "a}", "(", ")",
            "(a", "a)", "(?:a)", "(?=a)", "[", "[]", "[a", "]", "[z-a]", "[[:alpha:]]", "\\", "\\d", "\\w", "\\1",
            "\\n", "a\n",
            "[^]", "[a-b-c]", "[a--]", "(a{256}){256}", "((((((((((((((((((a))))))))))))))))))",
            "((()" + "{256}){256}){256}",
            String(repeating: "a", count: 1025),
        ] { #expect(throws: ValueError.self, "\(pattern)") { try CommandPattern.parse(pattern) } }
    }

    /// Each of these takes a matcher that goes back exponential time.
    @Test func `no word takes long`() throws {
        let word = String(repeating: "a", count: 4096)
        for pattern in ["(a*)*b", "(a|a)*b", "(a+)+b", "(a|aa)+b", "(.*)*b", "a{0,200}a{0,200}b"] {
            #expect(try !CommandPattern.parse(pattern).matches(word + "c"))
        }
    }

    @Test func `patterns agree with Swift's regular expressions`() throws {
        var generator = Seeded(3)
        var matches = 0
        for _ in 0..<3000 {
            let pattern = Self.random(&generator, depth: 3)
            let (ours, theirs) = (try CommandPattern.parse(pattern), try Regex(pattern))
            for _ in 0..<4 {
                let word = String(
                    (0..<Int(generator.next() % 5)).map { _ in ["a", "b", "c"][Int(generator.next() % 3)] }.joined())
                let isMatch = ours.matches(word)
                matches += isMatch ? 1 : 0
                #expect(isMatch == (try theirs.wholeMatch(in: word) != nil), "\(pattern) \(word)")
            }
        }
        #expect(matches > 500)
    }

    private static func random(_ generator: inout Seeded, depth: Int) -> String {
        let atoms = ["a", "b", "c", "[ab]", "[^a]", "."]
        guard depth > 0 else { return atoms[Int(generator.next() % 6)] }
        let (one, other) = (random(&generator, depth: depth - 1), random(&generator, depth: depth - 1))
        switch generator.next() % 7 {
        case 0: return "(\(one)|\(other))"
        case 1: return "(\(one))*"
        case 2: return "(\(one))+"
        case 3: return "(\(one))?"
        case 4: return "(\(one)){1,2}"
        default: return one + other
        }
    }
}
