import JailPolicy
import TestSupport
import Testing

struct `Exposure of profiles` {
    /// Each grants one thing more, whatever the profile is; some profiles have it already.
    static let permissions: [(name: String, grant: @Sendable (inout Profile) throws -> Void)] = [
        ("a program", { $0.process.programs.append(ProgramRule(name: "jq")) }),
        ("a shell by name", { $0.process.programs.append(ProgramRule(name: "bash")) }),
        ("a directory of programs", { $0.process.programs.append(ProgramRule(name: "/usr/bin/")) }),
        ("a shell's code", { $0.process.shell = true }),
        ("a system call", { $0.process.systemCalls.append("io_uring_setup") }),
        ("a variable", { $0.process.environment.append(EnvironmentVariable(name: "A_TOKEN", value: "123456789")) }),
        ("a variable of the caller's", { $0.process.passEnvironment.append("EDITOR") }),
        ("a path to read", { try $0.filesystem.addRead(BindRule(source: "/srv/new", target: "/srv/new")) }),
        ("a path to write", { try $0.filesystem.addWrite(BindRule(source: "/srv/new", target: "/srv/new")) }),
        // Which takes it from those that may only be read.
        (
            "a path to write that could be read",
            { profile in
                guard let rule = profile.filesystem.read.first else { return }
                try profile.filesystem.addWrite(rule)
            }
        ),
        (
            "sockets",
            { profile in
                guard !profile.filesystem.read.isEmpty else { return }
                profile.filesystem.read[0].allowSpecialFiles = true
            }
        ),
        ("/tmp", { $0.filesystem.tmp = max(1 << 20, $0.filesystem.tmp) }),
        ("a home directory", { $0.filesystem.home = max(1 << 20, $0.filesystem.home) }),
        ("data", { $0.filesystem.data = $0.filesystem.data ?? DataRule(size: 1 << 30) }),
        ("a workspace", { $0.filesystem.workspace = $0.filesystem.workspace == .none ? .readOnly : .readWrite }),
        ("what is written", { $0.filesystem.executeWritable = true }),
        ("the host's root", { $0.filesystem.root = .host }),
        ("a host", { $0.network.allow.append(try NetworkRule(hosts: ["a.example"], methods: ["GET"], ports: [443])) }),
        (
            "a domain",
            { $0.network.allow.append(try NetworkRule(hosts: ["*.a.example"], methods: ["GET"], ports: [443])) }
        ),
        ("every host", { $0.network.allow.append(try NetworkRule(hosts: ["*"], methods: ["GET"], ports: [443])) }),
        (
            "sending",
            { $0.network.allow.append(try NetworkRule(hosts: ["a.example"], methods: ["POST"], ports: [443])) }
        ),
        (
            "sending anywhere",
            { $0.network.allow.append(try NetworkRule(hosts: ["*"], methods: ["POST"], ports: [443])) }
        ),
        ("a preset", { $0.network.allow.append(NetworkRule(preset: .npm)) }),
        ("private addresses", { $0.network.allowPrivate.append(try AddressRange.parse("10.0.0.0/8")) }),
        ("the host itself", { $0.network.allowPrivate.append(try AddressRange.parse("127.0.0.0/8")) }),
        ("a port", { $0.network.publish.append(PublishedPort(hostPort: 9, jailPort: 9)) }),
        (
            "a port for everybody",
            { profile in
                var port = PublishedPort(hostPort: 10, jailPort: 10)
                port.hostAddress = 0
                profile.network.publish.append(port)
            }
        ),
        ("memory", { $0.limits.memory = $0.limits.memory.map { $0 * 4 } }),
        ("any memory", { $0.limits.memory = nil }),
        ("any number of processes", { $0.limits.processes = nil }),
        ("processors", { $0.limits.milliCPUs = nil }),
        ("swap", { $0.limits.swap += 1 << 30 }),
        ("open files", { $0.limits.openFiles += 100_000 }),
        ("no Landlock", { $0.optional.insert(.landlock) }),
        ("no cgroup", { $0.optional.insert(.cgroup) }),
        ("sessions", { $0.sessions = $0.sessions ?? SessionRules(profile: "session") }),
    ]

    @Test func `no single permission lowers the figure`() throws {
        var generator = Seeded(0x5C0_4E)
        for _ in 0..<300 {
            var profile = RandomProfile.make(&generator)
            // One after the other, so that what is there already grows.
            for permission in Self.permissions.shuffled(using: &generator) {
                let before = Exposure(profile)
                do { try permission.grant(&profile) } catch { continue }
                let after = Exposure(profile)
                #expect(after.score >= before.score, "\(permission.name): \(before.score) → \(after.score)")
                for (old, new) in zip(before.items, after.items) {
                    #expect(new.weight >= old.weight, "\(permission.name): \(new.id)")
                }
                #expect((0...10).contains(after.score))
            }
        }
    }

    @Test func `the figure sees each of them`() throws {
        for permission in Self.permissions {
            var profile = try profile(
                "{ limits: { memory: '1G', processes: 256, cpus: 1 }, filesystem: { read: ['/r'] } }")
            let before = Exposure(profile).items.reduce(0) { $0 + $1.weight }
            try permission.grant(&profile)
            #expect(Exposure(profile).items.reduce(0) { $0 + $1.weight } > before, "\(permission.name)")
        }
    }

    @Test func `no item has more than its most, and all have words`() {
        var generator = Seeded(0x17E_4)
        for _ in 0..<50 {
            for item in Exposure(RandomProfile.make(&generator)).items {
                #expect(item.weight >= 0 && item.weight <= item.most && !item.reason.isEmpty && !item.remedy.isEmpty)
            }
        }
    }

    @Test func `a profile that grants nothing has nearly nothing, and the ladder goes up`() throws {
        #expect(Exposure(try profile("{ limits: { memory: '1G', processes: 9, cpus: 1 } }")).score <= 0.1)
        let scores = try ["offline", "research", "stateful", "commands", "shell", "operator"].map {
            Exposure(try Shipped.load($0)).score
        }
        #expect(scores == scores.sorted() && Set(scores).count == scores.count, "\(scores)")
    }

    @Test func `everything at once is open`() throws {
        var everything = try profile("{}")
        for permission in Self.permissions { try? permission.grant(&everything) }
        #expect(Exposure(everything).word == "open")
    }
}
