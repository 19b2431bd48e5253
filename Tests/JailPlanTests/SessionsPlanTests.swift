import JailCore
import JailPolicy
import Testing

@testable import JailPlan

struct `Plans with sessions` {
    /// A gateway's profile: data of its own, a file tree to read, and one to write.
    static func gateway(_ workspaces: [String], _ change: (inout Profile) -> Void = { _ in }) throws -> Profile {
        var profile = bare {
            $0.filesystem.data = DataRule(size: 1 << 30)
            $0.filesystem.read = [BindRule(source: "/srv/shared", target: "/shared")]
            $0.filesystem.write = [BindRule(source: "/srv/work", target: "/srv/work")]
            $0.filesystem.tmp = 1 << 20
        }
        var rules = SessionRules(profile: "session")
        rules.workspaces = try workspaces.map { (text) throws(ValueError) in try SessionRoot.parse(text) }
        profile.sessions = rules
        change(&profile)
        return profile
    }

    static func facts(_ change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        PaperHost.facts { facts in
            facts.add("/srv/shared", isDirectory: true)
            facts.add("/srv/work", isDirectory: true)
            facts.add("/srv/work/inner", isDirectory: true)
            facts.closure.launcher = LauncherFacts(
                path: "/opt/clawjail/bin/clawjail", identity: PaperHost.identity("/opt/clawjail/bin/clawjail"),
                isInUsualPlace: false)
            change(&facts)
        }
    }

    static func make(
        _ profile: Profile, on facts: HostFacts = facts(), sessions: Profile? = Profile(name: "session")
    ) throws(JailError) -> LaunchPlan {
        try plan(profile, on: facts, name: "gw") { $0.sessionProfile = sessions }
    }

    @Test func `a directory is found on the host through the mount that shows it`() throws {
        let profile = try Self.gateway(["/data/openclaw/sandboxes", "/srv/work", "/shared/a:ro"])
        let plan = try Self.make(profile)
        let sessions = try #require(plan.sessions)
        #expect(sessions.most == 16)
        #expect(sessions.profile == Profile(name: "session"))
        #expect(
            sessions.roots == [
                .init(
                    path: "/data/openclaw/sandboxes", mount: "/data", source: "/home/ann/.local/state/clawjail/data/gw",
                    below: "openclaw/sandboxes", readOnly: false),
                .init(path: "/srv/work", mount: "/srv/work", source: "/srv/work", below: "", readOnly: false),
                .init(path: "/shared/a", mount: "/shared", source: "/srv/shared", below: "a", readOnly: true),
            ])
        expectInvariants(plan, profile)
    }

    @Test func `the jail gets clawjail itself and the socket`() throws {
        let plan = try Self.make(try Self.gateway([]))
        let program = try #require(plan.bind(at: "/usr/bin/clawjail"))
        #expect(program.source == "/opt/clawjail/bin/clawjail" && program.purpose == .program)
        #expect(program.attributes.contains([.readOnly, .noSetuid, .noDevices]))
        #expect(plan.access(to: "/usr/bin/clawjail") == [.execute])
        #expect(plan.mounts.contains(.socket(path: "/run/clawjail/sessions.sock")))
        #expect(plan.text.contains("sessions, made beside this jail"))
        #expect(plan.json.text().contains("\"socket\":\"/run/clawjail/sessions.sock\""))
    }

    @Test func `without the key there is none of it`() throws {
        let plan = try Self.make(try Self.gateway([]) { $0.sessions = nil })
        #expect(plan.sessions == nil)
        #expect(plan.bind(at: "/usr/bin/clawjail") == nil)
        #expect(!plan.mounts.contains { if case .socket = $0 { true } else { false } })
        #expect(plan.json.text().contains("\"sessions\":null"))
    }

    @Test func `where all of the host's programs are shown, clawjail is beside them`() throws {
        func withPrograms(inUsualPlace: Bool) throws -> LaunchPlan {
            try Self.make(
                try Self.gateway([]),
                on: Self.facts {
                    $0.closure.files = [PaperHost.file("/usr/bin", isDirectory: true, isExecutable: true)]
                    $0.closure.launcher?.isInUsualPlace = inUsualPlace
                })
        }
        let beside = try withPrograms(inUsualPlace: false)
        #expect(beside.sessions?.program == "/run/clawjail/bin/clawjail")
        #expect(beside.access(to: "/run/clawjail/bin/clawjail") == [.execute])
        #expect(beside.environment("PATH")?.hasSuffix(":/run/clawjail/bin") == true)
        #expect(try withPrograms(inUsualPlace: true).sessions?.program == "/usr/bin/clawjail")
    }

    @Test(arguments: [
        ("/nowhere", "the jail shows no directory of the host there"),
        ("/tmp/x", "the jail shows no directory of the host there"),
        ("/usr/bin", "the jail shows no directory of the host there"),
        ("/home/claw", "the jail shows no directory of the host there"),
        ("/shared", "the jail itself may only read there"),
        ("/shared/a", "the jail itself may only read there"),
    ])
    func `what the jail does not have, its sessions cannot have`(path: String, reason: String) throws {
        let error = #expect(throws: JailError.self) { try Self.make(try Self.gateway([path])) }
        #expect(error?.description.contains("'\(path)': sessions.workspaces names it, and \(reason)") == true)
        #expect(error?.status == ExitStatus.configuration)
    }

    @Test func `a directory in which the jail sees something else is refused`() throws {
        let profile = try Self.gateway(["/srv/work"]) {
            $0.filesystem.read.append(BindRule(source: "/srv/shared", target: "/srv/work/inner"))
        }
        let error = #expect(throws: JailError.self) { try Self.make(profile) }
        #expect(error?.description.contains("something else is shown in it, at '/srv/work/inner'") == true)
        // Beside it there is no such thing.
        #expect(throws: Never.self) {
            try Self.make(
                try Self.gateway(["/srv/work/other"]) {
                    $0.filesystem.read.append(BindRule(source: "/srv/shared", target: "/srv/work/inner"))
                })
        }
    }

    @Test func `the mount that lies on top is the one that counts`() throws {
        let profile = try Self.gateway(["/srv/work/inner/x:ro"]) {
            $0.filesystem.read.append(BindRule(source: "/srv/shared", target: "/srv/work/inner"))
        }
        let root = try #require(try Self.make(profile).sessions?.roots.first)
        #expect(root.source == "/srv/shared" && root.below == "x")
    }

    @Test func `an image of the jail's data is nothing to look into`() throws {
        let profile = try Self.gateway(["/data"]) { $0.filesystem.data?.mustEnforceSize = true }
        let error = #expect(throws: JailError.self) {
            try Self.make(profile, on: Self.facts { $0.imageMaker = "/sbin/mkfs.ext4" })
        }
        #expect(error?.description.contains("the jail's data is an image") == true)
    }

    @Test func `sessions make no sessions`() throws {
        let inner = try Self.gateway([])
        let error = #expect(throws: JailError.self) { try Self.make(try Self.gateway([]), sessions: inner) }
        #expect(error?.description.contains("which has 'sessions' itself") == true)
        #expect(throws: JailError.self) { try Self.make(try Self.gateway([]), sessions: nil) }
    }

    @Test func `the way out of a jail's sessions is never its own`() throws {
        let profile = try Self.gateway([])
        func plan(_ group: String) throws(JailError) -> LaunchPlan {
            try JailPlanTests.plan(profile, on: Self.facts(), name: "gw") {
                $0.sessionProfile = Profile(name: "session")
                $0.egressGroup = group
            }
        }
        #expect(throws: Never.self) { try plan("other") }
        let error = #expect(throws: JailError.self) { try plan("gw") }
        #expect(error?.status == ExitStatus.usage)
    }

    @Test func `a session's place is in the directory of its jail, and its names are told apart`() throws {
        let made = try JailPlanTests.plan(bare { $0.limits.processes = 5 }, name: "a") { $0.gateway = "gw" }
        #expect(made.runtimeDirectory == "/run/user/1234/clawjail/gw/sessions")
        #expect(made.groupDirectory == "/run/user/1234/clawjail")
        #expect(made.limits.cgroup?.name == "clawjail-gw.a")
        let data = try JailPlanTests.plan(bare { $0.filesystem.data = DataRule(size: 1 << 20) }, name: "a") {
            $0.gateway = "gw"
        }
        #expect(data.data?.source.hasSuffix("/data/gw.a") == true)
        for gateway in ["..", "a/b", ""] {
            #expect(throws: JailError.self) { try JailPlanTests.plan(bare(), name: "a") { $0.gateway = gateway } }
        }
    }

    @Test(arguments: ["/run", "/run/clawjail", "/run/clawjail/sessions.sock"])
    func `nothing lies over the socket`(target: String) throws {
        let profile = try Self.gateway([]) {
            $0.filesystem.write.append(BindRule(source: "/srv/shared", target: target))
        }
        let error = #expect(throws: JailError.self) { try Self.make(profile) }
        #expect(error?.description.contains("something else is shown there already") == true)
    }

    @Test func `what sessions may be asked for with is bound in their profile`() throws {
        func make(_ names: [String]) throws -> LaunchPlan {
            let host = try #require(HostName(wire: "api.example.com".utf8))
            var session = Profile(name: "skills")
            session.secrets.bindings = ["github", "maps"].map { SecretBinding(name: $0, hosts: [host], place: .bearer) }
            return try Self.make(try Self.gateway([]) { $0.sessions?.secrets = names }, sessions: session)
        }
        let plan = try make(["maps"])
        #expect(plan.sessions?.secrets == ["maps"])
        #expect(plan.text.contains("maps: each session those that it is asked for with"))
        #expect(try make([]).sessions?.secrets == [])
        let error = #expect(throws: JailError.self) { try make(["maps", "stripe"]) }
        #expect(error?.reason == "sessions.secrets names 'stripe', and profile 'skills' does not bind it")
    }
}
