import JailCore
import JailPolicy
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `Vetting of requests for sessions` {
    static func plan(_ change: (inout SessionsPlan) -> Void = { _ in }) -> SessionsPlan {
        var profile = Profile(name: "chat")
        profile.filesystem.workspace = .readWrite
        profile.limits.memory = 512 << 20
        profile.limits.processes = 100
        profile.limits.milliCPUs = 1000
        var plan = SessionsPlan(
            profile: profile,
            roots: [
                .init(path: "/data/boxes", mount: "/data", source: "/host/data", below: "boxes", readOnly: false),
                .init(path: "/data/skills", mount: "/data", source: "/host/data", below: "skills", readOnly: true),
            ], most: 4, program: "/usr/bin/clawjail")
        change(&plan)
        return plan
    }

    static func check(
        _ request: SessionRequest.Create, _ plan: SessionsPlan = plan()
    ) throws(SessionVetting.Refusal) -> SessionOrder {
        try SessionVetting(plan: plan, profile: "gw").check(request)
    }

    static func request(_ change: (inout SessionRequest.Create) -> Void) -> SessionRequest.Create {
        var request = SessionRequest.Create(id: "a")
        change(&request)
        return request
    }

    @Test func `what the profile names is passed on by root and way`() throws {
        let order = try Self.check(
            Self.request {
                $0.workspace = "/data/boxes/a/b:/workspace"
                $0.agent = "/data/boxes:/agent:ro"
                $0.readOnly = ["/data/skills/x:/workspace/skills/x", "/data/skills:/agent/skills"]
                $0.memory = "256M"
                $0.cpus = "0.5"
                $0.labels = ["chat=7", "empty=", "odd=a=b"]
            })
        #expect(order.id == "a")
        #expect(order.workspace == .init(target: "/workspace", root: 0, below: "a/b", readOnly: false))
        #expect(order.agent == .init(target: "/agent", root: 0, below: "", readOnly: true))
        #expect(
            order.readOnly == [
                .init(target: "/workspace/skills/x", root: 1, below: "x", readOnly: true),
                .init(target: "/agent/skills", root: 1, below: "", readOnly: true),
            ])
        #expect(order.memory == 256 << 20 && order.processes == nil && order.milliCPUs == 500)
        #expect(order.labels.map(\.name) == ["chat", "empty", "odd"])
        #expect(order.labels.map(\.value) == ["7", "", "a=b"])
    }

    @Test(arguments: [
        ("/data/boxes2/a:/workspace", "is in none of this jail's sessions.workspaces"),
        ("/data:/workspace", "is in none of this jail's sessions.workspaces"),
        ("/:/workspace", "is in none of this jail's sessions.workspaces"),
        ("/etc:/workspace:ro", "is in none of this jail's sessions.workspaces"),
        ("/host/data/boxes/a:/workspace", "is in none of this jail's sessions.workspaces"),
        ("/data/skills/x:/workspace", "may only be shown read-only"),
    ])
    func `what it does not name is refused, with the key that would allow it`(text: String, reason: String) {
        let refusal = #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.workspace = text })
        }
        #expect(refusal?.status == 123)
        #expect(refusal?.key == "sessions.workspaces")
        #expect(refusal?.text.contains(reason) == true && refusal?.text.contains("to allow it: ") == true)
        #expect(refusal?.text.contains("of profile 'gw'") == true)
    }

    @Test(arguments: [
        "/data/boxes/../../etc:/workspace", "/data/boxes/..:/workspace", "/data/boxes/./a:/workspace",
        "/data/boxes//a:/workspace", "/data/boxes/a/:/workspace", "data/boxes/a:/workspace", ":/workspace",
        "/data/boxes/a", "/data/boxes/a:/agent", "/data/boxes/a:/workspace:rw", "/data/boxes/a:/workspace:ro:ro",
        "/data/boxes/a:b:/workspace", "/data/boxes/\u{1b}[2J:/workspace", "~/a:/workspace", "",
    ])
    func `another spelling is no request at all`(text: String) {
        let refusal = #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.workspace = text })
        }
        #expect(refusal?.status == 64, "\(refusal?.text ?? "")")
        #expect(refusal?.text.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
    }

    @Test(arguments: ["", "A", "-a", "_a", "a/b", "..", ".", "a b", "é", String(repeating: "a", count: 49), "a\n"])
    func `an id is a name of a directory`(id: String) {
        #expect(throws: SessionVetting.Refusal.self) { try Self.check(.init(id: id)) }
        #expect(throws: SessionVetting.Refusal.self) { try SessionVetting.check(id: id) }
    }

    @Test(arguments: ["/workspace", "/agent", "/workspacex/a", "/usr/bin/sh", "/run/clawjail", "/workspace/../etc"])
    func `directories beside the workspace are shown below it and the agent's`(target: String) {
        #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(
                Self.request {
                    $0.workspace = "/data/boxes/a:/workspace"
                    $0.agent = "/data/boxes/b:/agent"
                    $0.readOnly = ["/data/skills/x:\(target)"]
                })
        }
        #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.readOnly = ["/data/skills:/agent/x", "/data/boxes:/agent/x"] })
        }
    }

    @Test func `a session's profile may have less of a workspace than the jail`() throws {
        let asked = Self.request { $0.workspace = "/data/boxes/a:/workspace" }
        let readOnly = Self.request { $0.workspace = "/data/boxes/a:/workspace:ro" }
        let agent = Self.request { $0.agent = "/data/boxes/a:/agent" }
        let reading = Self.plan { $0.profile.filesystem.workspace = .readOnly }
        let none = Self.plan { $0.profile.filesystem.workspace = .none }
        for (request, plan) in [(asked, reading), (agent, reading), (asked, none), (readOnly, none)] {
            let refusal = #expect(throws: SessionVetting.Refusal.self) { try Self.check(request, plan) }
            #expect(refusal?.status == 123 && refusal?.key == "filesystem.workspace")
        }
        #expect(try Self.check(readOnly, reading).workspace?.readOnly == true)
    }

    @Test func `limits become narrower, never wider`() throws {
        func request(_ key: String, _ value: String) -> SessionRequest.Create {
            Self.request {
                switch key {
                case "limits.memory": $0.memory = value
                case "limits.processes": $0.processes = value
                default: $0.cpus = value
                }
            }
        }
        for (key, value) in [("limits.memory", "513M"), ("limits.processes", "101"), ("limits.cpus", "1.001")] {
            let refusal = #expect(throws: SessionVetting.Refusal.self) { try Self.check(request(key, value)) }
            #expect(refusal?.status == 123 && refusal?.key == key)
            // What the profile leaves open is open.
            let open = Self.plan { $0.profile.limits = LimitRules() }
            #expect(throws: Never.self) { try Self.check(request(key, value), open) }
        }
        let exact = try Self.check(
            Self.request {
                $0.memory = "512M"
                $0.processes = "100"
                $0.cpus = "1"
            })
        #expect(exact.memory == 512 << 20 && exact.processes == 100 && exact.milliCPUs == 1000)
        for text in ["", "-1", "many", "99999999999999999999", "1e3"] {
            #expect(throws: SessionVetting.Refusal.self) { try Self.check(Self.request { $0.processes = text }) }
            #expect(throws: SessionVetting.Refusal.self) { try Self.check(Self.request { $0.memory = text }) }
        }
    }

    @Test func `labels and directories are few, and said once`() {
        for labels in [
            ["a"], ["=b"], ["a=1", "a=2"], ["a b=1"], ["k=" + String(repeating: "x", count: 1024)], ["k=\n"],
            ["k=\u{85}"],
        ] {
            #expect(throws: SessionVetting.Refusal.self) { try Self.check(Self.request { $0.labels = labels }) }
        }
        #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.labels = (0...64).map { "k\($0)=v" } })
        }
        let much = (0..<17).map { "k\($0)=" + String(repeating: "x", count: 1000) }
        #expect(throws: SessionVetting.Refusal.self) { try Self.check(Self.request { $0.labels = much }) }
        #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.readOnly = (0...64).map { "/data/skills:/agent/\($0)" } })
        }
    }

    /// Whatever passes names a root and a way below it, and nothing else.
    @Test func `random paths lead below a root or nowhere`() {
        var generator = SystemRandomNumberGenerator()
        let parts = [
            "/", "data", "boxes", "skills", "..", ".", "a", ":", "ro", "/workspace", "//", "\0", "é", "~", " ",
        ]
        var passed = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...9, using: &generator)
            var text = Bool.random(using: &generator) ? "/data/boxes" : ""
            for _ in 0..<count { text += parts.randomElement(using: &generator) ?? "" }
            if Bool.random(using: &generator) { text += ":/workspace" }
            guard let order = try? Self.check(Self.request { $0.workspace = text }), let mount = order.workspace else {
                continue
            }
            passed += 1
            let below = mount.below.split(separator: "/", omittingEmptySubsequences: false)
            #expect(mount.below.isEmpty || below.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }, "\(text)")
            #expect(text.hasPrefix(Self.plan().roots[mount.root].path), "\(text)")
            #expect(mount.readOnly || mount.root == 0)
        }
        #expect(passed > 100)
        print("20000 executions of the vetting, \(passed) passed")
    }

    // MARK: Secrets

    private static func plan(secrets: [String]) -> SessionsPlan { plan { $0.secrets = secrets } }

    @Test func `a session has the secrets that it is asked for with, and no other`() throws {
        let plan = Self.plan(secrets: ["github", "maps", "mail"])
        #expect(try Self.check(Self.request { _ in }, plan).secrets.isEmpty)
        #expect(
            try Self.check(Self.request { $0.secrets = ["mail", "github", "mail"] }, plan).secrets == [
                "github", "mail",
            ])
    }

    @Test(arguments: ["stripe", "", "git", "github ", "GITHUB", "../github", "*", "github,maps"])
    func `a secret that the profile does not name is refused, whatever else is asked for`(name: String) {
        let plan = Self.plan(secrets: ["github", "maps"])
        let refusal = #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.secrets = ["github", name] }, plan)
        }
        #expect(refusal?.status == ExitStatus.refused)
        #expect(refusal?.key == "sessions.secrets")
    }

    @Test func `least is none, also of what the sessions' profile binds`() {
        let refusal = #expect(throws: SessionVetting.Refusal.self) {
            try Self.check(Self.request { $0.secrets = ["github"] })
        }
        #expect(
            refusal?.text == "'github' is none of this jail's sessions.secrets; to allow it: "
                + "add \"github\" to sessions.secrets of profile 'gw', and bind it in 'chat'")
    }
}
