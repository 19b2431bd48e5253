import JailCommands
import JailPolicy
import Testing

struct `Decisions about commands` {
    /// The wrappers that people write by hand: a project's tests, git without force on branches of one's own, one unit's journal.
    private static let wrappers = """
        [
          { program: "/usr/bin/npm", arguments: ["test"] },
          { program: "/usr/bin/npm", arguments: ["run", { oneOf: ["build", "lint"] }] },
          {
            program: "/usr/bin/git", arguments: ["push", "origin", { pattern: "claw/[a-z0-9-]{1,40}" }],
            flags: ["--set-upstream", "-q"], deny: ["--force", "-f", "--force-with-lease", "--mirror", "main"],
          },
          {
            program: "/usr/bin/git", arguments: ["add", "--", { below: "/srv/repo", most: 20 }],
            workingDirectory: "/srv/repo",
          },
          {
            program: "/usr/bin/journalctl", order: "fixed", where: { host: "logs" },
            flags: [
              { names: ["-u"], value: { oneOf: ["openclaw.service"] }, required: true },
              { names: ["-n"], value: { from: 1, upTo: 500 } }, "--no-pager",
            ],
          },
        ]
        """

    @Test func `what is written out is allowed, and by which rule`() throws {
        let policy = try policy(Self.wrappers)
        for (line, rule) in [
            ("npm test", 0), ("/usr/bin/npm test", 0), ("npm run build", 1), ("npm run lint", 1),
            ("git push origin claw/fix-1", 2), ("git push --set-upstream origin claw/x", 2),
            ("git push origin -q claw/x", 2),
            ("git push origin claw/x -q --set-upstream", 2), ("git add -- a.c", 3),
            ("git add -- src/a.c .gitignore", 3),
            ("git add -- /srv/repo/a /srv/repo", 3), ("journalctl -u openclaw.service", 4),
            ("journalctl -u openclaw.service -n 500 --no-pager", 4),
        ] { #expect(policy.answer(line) == "allowed by commands[\(rule)]", "\(line)") }
    }

    private static let denials: [(String, String)] = [
        ("id", "unlisted: no rule of commands names 'id'"),
        ("npm", "unlisted: \"test\" is missing (commands[0]), and none of the 2 rules of it fits"),
        (
            "npm run evil",
            "unlisted: 'evil' is not one of \"build\", \"lint\" (commands[1]), and none of the 2 rules of it fits"
        ),
        ("npm test x", "unlisted: 'x' is an argument too many (commands[0]), and none of the 2 rules of it fits"),
        (
            "npm test --prefix",
            "unlisted: '--prefix' is not among the flags (there are none) (commands[0]), and none of the 2 rules of it fits"
        ),
        (
            "npm run",
            "unlisted: there is an argument too few: one of \"build\", \"lint\" is missing (commands[1]), and none of the 2 rules of it fits"
        ),
        ("npm -c test", "unlisted: '-c' is not \"test\" (commands[0]), and none of the 2 rules of it fits"),
        ("./npm test", "unlisted: no rule of commands names './npm'"),
        ("NPM test", "unlisted: no rule of commands names 'NPM'"),
        ("/bin/npm test", "unlisted: no rule of commands names '/bin/npm'"),
        ("/usr/bin/../bin/npm test", "unlisted: no rule of commands names '/usr/bin/../bin/npm'"),
        ("git push --force", "forbidden: commands[2] denies '--force'"),
        ("git push origin claw/x --force", "forbidden: commands[2] denies '--force'"),
        ("git push origin claw/x --forc", "forbidden: commands[2] denies '--forc', which may be '--force'"),
        ("git push origin claw/x --force=1", "forbidden: commands[2] denies '--force=1', which may be '--force'"),
        ("git push -qf origin claw/x", "forbidden: commands[2] denies '-qf', which may be '-f'"),
        ("git -C /x push -f", "forbidden: commands[2] denies '-f'"),
        ("git push origin -- --mirror", "forbidden: commands[2] denies '--mirror'"),
        ("git push origin main", "forbidden: commands[2] denies 'main'"),
        (
            "git push origin claw/x:main",
            "unlisted: 'claw/x:main' is not a word of the pattern claw/[a-z0-9-]{1,40} (commands[2]), and none of the 2 rules of it fits"
        ),
        (
            "git push origin +claw/x",
            "unlisted: '+claw/x' is not a word of the pattern claw/[a-z0-9-]{1,40} (commands[2]), and none of the 2 rules of it fits"
        ),
        (
            "git push --set-upstrea origin claw/x",
            "unlisted: '--set-upstrea' is not among the flags (did you mean '--set-upstream'?) (commands[2]), and none of the 2 rules of it fits"
        ),
        (
            "git push -q -q origin claw/x",
            "unlisted: -q is there twice (commands[2]), and none of the 2 rules of it fits"
        ),
        (
            "git -q push origin claw/x",
            "unlisted: '-q' is not \"push\" (commands[2]), and none of the 2 rules of it fits"
        ),
        ("git add a.c", "unlisted: 'a.c' is not \"--\" (commands[3]), and none of the 2 rules of it fits"),
        (
            "git add -- ../x",
            "unlisted: '../x' is not a path below /srv/repo in its plain spelling (commands[3]), and none of the 2 rules of it fits"
        ),
        ("journalctl", "unlisted: the flag -u is missing (commands[4])"),
        ("journalctl -n 5", "unlisted: the flag -u is missing (commands[4])"),
        ("journalctl -u", "unlisted: '-u' has no value (commands[4])"),
        (
            "journalctl -u sshd.service",
            "unlisted: 'sshd.service', the value of -u, is not one of \"openclaw.service\" (commands[4])"
        ),
        ("journalctl -u openclaw.service -u openclaw.service", "unlisted: -u is there twice (commands[4])"),
        ("journalctl -n 5 -u openclaw.service", "unlisted: -u must stand before -n (commands[4])"),
        (
            "journalctl -uopenclaw.service",
            "unlisted: the value of '-uopenclaw.service' must be a word of its own (commands[4])"
        ),
        (
            "journalctl -u openclaw.service -n 501",
            "unlisted: '501', the value of -n, is not a number from 1 to 500 (commands[4])"
        ),
        (
            "journalctl -u openclaw.service -n 05",
            "unlisted: '05', the value of -n, is not a number from 1 to 500 (commands[4])"
        ),
        (
            "journalctl -u openclaw.service -n -1",
            "unlisted: '-1', the value of -n, is not a number from 1 to 500 (commands[4])"
        ),
        ("node -e 1", "unlisted: no rule of commands names 'node'"),
        (
            "sh -c id",
            "malformed: 'sh' is there to read a command line of one command, with -c or -lc, and runs nothing else"
        ),
    ]

    @Test func `everything else is denied, and the rule that comes nearest says why`() throws {
        let policy = try policy(Self.wrappers)
        for (line, expected) in Self.denials { #expect(policy.answer(line) == expected, "\(line)") }
    }

    @Test func `a profile without commands allows none`() throws {
        let policy = try policy("[]")
        for line in ["npm test", "id", "true"] { #expect(!policy.allows(line)) }
        #expect(!policy.allows([]))
    }

    @Test func `what runs has the name of its rule, whatever it was called by`() throws {
        let policy = try policy("[{ name: 'logs', program: '/usr/bin/journalctl', arguments: ['x'] }]")
        guard case .allow(let grant) = policy.decide(["/usr/bin/journalctl", "x"]) else { return #expect(Bool(false)) }
        #expect(grant.vector == ["logs", "x"])
        #expect(policy.allows("logs x"))
        #expect(!policy.allows("journalctl x"))
    }

    @Test func `a denied word of one rule counts for every rule of the command`() throws {
        let policy = try policy(
            """
            [{ program: "/usr/bin/git", arguments: ["push"], deny: ["--force", "-f"] },
             { program: "/usr/bin/git", arguments: ["push", "--force"] },
             { program: "/usr/bin/git", arguments: ["clean"], flags: ["-f"] }]
            """)
        #expect(policy.answer("git push --force") == "forbidden: commands[0] denies '--force'")
        // Not that of another subcommand.
        #expect(policy.answer("git clean -f") == "allowed by commands[2]")
    }

    @Test func `a flag that a rule lists is no other one cut short`() throws {
        let policy = try policy(
            "[{ program: '/x', arguments: [], flags: ['--force'], deny: ['--force-with-lease'] }]")
        #expect(policy.allows("x --force"))
        #expect(policy.answer("x --force-w").hasPrefix("forbidden"))
        #expect(policy.answer("x --f").hasPrefix("forbidden"))
    }

    @Test func `what no rule could be about is refused before any rule`() throws {
        let policy = try policy("[{ program: '/x', arguments: [{ pattern: '.*', least: 0, most: 256 }] }]")
        #expect(policy.allows(["x"]))
        #expect(policy.allows(["x"] + Array(repeating: "a", count: 255)))
        for words in [
            [], [""], ["x", "a\0b"], ["x", "a\nb"], ["x", "\u{1B}[1m"], ["x", "\u{202E}a"], ["x", "a\u{200B}"], ["x\n"],
            ["x", "\u{E0001}"], ["x", "\u{A0}"], ["x"] + Array(repeating: "a", count: 256),
            ["x", String(repeating: "a", count: 4097)],
            ["x"] + Array(repeating: String(repeating: "a", count: 4000), count: 17),
            ["x", String(repeating: "a", count: 2 << 20)],
        ] { #expect(policy.answer(words).hasPrefix("malformed: "), "\(words.count) words") }
    }

    @Test func `bytes from inside are words, or a line for the shell, or nothing`() throws {
        let policy = try policy(Self.wrappers)
        func answer(_ words: String...) -> String {
            switch policy.decide(bytes: words.map { Array($0.utf8) }) {
            case .allow(let grant): "allowed by \(grant.label)"
            case .deny(let denial): "\(denial.kind)"
            }
        }
        #expect(answer("npm", "test") == "allowed by commands[0]")
        #expect(answer("sh", "-c", "npm test") == "allowed by commands[0]")
        #expect(answer("sh", "-lc", "npm 'te'st") == "allowed by commands[0]")
        #expect(answer("sh", "-c", "npm test; id") == "malformed")
        #expect(answer("sh", "-c", "npm run evil") == "unlisted")
        #expect(answer("sh", "-c", "git push --force") == "forbidden")
        #expect(answer("sh", "-c", "sh -c 'npm test'") == "malformed")
        #expect(answer("sh") == "malformed")
        #expect(answer() == "malformed")
        #expect(policy.decide(bytes: [[0x6E, 0xFF]]) != policy.decide(["npm", "test"]))
        if case .allow = policy.decide(bytes: [Array("npm".utf8), [0x74, 0xFF]]) { Issue.record("not UTF-8") }
    }
}
