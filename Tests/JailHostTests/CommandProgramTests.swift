import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct CommandProgramTests {
    private func command(_ program: String, _ place: CommandPlace = .jail) throws(JailError) -> ProgramClosure {
        try resolve(["true"], ["true"]) { profile in
            var rule = CommandRule(name: String(program.split(separator: "/").last ?? ""), program: program)
            rule.place = place
            profile.commands.rules = [rule]
        }
    }

    @Test func `a command brings what it needs, and the jail's own command is told apart from that`() throws {
        let closure = try command("/usr/bin/git")
        let own = try #require(closure.ownFiles).map(\.path)
        #expect(own == (try resolve(["true"], ["true"])).files.map(\.path))
        #expect(closure.commandPrograms.map(\.path) == ["/usr/bin/git"])
        #expect(closure.files.contains { $0.path == "/usr/bin/git" } && !own.contains("/usr/bin/git"))
        #expect(own.allSatisfy { path in closure.files.contains { $0.path == path || path.isInside($0.path) } })
        #expect(!closure.programs.contains { $0.path == "/usr/bin/git" })
    }

    @Test func `one that runs elsewhere brings nothing`() throws {
        for place in [CommandPlace.profile("session"), .host("logs")] {
            let closure = try command("/usr/bin/git", place)
            #expect(closure.ownFiles == nil && closure.commandPrograms.isEmpty)
            #expect(!closure.files.contains { $0.path == "/usr/bin/git" })
        }
    }

    @Test func `one that is not there is refused`() {
        let error = failure { () throws(JailError) in _ = try command("/usr/bin/no-such-program") }
        #expect(error?.description.contains("command 'no-such-program' of profile 'test' is not there") == true)
    }

    @Test func `a script for a shell is refused, with where it can run`() {
        let error = failure { () throws(JailError) in _ = try command("/usr/bin/ldd") }
        #expect(error?.reason.contains("is a script for 'bash'") == true)
        #expect(error?.hint?.contains("where: { profile") == true)
    }
}
