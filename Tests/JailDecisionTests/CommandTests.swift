import JailCore
import JailDecision
import JailPolicy
import Testing

struct `Decisions about commands of a profile` {
    private static let text = """
        {
          process: { programs: ["node"] },
          commands: [
            { program: "/usr/bin/npm", arguments: ["test"] },
            { program: "/usr/bin/git", arguments: ["push"], flags: ["--tags"], deny: ["--force"], ask: true },
            { program: "/usr/bin/node", arguments: ["x.js"] },
            { program: "/usr/bin/journalctl", arguments: ["x"], where: { host: "logs" } },
          ],
        }
        """

    private func profile() throws -> Profile {
        try ProfileLoader.decode(try JSON5Reader.read(Array(Self.text.utf8), file: "p.json5"), name: "p", home: nil)
    }

    private func decide(_ words: String...) throws -> Decision {
        guard case .command(let question) = try Question.parse(["command"] + words) else { throw Unexpected() }
        return CommandDecision.decide(question, of: try profile()) { $0 == "id" ? "/usr/bin/id" : nil }
    }

    private struct Unexpected: Error {}

    @Test func `one word is a line for a shell, and several are words`() throws {
        #expect(try Question.parse(["command", "npm test"]) == .command(.line("npm test")))
        #expect(try Question.parse(["command", "npm", "test"]) == .command(.words(["npm", "test"])))
        #expect(try Question.parse(["command", "npm", "a b"]).text == "command npm 'a b'")
        #expect(try decide("npm test").isAllowed)
        #expect(try decide("npm", "test").isAllowed)
        #expect(try decide("sh", "-c", "npm test").isAllowed)
        #expect(try !decide("sh", "-c", "npm test; id").isAllowed)
        #expect(try !decide("sh", "npm test").isAllowed)
    }

    @Test func `the rule that decides is named, and where it stands`() throws {
        let allowed = try decide("npm test")
        let rule = try profile().commands.rules[0].shown
        #expect(allowed.source == ProfileSource("commands", rule))
        let denied = try decide("git push --force")
        #expect(denied.reason == "commands[1] denies '--force'")
        #expect(denied.source == ProfileSource("commands", try profile().commands.rules[1].shown))
        #expect(denied.change == nil)
        #expect(denied.obstacle == "what a rule denies, no other one allows")
    }

    @Test func `what is not in the list comes with the rule that would allow it`() throws {
        let near = try decide("npm run 'a b'")
        #expect(near.change?.text == "commands: [{\"program\":\"/usr/bin/npm\",\"arguments\":[\"run\",\"a b\"]}]")
        #expect(near.notes.contains("read as the words npm run 'a b'"))
        #expect(near.notes.contains("'npm': it runs any JavaScript"))
        let far = try decide("id -u")
        #expect(far.change?.text == "commands: [{\"program\":\"/usr/bin/id\",\"arguments\":[\"-u\"]}]")
        let nowhere = try decide("nothing")
        #expect(nowhere.change == nil)
        #expect(nowhere.obstacle == "no program of that name is known")
    }

    @Test func `what is more than one command has no rule`() throws {
        let answer = try decide("npm test | cat")
        #expect(
            answer.reason
                == "'|', a pipe or another command, at byte 10: one command of plain and quoted words is read, and nothing else"
        )
        #expect(answer.change == nil)
        #expect(answer.obstacle != nil)
    }

    @Test func `whoever is asked, and where it runs, is noted`() throws {
        #expect(try decide("git push").notes == ["a person is asked about every call"])
        #expect(
            try decide("journalctl x").notes == ["it runs outside of any jail, as the host's user logs"])
        #expect(
            try decide("node x.js").notes
                == ["programs inside may start it themselves, with any arguments: process.programs has node"])
    }
}
