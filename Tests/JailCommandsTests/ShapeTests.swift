import JailCommands
import JailPolicy
import TestSupport
import Testing

struct `Shapes of words` {
    private func rule(_ argument: String, _ more: String = "") throws -> CommandPolicy {
        try policy("[{ program: '/x', arguments: [\(argument)]\(more) }]")
    }

    @Test func `a path is below its root in its plain spelling`() throws {
        let policy = try rule("{ below: '/srv/repo' }", ", workingDirectory: '/srv'")
        for path in [
            "/srv/repo", "/srv/repo/a", "/srv/repo/.git/x", "repo", "repo/a b", "/srv/repo/-a", "/srv/repo/...",
            "repo/a:b",
        ] {
            #expect(policy.allows(["x", path]), "\(path)")
        }
        for path in [
            "", "/", "/srv", "/srv/repository", "/srv/repo/", "/srv/repo//a", "/srv/repo/./a", "/srv/repo/../x",
            "/srv/repo/..",
            "./repo", "repo/", "repo/../../etc", ".", "..", "-repo", "~/repo", "@repo", "+repo", ":repo", "host:repo",
            "a",
            "//srv/repo", "/srv/../srv/repo", "/SRV/repo", "/srv/repo/a\u{7F}", "file:///srv/repo", " /srv/repo",
            "/srv/repo/" + String(repeating: "a", count: 256), "/srv/r\u{65}\u{301}po",
        ] { #expect(!policy.allows(["x", path]), "\(path)") }
    }

    @Test func `without a working directory only absolute paths are known`() throws {
        let policy = try rule("{ below: '/srv' }")
        #expect(policy.allows("x /srv/a"))
        #expect(!policy.allows("x srv/a"))
    }

    @Test func `what some programs take for something else than a path is none`() throws {
        let policy = try rule("{ below: '/srv' }", ", workingDirectory: '/srv'")
        for path in ["a", "a/b:c", ".a", "_a", "/srv/@a", "/srv/a:b"] {
            #expect(policy.allows(["x", path]), "\(path)")
        }
        for path in ["@a", "+a", ":a", ":(top)a", "~", "~a", "%1", "a:b", "host:a/b", "=a", "", "é"] {
            #expect(!policy.allows(["x", path]), "\(path)")
        }
    }

    @Test func `two spellings of a letter are two words`() throws {
        let policy = try policy("[{ program: '/x', arguments: ['caf\u{E9}'], deny: ['na\u{EF}ve'] }]")
        #expect(policy.allows(["x", "caf\u{E9}"]))
        #expect(!policy.allows(["x", "cafe\u{301}"]))
    }

    @Test func `numbers have one spelling`() throws {
        let policy = try rule("{ from: 0, upTo: 100 }")
        for word in ["0", "7", "100"] { #expect(policy.allows("x \(word)")) }
        for word in ["101", "-1", "+1", "007", "1.0", "1e1", "0x1", "\u{661}", "18446744073709551616", "1 "] {
            #expect(!policy.allows(["x", word]), "\(word)")
        }
    }

    @Test func `nothing that a caller chooses begins with a dash`() throws {
        for shape in ["{ pattern: '.*' }", "{ pattern: '-a' }", "{ below: '/srv' }", "{ from: 0, upTo: 9 }"] {
            let policy = try rule(shape, ", workingDirectory: '/srv'")
            for word in ["-", "--", "-a", "--help", "-1"] { #expect(!policy.allows(["x", word]), "\(shape) \(word)") }
        }
        let literal = try rule("'-a', { oneOf: ['-b', '--'] }, '-'")
        #expect(literal.allows("x -a -b -"))
        #expect(literal.allows("x -a -- -"))
    }

    @Test func `words that may be left out, and words of several shapes, are shared out`() throws {
        let policy = try rule(
            "{ from: 1, upTo: 9, least: 0, most: 3 }, { pattern: '[0-9a-z]', least: 1, most: 2 }, 'z'")
        for line in ["x 1 z", "x a z", "x 1 2 3 4 5 z", "x 1 2 3 a b z", "x z z", "x z z z"] {
            #expect(policy.allows(line), "\(line)")
        }
        for line in ["x", "x z", "x 1 2 3 4 5 6 z", "x a 1 2 z", "x 1 2 3 z z z z", "x 1 z y"] {
            #expect(!policy.allows(line), "\(line)")
        }
    }

    @Test func `values stand where the form says`() throws {
        func forms(_ form: String) throws -> [Bool] {
            let policy = try JailCommandsTests.policy(
                "[{ program: '/x', flags: [{ names: ['-n', '--lines'], value: { from: 1, upTo: 9 }, form: '\(form)' }] }]"
            )
            return ["x -n 5", "x --lines 5", "x -n5", "x --lines=5"].map(policy.allows)
        }
        #expect(try forms("separate") == [true, true, false, false])
        #expect(try forms("attached") == [false, false, true, true])
        #expect(try forms("either") == [true, true, true, true])
        let either = try JailCommandsTests.policy(
            "[{ program: '/x', flags: [{ names: ['-n', '--lines'], value: { from: 1, upTo: 9 }, form: 'either' }, '-q'] }]"
        )
        for line in [
            "x -n=5", "x --lines5", "x --line 5", "x --lines=", "x -n", "x -qn5", "x -nq", "x --lines=5=5", "x -n -- 5",
        ] {
            #expect(!either.allows(line), "\(line)")
        }
    }

    @Test func `letters are combined only where the rule says so`() throws {
        let apart = try policy("[{ program: '/x', flags: ['-a', '-b'] }]")
        #expect(apart.allows("x -a -b"))
        #expect(
            apart.answer("x -ab") == "unlisted: '-ab' is several flags in one word; write each by itself (commands[0])")
        let combined = try policy(
            "[{ program: '/x', combined: true, flags: ['-a', '-b', { names: ['-c'], value: { from: 1, upTo: 2 } }] }]")
        for line in ["x -ab", "x -ba", "x -a -b", "x -ab -c 1"] { #expect(combined.allows(line), "\(line)") }
        for line in ["x -aa", "x -ab -a", "x -abc", "x -abc 1", "x -a-b", "x --ab", "x -abz"] {
            #expect(!combined.allows(line), "\(line)")
        }
    }

    @Test func `two dashes end the flags, where a rule has them`() throws {
        let policy = try policy(
            "[{ program: '/x', arguments: ['run', { oneOf: ['--'], least: 0 }, { pattern: '.+', least: 0, most: 3 }], flags: ['-v'] }]"
        )
        for line in ["x run", "x run -v", "x run --", "x run -v -- a", "x run a -v"] {
            #expect(policy.allows(line), "\(line)")
        }
        for line in ["x -v run", "x -- run", "x run -- -v", "x run -- --", "x run a --"] {
            #expect(!policy.allows(line), "\(line)")
        }
    }

    @Test func `flags of a fixed order stand before all other words`() throws {
        let policy = try policy(
            "[{ program: '/x', order: 'fixed', arguments: ['run', { pattern: '[a-z]+' }], flags: ['-a', { names: ['-b'], repeated: true }] }]"
        )
        for line in ["x run y", "x run -a y", "x run -a -b -b y", "x run -b y"] {
            #expect(policy.allows(line), "\(line)")
        }
        for line in ["x run y -a", "x run -b -a y", "x -a run y"] { #expect(!policy.allows(line), "\(line)") }
    }
}
