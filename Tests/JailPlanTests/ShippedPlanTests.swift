import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

struct `Plans of the shipped profiles` {
    static func facts(for name: String) -> HostFacts {
        PaperHost.facts { facts in
            if name == "session" || name == "shell" {
                facts.closure.files.append(PaperHost.file("/usr/bin", isDirectory: true, isExecutable: true))
                facts.closure.files.removeAll { $0.path == "/usr/bin/node" }
            }
            facts.add("/home/ann/project", isDirectory: true)
        }
    }

    static func profile(_ name: String) throws -> Profile {
        var profile = try Shipped.load(name)
        if profile.filesystem.workspace != .none { profile.filesystem.workspaceSource = "/home/ann/project" }
        return profile
    }

    @Test(arguments: Shipped.names)
    func `each holds what every plan must`(name: String) throws {
        let profile = try Self.profile(name)
        expectInvariants(try plan(profile, on: Self.facts(for: name)), profile)
    }

    @Test(arguments: Shipped.names)
    func `nothing of the host's home directories, /etc, /var or /root is shown`(name: String) throws {
        let plan = try plan(Self.profile(name), on: Self.facts(for: name))
        for bind in plan.binds where bind.purpose != .workspace && bind.purpose != .data {
            let isCertificate = bind.target == "/etc/ssl/certs/ca-certificates.crt"
            let ok = bind.source.isBelow("/usr") || bind.source.isBelow("/dev") || isCertificate
            #expect(ok, "\(bind.source)")
            #expect(!bind.isDirectory || ["/usr/share/zoneinfo", "/usr/bin"].contains(bind.source), "\(bind.source)")
        }
    }

    @Test(arguments: Shipped.names)
    func `what can be written is what the profile says, and no more`(name: String) throws {
        let plan = try plan(Self.profile(name), on: Self.facts(for: name))
        let writable = plan.binds.filter { !$0.attributes.contains(.readOnly) }.map(\.target)
        let expected: [String] =
            switch name {
            case "session": ["/workspace"]
            case "stateful", "shell": ["/data"]
            default: []
            }
        #expect(writable == expected)
        #expect(plan.tmpfs.map(\.target) == ["/tmp", "/dev/shm", "/home/claw"])
        #expect(plan.tmpfs.map(\.mode) == [0o1777, 0o1777, 0o700])
        #expect(plan.tmpfs.map(\.size) == [64 << 20, 16 << 20, 16 << 20])
    }

    @Test(arguments: Shipped.names)
    func `the environment is the fixed names and what the profile passes`(name: String) throws {
        let callers = ["LANG", "TZ", "OPENCLAW_GATEWAY_TOKEN", "LD_PRELOAD", "PATH", "HOME", "USER", "SSH_AUTH_SOCK"]
        let profile = try Self.profile(name)
        let plan = try plan(profile, on: Self.facts(for: name)) { request in
            request.environment = callers.map { EnvironmentVariable(name: $0, value: "caller's") }
        }
        let names = Set(plan.command.environment.map { String($0.prefix { $0 != "=" }) })
        let fixed: Set<String> = ["PATH", "HOME", "USER", "LOGNAME"]
        #expect(names.isSuperset(of: fixed))
        let told = plan.network.egress?.environment([.bundle: "", .authority: ""]).map(\.name) ?? []
        let allowed = fixed.union(profile.process.passEnvironment).union(profile.process.environment.map(\.name))
            .union(told)
        #expect(names.isSubset(of: allowed))
        for name in fixed { #expect(plan.environment(name) != "caller's") }
        #expect(plan.environment("HOME") == "/home/claw" && plan.environment("USER") == "claw")
        #expect(plan.environment("LANG") == "caller's")
    }

    @Test(arguments: Shipped.names)
    func `every wall stands: landlock, seccomp, cgroup, all namespaces`(name: String) throws {
        let plan = try plan(Self.profile(name), on: Self.facts(for: name))
        #expect(plan.leftOut.isEmpty)
        #expect(plan.landlock?.abi == 7 && plan.landlock?.scoped == true)
        #expect(plan.seccomp.variant == (["session", "shell"].contains(name) ? .shell : .strict))
        #expect(plan.seccomp.additional.isEmpty)
        #expect(plan.limits.cgroup != nil)
        #expect(plan.namespaces.time)
        #expect(plan.namespaces.cloned == [.user, .pid])
        #expect(plan.namespaces.unshared == [.mount, .network, .ipc, .uts])
        #expect(plan.identity.inside.uid == 1000 && plan.identity.host.uid == 1234)
    }

    @Test func `only programs and the loader may be executed`() throws {
        let plan = try plan(Self.profile("offline"))
        let executable = plan.landlock?.rules.filter { $0.access == .execute }.map(\.path)
        #expect(executable == ["/usr/bin/node", PaperHost.loader])
        for library in PaperHost.libraries { #expect(plan.bind(at: library)?.purpose == .library) }
    }

    @Test func `a shell may execute what it reads, and 'shell' what it writes`() throws {
        let session = try plan(Self.profile("session"), on: Self.facts(for: "session"))
        #expect(session.access(to: "/usr/bin") == [.execute])
        #expect(session.access(to: "/workspace") == [.write])
        let shell = try plan(Self.profile("shell"), on: Self.facts(for: "shell"))
        #expect(shell.access(to: "/data") == [.all])
        #expect(shell.access(to: "/tmp") == [.all])
    }

    @Test func `the gateway is published on this machine only, and its state has a place`() throws {
        let plan = try plan(Self.profile("stateful"))
        #expect(plan.network.publish.map(\.hostText) == ["127.0.0.1:18789"])
        #expect(plan.network.egress?.ports == [80, 443])
        #expect(plan.data?.source == "/home/ann/.local/state/clawjail/data/jail")
        #expect(plan.data?.isOwn == true && plan.data?.enforcement == .watched)
        #expect(plan.command.workingDirectory == "/data")
        #expect(plan.environment("OPENCLAW_STATE_DIR") == "/data/openclaw")
        #expect(plan.stopGrace == 30_000)
    }
}
