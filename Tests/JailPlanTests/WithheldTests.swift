import JailCore
import JailPolicy
import Testing

@testable import JailPlan

/// What is shown for commands that run in the jail itself, and kept from the jail's own command.
struct `Plans with commands in the jail` {
    private static let git = "/usr/bin/git"
    private static let library = "/usr/lib/x86_64-linux-gnu/libpcre2-8.so.0"

    private static func facts(_ change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        PaperHost.facts { facts in
            let own = facts.closure.files
            facts.closure.ownFiles = own
            facts.closure.files = (own + [PaperHost.file(git, isExecutable: true), PaperHost.file(library)])
                .sorted { $0.path < $1.path }
            facts.closure.commandPrograms = [
                CommandProgram(path: git, realPath: git, identity: PaperHost.identity(git))
            ]
            facts.stub = OwnProgramFacts(
                path: "/usr/bin/clawjail-stub",
                file: SourceFacts(identity: PaperHost.identity("/usr/bin/clawjail-stub"), isDirectory: false))
            change(&facts)
        }
    }

    private static func profile(_ change: (inout Profile) -> Void = { _ in }) -> Profile {
        bare { profile in
            profile.filesystem.tmp = 16 << 20
            var rule = CommandRule(name: "git", program: git)
            rule.arguments = [CommandArgument(.literal("status"))]
            rule.workingDirectory = "/tmp"
            profile.commands.rules = [rule]
            change(&profile)
        }
    }

    private func withheld(_ facts: HostFacts = facts(), _ profile: Profile = profile()) throws -> WithheldPlan {
        try #require(try plan(profile, on: facts).commands?.withheld)
    }

    @Test func `the program is shown and may be executed in the jail, and is kept from its own command`() throws {
        let made = try plan(Self.profile(), on: Self.facts())
        #expect(made.bind(at: Self.git)?.purpose == .program)
        #expect(made.access(to: Self.git) == [.execute])
        let withheld = try #require(made.commands?.withheld)
        #expect(withheld.programs == [Self.git] && withheld.files == [Self.library] && withheld.scoped)
        #expect(withheld.withholds(Self.git) && withheld.withholds(Self.library))
        for rule in withheld.rules {
            #expect(!Self.git.isInside(rule.path) && !Self.library.isInside(rule.path), "\(rule.path)")
        }
        #expect(made.text.contains("neither reads nor executes /usr/bin/git"))
        expectInvariants(made, Self.profile())
    }

    @Test func `all else that is shown the command still reads, and executes what it executed`() throws {
        let made = try plan(Self.profile(), on: Self.facts())
        let rules = try withheld().rules
        func access(_ path: String) -> LandlockPlan.Rule.Access? { rules.first { path.isInside($0.path) }?.access }
        for step in made.mounts {
            switch step {
            case .directory, .symlink, .pin, .socket: continue
            default: break
            }
            guard ![Self.git, Self.library].contains(step.path) else { continue }
            #expect(access(step.path) != nil, "\(step.path)")
        }
        #expect(access("/usr/bin/node") == .execute && access(PaperHost.loader) == .execute)
        #expect(access(PaperHost.libraries[0]) == .read && access("/etc/passwd") == .read)
        #expect(access("/tmp/x") == .read && access("/proc/self/status") == .read)
        for stub in try #require(made.commands).stubs { #expect(access(stub) == .execute, "\(stub)") }
        var open = Self.profile()
        open.filesystem.executeWritable = true
        #expect(try withheld(Self.facts(), open).rules.first { $0.path == "/tmp" }?.access == .execute)
    }

    @Test func `what the command has itself is not kept from it, and that is said`() throws {
        let made = try plan(
            Self.profile(),
            on: Self.facts { $0.closure.ownFiles?.append(PaperHost.file(Self.git, isExecutable: true)) })
        #expect(made.commands?.withheld == nil)
        #expect(made.notes.contains { $0.contains("'/usr/bin/git' is in process.programs as well") })
        // Under another name it is the same file to the kernel.
        let linked = Self.facts { facts in
            facts.closure.ownFiles?.append(
                VisibleFile(
                    path: "/usr/bin/other", identity: PaperHost.identity(Self.git), isDirectory: false,
                    isExecutable: true))
        }
        #expect(try plan(Self.profile(), on: linked).commands?.withheld == nil)
    }

    @Test func `a package's tree is kept back but for what the command needs of it`() throws {
        let tree = "/usr/share/nodejs/npm"
        let facts = Self.facts { facts in
            facts.closure.ownFiles?.append(PaperHost.file(tree + "/shared.js"))
            facts.closure.files.append(PaperHost.file(tree, isDirectory: true))
            facts.closure.commandPrograms = [
                CommandProgram(
                    path: "/usr/bin/npm", realPath: tree + "/cli.js", identity: PaperHost.identity(tree + "/cli.js"))
            ]
        }
        let withheld = try withheld(facts)
        #expect(withheld.programs == [tree + "/cli.js"] && withheld.withholds(tree + "/cli.js"))
        #expect(!withheld.withholds(tree + "/shared.js"))
        #expect(withheld.rules.contains { $0.path == tree + "/shared.js" && $0.access == .read })
    }

    @Test func `a directory that shows the program to everybody is refused`() throws {
        let tool = "/opt/tools/x"
        let facts = Self.facts { facts in
            facts.closure.files.append(PaperHost.file(tool, isExecutable: true))
            facts.closure.commandPrograms = [
                CommandProgram(path: tool, realPath: tool, identity: PaperHost.identity(tool))
            ]
            facts.add("/opt/tools", isDirectory: true)
        }
        var profile = Self.profile()
        profile.filesystem.read = [BindRule(source: "/opt/tools", target: "/opt/tools")]
        let error = #expect(throws: JailError.self) { try plan(profile, on: facts) }
        #expect(error?.path == tool && error?.reason.contains("sees it as well") == true)
    }

    @Test func `another root is refused`() throws {
        for root in [RootKind.host, .directory("/srv/image")] {
            var profile = Self.profile()
            profile.filesystem.root = root
            #expect(throws: JailError.self) { try plan(profile, on: Self.facts { $0.add("/srv/image") }) }
        }
    }

    @Test func `without Landlock there is no such jail unless the profile does without, and then it is said`() throws {
        let facts = Self.facts { $0.landlockABI = 1 }
        #expect(throws: JailError.self) { try plan(Self.profile(), on: facts) }
        let made = try plan(Self.profile { $0.optional = [.landlock] }, on: facts)
        #expect(made.commands?.withheld == nil)
        #expect(made.notes.contains { $0.contains("nothing keeps the jail's own command") })
    }

    @Test func `before ABI 6 signals are not kept out, and that is said`() throws {
        let made = try plan(Self.profile(), on: Self.facts { $0.landlockABI = 2 })
        #expect(made.commands?.withheld?.scoped == false)
        #expect(made.notes.contains { $0.contains("may signal what is run for it") })
    }

    @Test func `a digest is checked of the file that is mounted`() throws {
        let digest = String(repeating: "ab", count: 32)
        let profile = Self.profile { $0.commands.rules[0].digest = digest }
        let checked = try #require(try plan(profile, on: Self.facts()).commands?.checked)
        #expect(
            checked == [CheckedProgram(path: Self.git, digest: digest, identity: PaperHost.identity(Self.git))])
    }
}
