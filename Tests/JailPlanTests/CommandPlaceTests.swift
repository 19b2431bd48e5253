import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailPlan

struct `Where commands of a plan run` {
    private static let launcher = LauncherFacts(
        path: "/opt/bin/clawjail", identity: PaperHost.identity("/opt/bin/clawjail"), isInUsualPlace: false)

    private static func profile(_ place: CommandPlace, _ change: (inout Profile) -> Void = { _ in }) -> Profile {
        bare {
            var rule = CommandRule(name: "npm", program: "/usr/bin/npm")
            rule.arguments = [CommandArgument(.literal("test"))]
            rule.place = place
            rule.workingDirectory = "/workspace/app"
            rule.environment = [EnvironmentVariable(name: "CI", value: "1")]
            $0.commands.rules = [rule]
            $0.filesystem.workspace = .readWrite
            $0.filesystem.workspaceSource = "/srv/app"
            change(&$0)
        }
    }

    private static func facts(root: Bool = false, _ change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        PaperHost.facts {
            $0.add("/srv/app", isDirectory: true)
            $0.commands.launcher = launcher
            $0.commands.programs["/usr/bin/npm"] = "/usr/lib/npm"
            $0.commands.directories["/workspace/app"] = "/srv/real"
            $0.commands.users["logs"] = user("logs", 990)
            $0.commands.users["ann"] = user("ann", 1234)
            $0.commands.users["0"] = user("toor", 0)
            $0.commands.users["staff"] = user("staff", 991, gid: 0)
            $0.commands.users["wheel"] = user("wheel", 992, groups: [("root", 0)])
            $0.commands.users["ops"] = user("ops", 993, groups: [("docker", 99), ("logs", 98)])
            $0.stub = OwnProgramFacts(
                path: "/usr/bin/clawjail-stub",
                file: SourceFacts(identity: PaperHost.identity("/usr/bin/clawjail-stub"), isDirectory: false))
            if root {
                $0.caller = CallerFacts()
                $0.groups = .byRoot
            }
            change(&$0)
        }
    }

    private static func user(
        _ name: String, _ uid: UInt32, gid: UInt32? = nil, groups: [(String, UInt32)] = []
    ) -> HostUser {
        HostUser(
            identity: HostIdentity(name: name, uid: uid, gid: gid ?? uid),
            groups: groups.map { .init(name: $0.0, gid: $0.1) }, home: "/home/\(name)")
    }

    private static func own(_ change: (inout Profile) -> Void = { _ in }) -> Profile {
        var own = Profile(name: "tests")
        own.filesystem.workspace = .readWrite
        change(&own)
        return own
    }

    private static func plan(
        _ profile: Profile, root: Bool = false, own: Profile = own(), name: String = "chat"
    ) throws(JailError) -> CommandsPlan? {
        try JailPlanTests.plan(profile, on: facts(root: root), name: name) { $0.commandProfiles = ["tests": own] }
            .commands
    }

    // MARK: On the host

    @Test func `as root somebody else is taken on, with groups and home`() throws {
        let places = try #require(try Self.plan(Self.profile(.host("logs")), root: true)).places
        #expect(
            places == [
                .host(
                    .init(
                        user: Self.user("logs", 990), program: "/usr/lib/npm", directory: "/srv/real", isOther: true))
            ])
    }

    @Test func `without root there is only oneself`() throws {
        guard case .host(let place)? = try Self.plan(Self.profile(.host("ann")))?.places.first else {
            return #expect(Bool(false))
        }
        #expect(!place.isOther)
        let error = failure { () throws(JailError) in _ = try Self.plan(Self.profile(.host("logs"))) }
        #expect(error?.reason.contains("only root can start something as somebody else") == true)
    }

    @Test(arguments: ["0", "staff", "wheel"]) func `root is refused under whatever name`(name: String) throws {
        let error = failure { () throws(JailError) in _ = try Self.plan(Self.profile(.host(name)), root: true) }
        #expect(error?.reason.contains("who is root or in root's group") == true)
    }

    @Test func `who is nobody is refused, and mighty groups are told`() throws {
        let error = failure { () throws(JailError) in _ = try Self.plan(Self.profile(.host("x")), root: true) }
        #expect(error?.reason.contains("not in /etc/passwd") == true)
        let plan = try JailPlanTests.plan(Self.profile(.host("ops")), on: Self.facts(root: true))
        #expect(plan.notes.contains { $0.contains("'ops' is in docker, which means much more") })
    }

    // MARK: In a jail of its own

    @Test func `clawjail is started with the profile, the workspace, the directory and the environment`() throws {
        guard case .ownJail(let place)? = try Self.plan(Self.profile(.profile("tests")))?.places.first else {
            return #expect(Bool(false))
        }
        #expect(place.launcher == Self.launcher.path && place.identity == Self.launcher.identity)
        #expect(
            place.arguments == [
                "clawjail", "run", "--profile", "tests", "--workspace", "/srv/app", "--directory", "/workspace/app",
                "--env", "CI=1", "--",
            ])
        #expect(place.workspace == .init(path: "/srv/app", identity: PaperHost.identity("/srv/app")))
        #expect(place.jailName(3) == "chat-npm-3")
    }

    @Test func `as root it runs as its profile says, else as the jail that asks`() throws {
        guard case .ownJail(let place)? = try Self.plan(Self.profile(.profile("tests")), root: true)?.places.first,
            case .ownJail(let named)? = try Self.plan(
                Self.profile(.profile("tests")), root: true, own: Self.own { $0.process.user = "builder" })?.places
                .first
        else { return #expect(Bool(false)) }
        #expect(place.arguments.contains("--user") && place.arguments.contains("ann"))
        #expect(!named.arguments.contains("--user"))
    }

    @Test func `a profile that leads further is refused`() throws {
        for (own, what) in [
            (Self.own { $0.commands = Self.profile(.jail).commands }, "commands"),
            (Self.own { $0.sessions = SessionRules(profile: "x") }, "sessions"),
            (Self.own { $0.restart.on = .always }, "restart"),
        ] {
            let error = failure { () throws(JailError) in
                _ = try Self.plan(Self.profile(.profile("tests")), own: own)
            }
            #expect(error?.reason.contains("'\(what)'") == true, "\(what)")
        }
        let error = failure { () throws(JailError) in _ = try Self.plan(Self.profile(.profile("other"))) }
        #expect(error?.reason.contains("was not loaded") == true)
    }

    @Test func `it gets no more of the workspace than the jail that asks has`() throws {
        func refusal(_ own: WorkspaceAccess, asking: WorkspaceAccess) -> String? {
            do throws(JailError) {
                _ = try Self.plan(
                    Self.profile(.profile("tests")) { $0.filesystem.workspace = asking },
                    own: Self.own { $0.filesystem.workspace = own })
                return nil
            } catch { return error.reason }
        }
        #expect(refusal(.readWrite, asking: .readOnly)?.contains("may only read") == true)
        #expect(refusal(.readOnly, asking: .readOnly) == nil)
        #expect(refusal(.readOnly, asking: .readWrite) == nil)
        #expect(refusal(.none, asking: .readWrite)?.contains("has no workspace") == true)
        #expect(refusal(.review, asking: .readWrite) != nil)
        #expect(refusal(.readOnly, asking: .review) != nil)
    }

    @Test func `one with a workspace of its own keeps that`() throws {
        let own = Self.own { $0.filesystem.workspaceSource = "/srv/other" }
        guard case .ownJail(let place)? = try Self.plan(Self.profile(.profile("tests")), own: own)?.places.first else {
            return #expect(Bool(false))
        }
        #expect(place.workspace == nil && !place.arguments.contains("--workspace"))
    }

    @Test func `names of jails are names, and told apart`() {
        #expect(Planner.jailName("chat", "npm") == "chat-npm")
        let long = String(repeating: "a", count: 48)
        for (jail, command) in [("chat", "Npm"), (long, "npm"), (long, "npm2"), ("gw-chat-7", "g++")] {
            let name = Planner.jailName(jail, command)
            #expect(JailName.isValid("\(name)-16"), "\(name)")
        }
        #expect(Planner.jailName(long, "npm") != Planner.jailName(long, "npm2"))
        #expect(Planner.jailName("chat", "npm") != Planner.jailName("chat", "Npm"))
    }
}
