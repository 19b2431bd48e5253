import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

struct `The planner` {
    @Test(arguments: ["a", "0", "jail-1", "a_b", String(repeating: "x", count: 48)])
    func `takes these names`(name: String) throws {
        #expect(JailName.isValid(name))
        #expect(try plan(bare(), name: name).name == name)
    }

    @Test(arguments: [
        "", "-a", "_a", "A", "a.b", "..", ".", "a/b", "a b", "ä", "a\n", "a\u{0}", "a\u{301}",
        String(repeating: "x", count: 49),
    ])
    func `refuses these names, which become file and cgroup names`(name: String) {
        #expect(!JailName.isValid(name))
        let error = failure { () throws(JailError) in _ = try plan(bare(), name: name) }
        #expect(error?.stage == .plan)
        #expect(error?.reason.contains("is not a name for a jail") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `a launch without a command is a jail that waits for what is executed in it`() throws {
        let made = try plan(bare()) { $0.arguments = [] }
        #expect(made.command.isNone)
        #expect(made.text.contains("none: it waits for what is executed in it"))
        #expect(try !plan(bare()).command.isNone)
    }

    @Test(arguments: [(UInt32(0), UInt32(0)), (0, 1000), (1000, 0)])
    func `refuses a payload that is root on the host`(uid: UInt32, gid: UInt32) {
        let facts = PaperHost.facts { $0.payload = HostIdentity(name: "x", uid: uid, gid: gid) }
        let error = failure { () throws(JailError) in _ = try plan(bare(), on: facts) }
        #expect(error?.reason == "the payload would be root on the host")
    }

    @Test func `the same input gives the same plan`() throws {
        for name in Shipped.names where name != "session" {
            let profile = try Shipped.load(name)
            let first = try plan(profile)
            #expect(try plan(profile) == first)
            #expect(try plan(profile).json.text() == first.json.text())
            #expect(try plan(profile).text == first.text)
        }
    }

    // MARK: Command

    @Test func `PATH has the usual directories and those of the programs, nothing of the caller's`() throws {
        let facts = PaperHost.facts { facts in
            for path in ["/opt/tool/bin/tool", "/usr/bin/node", "/opt/tool/bin/other"] {
                facts.closure.programs.append(ResolvedProgram(name: "x", path: path, realPath: path))
                facts.closure.files.append(PaperHost.file(path, isExecutable: true))
            }
        }
        let plan = try plan(bare(), on: facts) {
            $0.environment = [EnvironmentVariable(name: "PATH", value: "/home/ann/bin")]
        }
        #expect(plan.environment("PATH") == "/usr/local/bin:/usr/bin:/bin:/opt/tool/bin")
    }

    @Test func `the profile's values win over the caller's, and each name is there once`() throws {
        let profile = bare {
            $0.process.passEnvironment = ["A", "B", "MISSING"]
            $0.process.environment = [
                EnvironmentVariable(name: "B", value: "profile"), EnvironmentVariable(name: "HOME", value: "/h"),
            ]
        }
        let plan = try plan(profile) { request in
            request.environment = ["A", "B", "C"].map { EnvironmentVariable(name: $0, value: "caller") }
        }
        #expect(plan.environment("A") == "caller" && plan.environment("B") == "profile")
        #expect(plan.environment("C") == nil && plan.environment("MISSING") == nil)
        #expect(plan.environment("HOME") == "/h")
        let names = plan.command.environment.map { $0.prefix { $0 != "=" } }
        #expect(Set(names).count == names.count)
    }

    @Test func `TERM is passed to a terminal of its own only`() throws {
        let term = [EnvironmentVariable(name: "TERM", value: "xterm")]
        #expect(try plan(bare()) { $0.environment = term }.environment("TERM") == nil)
        let plan = try plan(bare()) {
            $0.environment = term
            $0.terminal = true
        }
        #expect(plan.environment("TERM") == "xterm")
        #expect(plan.command.terminal)
    }

    @Test func `the command keeps its name, and gets its arguments as they are inside`() throws {
        let plan = try plan(bare()) { $0.arguments = ["node", "on the host"] }
        #expect(plan.command.path == "/usr/bin/node")
        #expect(plan.command.arguments == ["node", "--version"])
        #expect(plan.command.workingDirectory == "/")
        #expect(plan.command.fileModeMask == 0o022)
    }

    @Test func `it starts in the profile's directory, else in the data, else in the workspace`() throws {
        let facts = PaperHost.facts { $0.add("/home/ann/project", isDirectory: true) }
        var profile = bare { $0.filesystem.workspace = .readOnly }
        profile.filesystem.workspaceSource = "/home/ann/project"
        #expect(try plan(profile, on: facts).command.workingDirectory == "/workspace")
        profile.filesystem.data = DataRule(size: 1 << 20)
        #expect(try plan(profile, on: facts).command.workingDirectory == "/data")
        profile.process.workingDirectory = "/tmp"
        #expect(try plan(profile, on: facts).command.workingDirectory == "/tmp")
    }

    // MARK: Notes

    @Test func `a jail is not published where the page to decide on is`() {
        for port: UInt16 in [18770, 18779] {
            let profile = bare { $0.network.publish = [PublishedPort(hostPort: port, jailPort: 80)] }
            #expect(failure { () throws(JailError) in _ = try plan(profile) }?.reason.contains("is kept for") == true)
        }
        let other = bare { $0.network.publish = [PublishedPort(hostPort: 18789, jailPort: 18790)] }
        #expect(throws: Never.self) { try plan(other) }
    }

    @Test func `a port that others can reach, and a host that trusts no CA, are said`() throws {
        let profile = bare {
            var port = PublishedPort(hostPort: 80, jailPort: 8080)
            port.hostAddress = 0
            $0.network.publish = [port, PublishedPort(hostPort: 81, jailPort: 81)]
            $0.network.allow = [NetworkRule(hosts: [.any], methods: ["GET"], ports: [443])]
        }
        let facts = PaperHost.facts {
            $0.certificates = nil
            $0.closure.missing = ["openclaw"]
            $0.closure.notes = ["brought along"]
        }
        let notes = try plan(profile, on: facts).notes
        #expect(notes.count { $0.contains("beyond 127.0.0.1") } == 1)
        #expect(notes.contains { $0.hasPrefix("port 80 is published beyond") })
        #expect(notes.contains { $0.contains("no trusted CA certificates") })
        #expect(notes.contains("brought along"))
        #expect(notes.contains("'openclaw' is not installed on this host"))
        #expect(try plan(bare()).notes.isEmpty)
    }

    @Test func `a jail is started again if its profile says so, it has a command, and no other jail has made it`()
        throws
    {
        let profile = bare { $0.restart.on = .always }
        #expect(try plan(profile).restart == profile.restart)
        #expect(try plan(profile).text.contains("whenever it ends, after 1s, twice as long each time, at most 1m"))
        #expect(try plan(bare()).restart == nil)
        #expect(try plan(profile) { $0.arguments = [] }.restart == nil)
        #expect(try plan(profile) { $0.gateway = "g" }.restart == nil)
    }

    @Test func `nothing but clawjail says what the token of a published port is inside`() throws {
        func make(_ change: (inout Profile) -> Void) throws(JailError) -> LaunchPlan {
            var profile = bare {
                var port = PublishedPort(hostPort: 1, jailPort: 18789)
                port.token = "gateway"
                $0.network.publish = [port]
            }
            change(&profile)
            return try plan(profile) {
                $0.environment = [EnvironmentVariable(name: "OPENCLAW_GATEWAY_TOKEN", value: "real")]
            }
        }
        let made = try make { _ in }
        #expect(made.text.contains("for those who show the token 'gateway'"))
        #expect(made.json.text().contains("\"token\":\"gateway\""))
        let variable = EnvironmentVariable(name: "OPENCLAW_GATEWAY_TOKEN", value: "x")
        #expect(throws: JailError.self) { try make { $0.process.environment = [variable] } }
        // The caller's may be the real one.
        #expect(try make { $0.process.passEnvironment = [variable.name] }.environment(variable.name) == nil)
        #expect(throws: Never.self) {
            try make {
                $0.process.environment = [variable]
                $0.network.publish[0].token = nil
            }
        }
    }
}
