import JailCore
import JailPolicy
import TestSupport
import Testing

struct `Views` {
    @Test(arguments: Shipped.names)
    func `the resolved JSON of a profile is a profile that allows the same`(name: String) throws {
        try expectRoundTrip(try Shipped.load(name))
    }

    @Test func `nothing is lost in the resolved JSON of a profile that uses every key`() throws {
        try expectRoundTrip(try profile(Samples.full))
        try expectRoundTrip(Profile(name: "p"))
    }

    @Test func `nothing is lost in the resolved JSON of random profiles`() throws {
        var generator = Seeded(4)
        for _ in 0..<200 { try expectRoundTrip(RandomProfile.make(&generator)) }
    }

    private func expectRoundTrip(_ original: Profile) throws {
        let text = original.json.text(pretty: true)
        var copy = try ProfileLoader.decode(read(text), name: original.name, home: nil)
        copy.files = original.files
        #expect(copy == original)
        #expect(copy.json.text(pretty: true) == text)
    }

    @Test func `the keys of the resolved JSON are in the order of the sections`() throws {
        guard case .object(let members) = try read(try profile(Samples.full).json.text()).content else { return }
        #expect(
            members.map(\.key) == [
                "description", "process", "filesystem", "network", "secrets", "canaries", "commands", "sessions",
                "health", "restart", "alerts", "spend", "approvals", "limits", "audit", "optional",
            ])
    }

    @Test func `two profiles differ in lines exactly if they say different things`() throws {
        var generator = Seeded(5)
        for _ in 0..<200 {
            let one = RandomProfile.make(&generator)
            let other = Bool.random(using: &generator) ? RandomProfile.make(&generator) : one
            let isEmpty = ProfileDiff.lines(from: one, to: other).isEmpty
            #expect(isEmpty == (one.json.text() == other.json.text()))
            #expect(ProfileDiff.lines(from: one, to: one).isEmpty)
            #expect(ProfileDiff.lines(from: other, to: one).isEmpty == isEmpty)
        }
    }

    @Test(arguments: Samples.steps)
    func `one change is one line, and its reverse the other way`(change: String, lines: [String], reverse: [String])
        throws
    {
        let plain = try profile("{}")
        let changed = try profile(change)
        #expect(ProfileDiff.lines(from: plain, to: changed).map(\.description) == lines)
        #expect(ProfileDiff.lines(from: changed, to: plain).map(\.description) == reverse)
    }

    @Test func `every key of the full sample is seen by the difference`() throws {
        let keys = Set(ProfileDiff.lines(from: Profile(name: "a"), to: try profile(Samples.full)).map(\.key))
        #expect(keys == Set(Profile(name: "a").entries.map(\.key)))
    }

    @Test func `order and description are no difference`() throws {
        let one = try profile(
            "{ description: 'a', process: { programs: ['a', 'b'], environment: { A: '1', B: '2' } } }")
        let other = try profile(
            "{ description: 'b', process: { programs: ['b', 'a'], environment: { B: '2', A: '1' } } }")
        #expect(ProfileDiff.lines(from: one, to: other).isEmpty)
    }

    @Test func `the text has one line for each key, and never a raw control character`() throws {
        let lines = ProfileText.lines(
            try profile("{ description: 'd', process: { environment: { A: 'x\\u001b[2J', B: '2' } } }"))
        #expect(lines.first == "p: d")
        #expect(lines.contains("process.environment                   A=x\\u{1b}[2J"))
        #expect(lines.contains("                                      B=2"))
        #expect(lines.contains("limits.memory                         not limited"))
        #expect(lines.contains("process.inside.uid                    1000"))
        #expect(lines.contains("network.publish                       none"))
        #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
    }
}

struct `Overrides` {
    private func apply(_ change: (inout ProfileOverrides) -> Void, to text: String = "{}") throws -> Profile {
        var overrides = ProfileOverrides()
        change(&overrides)
        var profile = try profile(text)
        try overrides.apply(to: &profile, home: "/home/ann")
        return profile
    }

    @Test func `nothing said changes nothing`() throws {
        #expect(try apply({ _ in }, to: Samples.full) == profile(Samples.full))
    }

    @Test func `each option adds what it says`() throws {
        let profile = try apply(
            {
                $0.publish = ["8081:81"]
                $0.read = ["~/r", "/a:/q"]
                $0.write = ["/opt/x"]
                $0.environment = ["B=2", "N=v"]
                $0.memory = "1G"
                $0.processes = "7"
                $0.cpus = "0.5"
                $0.workspace = "/work"
                $0.user = "1000"
            }, to: Samples.full)
        #expect(
            profile.network.publish.map(\.shown) == [
                "127.0.0.1:8080 → 80", "127.0.0.1:81 → 81, with token 'gateway'", "127.0.0.1:8081 → 81",
            ])
        #expect(profile.filesystem.read.map(\.shown).suffix(2) == ["/home/ann/r", "/a → /q"])
        #expect(profile.filesystem.write.map(\.shown) == ["/w", "/opt/x"])
        #expect(!profile.filesystem.read.contains { $0.source == "/opt/x" })
        #expect(profile.process.environment.map { "\($0.name)=\($0.value)" } == ["B=2", "A=", "N=v"])
        #expect(profile.limits.memory == 1 << 30)
        #expect(profile.limits.processes == 7)
        #expect(profile.limits.milliCPUs == 500)
        #expect(profile.filesystem.workspaceSource == "/work")
        #expect(profile.filesystem.workspace == .review)
        #expect(profile.process.user == "1000")
    }

    @Test func `a workspace needs a profile that has one, or the access beside it`() throws {
        #expect(
            message { try apply { $0.workspace = "/work" } }
                == "usage: --workspace is not allowed: profile 'p' has no workspace; "
                + "say filesystem: { workspace: \"readOnly\" } in a profile that extends it")
        let profile = try apply {
            $0.workspace = "~/w"
            $0.workspaceAccess = .readOnly
        }
        #expect(profile.filesystem.workspaceSource == "/home/ann/w")
        #expect(profile.filesystem.workspace == .readOnly)
    }

    typealias Change = @Sendable (inout ProfileOverrides) -> Void

    private static let wrong: [(String, Change)] = [
        ("--publish", { $0.publish = ["0"] }), ("--publish", { $0.publish = ["80", "0.0.0.0:80:1"] }),
        ("--read", { $0.read = ["x"] }),
        ("--read", { $0.read = ["/etc/passwd"] }), ("--read", { $0.read = ["/a:/x", "/b:/x"] }),
        ("--write", { $0.write = ["/"] }),
        ("--env", { $0.environment = ["A"] }), ("--env", { $0.environment = ["A=b\nc"] }),
        ("--memory", { $0.memory = "1K" }),
        ("--memory", { $0.memory = "lots" }), ("--processes", { $0.processes = "0" }),
        ("--processes", { $0.processes = "4194305" }),
        ("--processes", { $0.processes = "1.5" }), ("--cpus", { $0.cpus = "0" }),
        ("--workspace", { $0.workspace = "." }),
        ("--workspace", { $0.workspace = "/proc/1" }), ("--workspace", { $0.workspace = "/" }),
        ("--user", { $0.user = "root" }),
        ("--user", { $0.user = "0" }),
    ]

    @Test(arguments: wrong)
    func `a wrong value is wrong usage and names its option`(option: String, change: Change) throws {
        var overrides = ProfileOverrides()
        overrides.workspaceAccess = .readOnly
        change(&overrides)
        var profile = Profile(name: "p")
        do {
            try overrides.apply(to: &profile, home: nil)
            Issue.record("no error")
        } catch {
            #expect(error.description.hasPrefix("usage: \(option) "))
            #expect(error.status == ExitStatus.usage)
        }
    }
}

struct `Denials` {
    @Test func `a program that is not there comes with the profile that has it`() throws {
        let error = ProgramRules.denial(program: "sh", profile: try Shipped.load("offline"))
        #expect(error.status == 126)
        #expect(
            error.description
                == "exec: 'sh' is not in the programs of profile 'offline'; to allow it, make a profile that extends it: "
                + "{ extends: \"offline\", process: { programs: [\"sh\"] } }")
    }

    @Test func `the suggestion is a profile that works`() throws {
        let directory = try Directory()
        try directory.add("p", "{}")
        for program in ["sh", "/opt/it's \"x\"", "/opt/é"] {
            let text = ProgramRules.denial(program: program, profile: Profile(name: "p")).description
            let start = try #require(text.firstIndex(of: "{"))
            try directory.add("q", String(text[start...]))
            #expect(try directory.loader.load("q").process.programs.map(\.name) == [program])
        }
    }

    @Test func `what can be no rule is answered without one`() {
        for program in ["./x", "a/b", "x\u{1B}[2J", ""] {
            let text = ProgramRules.denial(program: program, profile: Profile(name: "p")).description
            #expect(text.hasSuffix("; name it by its absolute path"))
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
    }
}
