import JailCore
import JailPolicy
import Testing

@testable import JailPlan

struct `Plans with commands` {
    static func profile(_ change: (inout Profile) -> Void = { _ in }) -> Profile {
        bare {
            var npm = CommandRule(name: "npm", program: "/usr/bin/npm")
            npm.arguments = [CommandArgument(.literal("test"))]
            var git = CommandRule(name: "git", program: "/usr/bin/git")
            git.workingDirectory = "/srv"
            $0.commands.rules = [npm, git, npm]
            $0.process.workingDirectory = "/tmp"
            change(&$0)
        }
    }

    static func facts(_ change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        PaperHost.facts { facts in
            facts.stub = OwnProgramFacts(
                path: "/usr/bin/clawjail-stub",
                file: SourceFacts(identity: PaperHost.identity("/usr/bin/clawjail-stub"), isDirectory: false))
            change(&facts)
        }
    }

    static func make(_ profile: Profile, on facts: HostFacts) throws(JailError) -> LaunchPlan {
        try plan(profile, on: facts)
    }

    @Test func `every command and sh is the same small program`() throws {
        let profile = Self.profile()
        let plan = try Self.make(profile, on: Self.facts())
        let names = ["/usr/local/bin/npm", "/usr/local/bin/git", "/usr/local/bin/sh", "/usr/bin/sh"]
        #expect(plan.commands?.stubs == names)
        for name in names {
            let bind = try #require(plan.bind(at: name))
            #expect(bind.source == "/usr/bin/clawjail-stub" && bind.identity == PaperHost.identity(bind.source))
            #expect(bind.attributes.contains([.readOnly, .noSetuid, .noDevices]))
            #expect(plan.access(to: name) == [.execute])
        }
        #expect(plan.mounts.contains(.socket(path: CommandsPlan.socket)))
        #expect(plan.environment("PATH") == "/usr/local/bin:/usr/bin:/bin")
        #expect(plan.text.contains("/run/clawjail/commands.sock, where commands are asked for"))
        expectInvariants(plan, profile)
    }

    @Test func `each runs where its rule says, or where the jail's own command does`() throws {
        let commands = try #require(try Self.make(Self.profile(), on: Self.facts()).commands)
        #expect(commands.rules.rules.map(\.workingDirectory) == ["/tmp", "/srv", "/tmp"])
        #expect(commands.places == [.jail, .jail, .jail])
    }

    @Test func `without commands there is none of it`() throws {
        let plan = try Self.make(bare(), on: Self.facts())
        #expect(
            plan.commands == nil && plan.bind(at: "/usr/local/bin/sh") == nil && plan.bind(at: "/usr/bin/sh") == nil)
        #expect(!plan.mounts.contains(.socket(path: CommandsPlan.socket)))
    }

    @Test func `where bin is no symlink, sh is in it`() throws {
        let plan = try Self.make(Self.profile(), on: Self.facts { $0.closure.symlinks = [] })
        #expect(plan.bind(at: "/bin/sh")?.source == "/usr/bin/clawjail-stub")
    }

    @Test func `where something else has the name, all stubs are in a directory of their own, and come first`() throws {
        for file in [
            PaperHost.file("/usr/local/bin/npm", isExecutable: true),
            PaperHost.file("/usr/local", isDirectory: true, isExecutable: true),
        ] {
            let plan = try Self.make(Self.profile(), on: Self.facts { $0.closure.files.append(file) })
            #expect(
                plan.commands?.stubs == [
                    "/run/clawjail/bin/npm", "/run/clawjail/bin/git", "/run/clawjail/bin/sh", "/usr/bin/sh",
                ])
            #expect(plan.environment("PATH")?.hasPrefix("/run/clawjail/bin:/usr/local/bin:") == true)
        }
    }

    @Test func `a real shell in the place of sh is refused`() {
        func refused(_ word: String, _ change: (inout HostFacts) -> Void) {
            #expect {
                try Self.make(Self.profile(), on: Self.facts(change))
            } throws: { "\($0)".contains(word) }
        }
        refused("take it out of process.programs") {
            $0.closure.symlinks.append(VisibleSymlink(path: "/usr/bin/sh", target: "dash"))
        }
        refused("take it out of process.programs") {
            $0.closure.files.append(PaperHost.file("/usr/bin/sh", isExecutable: true))
        }
        refused("programs by name") {
            $0.closure.files = [PaperHost.file("/usr/bin", isDirectory: true, isExecutable: true)]
        }
    }

    @Test func `a directory that hides a stub is refused, and it is said why`() {
        #expect {
            try Self.make(
                Self.profile { $0.filesystem.read = [BindRule(source: "/srv/tools", target: "/usr/local")] },
                on: Self.facts { $0.add("/srv/tools", isDirectory: true) })
        } throws: { "\($0)".contains("what stands for the commands of the profile is there") }
    }

    @Test func `the small program must be there, and nobody else's`() {
        func refused(_ word: String, _ change: (inout HostFacts) -> Void) {
            #expect {
                try Self.make(Self.profile(), on: Self.facts(change))
            } throws: { "\($0)".contains(word) }
        }
        refused("make install") { $0.stub = nil }
        refused("make install") { $0.stub?.file = nil }
        refused("nobody else can write") { $0.stub?.file?.permissions = 0o775 }
        refused("nobody else can write") { $0.stub?.file?.owner = 4321 }
        refused("nobody else can write") { $0.stub?.file?.isDirectory = true }
    }

    @Test func `a rule that asks has somebody asked, whatever else the profile says`() throws {
        let plan = try Self.make(Self.profile { $0.commands.rules[1].asks = true }, on: Self.facts())
        #expect(plan.commands?.rules.rules[1].asks == true)
        #expect(plan.approvals?.rules == ApprovalRules())
    }
}
