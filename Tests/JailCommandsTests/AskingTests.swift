import JailCommands
import JailPolicy
import Testing

struct `Commands that a person is asked about` {
    private static let rules = """
        [
          { program: "/usr/bin/npm", arguments: ["test"] },
          { program: "/usr/bin/git", arguments: ["push"], deny: ["--force"], where: { host: "deploy" }, ask: true },
        ]
        """

    private func asked(_ line: String, unlisted: Bool) throws -> CommandGrant? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        return try policy(Self.rules).approvable(words, unlisted: unlisted)
    }

    @Test func `a rule with ask is asked about, whatever else is`() throws {
        for unlisted in [false, true] {
            let grant = try #require(try asked("git push", unlisted: unlisted))
            #expect(grant.index == 1 && grant.vector == ["git", "push"])
            #expect(try asked("npm test", unlisted: unlisted) == nil, "it is allowed")
        }
    }

    @Test func `what no rule allows is asked about where that is wanted, and runs as the nearest rule says`() throws {
        #expect(try asked("npm run evil", unlisted: false) == nil)
        let grant = try #require(try asked("/usr/bin/git pull origin", unlisted: true))
        #expect(grant.rule.program == "/usr/bin/git" && grant.rule.place == .host("deploy"))
        #expect(grant.vector == ["git", "pull", "origin"])
    }

    @Test(arguments: [
        "git push --force", "git push --forc", "id", "sh -c id", "./npm run", "npm a\u{0}b", "npm a\nb", "",
    ])
    func `what is denied, malformed, or of no listed program is never asked about`(_ line: String) throws {
        #expect(try asked(line, unlisted: true) == nil)
    }
}
