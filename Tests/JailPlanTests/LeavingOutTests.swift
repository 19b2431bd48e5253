import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

/// A protection that the host lacks ends the launch, unless the profile calls it optional; then it is recorded.
struct `Protections that the host lacks` {
    struct Lack: Sendable, CustomTestStringConvertible {
        let protection: OptionalProtection
        let word: String
        let facts: HostFacts
        var testDescription: String { "\(protection): \(word)" }

        init(_ protection: OptionalProtection, _ word: String, _ change: (inout HostFacts) -> Void) {
            self.protection = protection
            self.word = word
            facts = PaperHost.facts(change)
        }
    }

    static let lacks: [Lack] = [
        Lack(.landlock, "no Landlock") { $0.landlockABI = 0 },
        Lack(.landlock, "ABI 1, and 2 is needed") { $0.landlockABI = 1 },
        Lack(.landlock, "network.listen needs Landlock ABI 4") { $0.landlockABI = 3 },
        Lack(.time, "no time namespaces") { $0.hasTimeNamespaces = false },
        Lack(.groups, "no subordinate gids") { $0.groups = .impossible(reason: "no subordinate gids") },
        Lack(.cgroup, "not mounted anywhere") { $0.cgroup = .unavailable(reason: "not mounted anywhere") },
        Lack(.cgroup, "'memory' is not delegated") { $0.cgroup = .v2(directory: "/c", controllers: ["pids", "cpu"]) },
        Lack(.cgroup, "'pids' is not delegated") { $0.cgroup = .v2(directory: "/c", controllers: ["memory", "cpu"]) },
        Lack(.cgroup, "'cpu' is not delegated") { $0.cgroup = .v2(directory: "/c", controllers: ["pids", "memory"]) },
        Lack(.cgroup, "'memory', 'cpu' are not delegated") { $0.cgroup = .v2(directory: "/c", controllers: ["pids"]) },
        Lack(.cgroup, "'cpu' is not delegated to the user service manager") {
            $0.cgroup = .scope(PaperHost.offer(controllers: ["pids", "memory"]))
        },
        Lack(.apparmor, "not in force") { $0.appArmor = .unavailable(reason: "AppArmor is not in force") },
        Lack(.cgroup, "'pids' is not mounted") { $0.cgroup = .v1(directories: ["memory": "/m", "cpu": "/c"]) },
    ]

    static let profile = bare {
        $0.limits.memory = 512 << 20
        $0.limits.processes = 64
        $0.limits.milliCPUs = 1500
        $0.network.listen = [8080]
        $0.process.appArmor = "jail-1"
    }

    @Test(arguments: lacks)
    func `the launch ends, and says which key would allow it`(lack: Lack) {
        let error = failure { () throws(JailError) in _ = try plan(Self.profile, on: lack.facts) }
        #expect(error?.stage == .host && error?.status == 78)
        #expect(error?.reason.contains(lack.word) == true, "\(error?.reason ?? "")")
        #expect(error?.hint?.contains("optional: [\"\(lack.protection.rawValue)\"]") == true)
    }

    @Test(arguments: lacks)
    func `another protection being optional does not help`(lack: Lack) {
        var profile = Self.profile
        profile.optional = Set(OptionalProtection.allCases).subtracting([lack.protection])
        #expect(failure { () throws(JailError) in _ = try plan(profile, on: lack.facts) }?.stage == .host)
    }

    @Test(arguments: lacks)
    func `what is optional is left out, alone, and recorded`(lack: Lack) throws {
        var profile = Self.profile
        profile.optional = [lack.protection]
        let made = try plan(profile, on: lack.facts)
        #expect(made.leftOut.map(\.protection) == [lack.protection])
        #expect(made.leftOut.first?.reason.contains(lack.word) == true)
        #expect(made.text.contains(lack.word) && made.json.text().contains(lack.protection.rawValue))
        #expect((made.limits.cgroup == nil) == (lack.protection == .cgroup))
        #expect(made.namespaces.time == (lack.protection != .time))
        #expect((made.appArmor == nil) == (lack.protection == .apparmor))
        // Only what listening needs is missing below ABI 4: the rest of the wall stands.
        #expect((made.landlock == nil) == (lack.facts.landlockABI < 2))
        #expect((made.landlock?.bindPorts == [8080]) == (lack.protection != .landlock))
    }

    @Test func `everything optional and nothing missing leaves nothing out`() throws {
        var profile = Self.profile
        profile.optional = Set(OptionalProtection.allCases)
        let made = try plan(profile)
        #expect(made.leftOut.isEmpty)
        #expect(made.landlock != nil && made.limits.cgroup != nil && made.namespaces.time)
    }

    @Test func `an AppArmor profile that cannot be had says what mends it`() {
        let facts = PaperHost.facts { $0.appArmor = .unavailable(reason: "not loaded", remedy: "load it") }
        let error = failure { () throws(JailError) in _ = try plan(Self.profile, on: facts) }
        #expect(error?.hint?.hasPrefix("load it; to do without, add optional: [\"apparmor\"]") == true)
    }

    @Test func `an AppArmor profile is entered, or stacked on the one that clawjail runs in`() throws {
        let free = try plan(Self.profile)
        #expect(free.appArmor == AppArmorPlan(profile: "jail-1"))
        #expect(free.text.contains("apparmor     profile 'jail-1', (exec) when a command is executed"))
        let confined = try plan(Self.profile, on: PaperHost.facts { $0.appArmor = .available(confinement: "outer") })
        #expect(confined.appArmor?.confinement == "outer")
        #expect(confined.text.contains("beside 'outer' that clawjail runs in (stack)"))
        #expect(confined.json.text().contains(#""appArmor":{"profile":"jail-1","confinement":"outer"}"#))
        #expect(try plan(bare()).appArmor == nil)
    }

    @Test func `Landlock is used as far as the host has it and this program knows it`() throws {
        for (abi, used, scoped): (Int32, Int32, Bool) in [(2, 2, false), (5, 5, false), (6, 6, true), (99, 7, true)] {
            let made = try plan(bare(), on: PaperHost.facts { $0.landlockABI = abi })
            #expect(made.landlock?.abi == used && made.landlock?.scoped == scoped)
            #expect(made.landlock?.bindPorts == nil)
        }
    }

    @Test func `data whose size must be enforced needs an image, and a way to make one`() throws {
        var profile = bare { $0.filesystem.data = DataRule(size: 1 << 30) }
        profile.filesystem.data?.mustEnforceSize = true
        let error = failure { () throws(JailError) in _ = try plan(profile) }
        #expect(error?.stage == .host && error?.reason.contains("can only be watched") == true)
        let maker = PaperHost.facts { $0.imageMaker = "/sbin/mkfs.ext4" }
        let made = try plan(profile, on: maker)
        #expect(made.data?.enforcement == .image(mkfs: "/sbin/mkfs.ext4"))
        #expect(made.data?.source.hasSuffix("/data/jail.img") == true)
        profile.filesystem.data?.source = "/srv/data"
        #expect(failure { () throws(JailError) in _ = try plan(profile, on: maker) }?.stage == .host)
    }
}

@Suite struct AddingTests {
    @Test func `a program that is added is shown, may be executed, and is the command; nothing else changes`() throws {
        let before = try plan(bare())
        var after = before
        after.add(program: "/usr/libexec/probe", PaperHost.identity("/usr/libexec/probe"), at: "/probe")
        let bind = try #require(after.bind(at: "/probe"))
        #expect(bind.source == "/usr/libexec/probe" && bind.attributes == [.readOnly, .noSetuid, .noDevices])
        #expect(bind.makesTarget && bind.isGranted && !bind.isDirectory)
        #expect(after.access(to: "/probe") == [.execute])
        #expect(after.command.path == "/probe")
        after.mounts.removeLast()
        after.access.removeLast()
        after.landlock?.rules.removeLast()
        after.command.path = before.command.path
        #expect(after == before)
    }
}
