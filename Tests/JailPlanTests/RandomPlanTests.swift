import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

struct `Plans of any profile on any host` {
    /// Places that lie in and beside one another, and in what the jail builds itself.
    static let places = [
        "/srv", "/srv/a", "/srv/a/b", "/srv/a/b/c", "/srv/ab", "/opt/x", "/opt/x/y", "/home/claw", "/home/claw/z",
        "/tmp/t", "/usr/bin/extra", "/usr/share", "/usr/lib/x86_64-linux-gnu/p", "/var/lib/q", "/workspace/w", "/run/r",
    ]

    static func profile(_ generator: inout Seeded) -> Profile {
        var profile = bare()
        for place in places where generator.chance(3) {
            let source = generator.chance() ? place : places.randomElement(using: &generator) ?? place
            let rule = BindRule(source: source, target: place)
            if generator.chance() {
                profile.filesystem.read.append(rule)
            } else {
                profile.filesystem.write.append(rule)
            }
        }
        profile.filesystem.read.shuffle(using: &generator)
        profile.process.shell = generator.chance()
        profile.filesystem.executeWritable = generator.chance()
        if generator.chance() { profile.filesystem.tmp = 1 << 20 }
        if generator.chance() { profile.filesystem.home = 1 << 20 }
        if generator.chance() { profile.filesystem.sharedMemory = 1 << 20 }
        if generator.chance() { profile.filesystem.data = DataRule(size: 1 << 20) }
        if generator.chance(4) { profile.filesystem.data?.target = places.randomElement(using: &generator) ?? "/data" }
        if generator.chance() {
            profile.filesystem.workspace = generator.chance() ? .readOnly : .readWrite
            profile.filesystem.workspaceSource = places.randomElement(using: &generator)
        }
        if generator.chance() { profile.limits.memory = 1 << 28 }
        if generator.chance() { profile.limits.processes = 10 }
        if generator.chance(5) { profile.filesystem.root = .directory("/srv/root") }
        for protection in OptionalProtection.allCases where generator.chance() { profile.optional.insert(protection) }
        return profile
    }

    static func facts(_ generator: inout Seeded) -> HostFacts {
        PaperHost.facts { facts in
            facts.landlockABI = Int32(generator.next() % 9)
            facts.hasTimeNamespaces = !generator.chance(4)
            if generator.chance(4) { facts.cgroup = .unavailable(reason: "r") }
            for place in places { facts.add(place, isDirectory: !generator.chance(4)) }
            for name in ["usr", "var", "etc", "opt", "bin"] where generator.chance() {
                facts.add("/srv/root/\(name)", isDirectory: true)
            }
            if generator.chance(3) {
                facts.closure.files.append(PaperHost.file("/usr/bin", isDirectory: true, isExecutable: true))
                facts.closure.files.removeAll { $0.path == "/usr/bin/node" }
            }
        }
    }

    @Test(arguments: 0..<16)
    func `hold what every plan must, or are refused with a reason`(seed: Int) {
        var generator = Seeded(UInt64(seed))
        var made = 0
        for _ in 0..<60 {
            let profile = Self.profile(&generator)
            let facts = Self.facts(&generator)
            do throws(JailError) {
                let first = try plan(profile, on: facts)
                made += 1
                expectInvariants(first, profile)
                #expect(try plan(profile, on: facts) == first)
                let left = Set(first.leftOut.map(\.protection))
                #expect(left.isSubset(of: profile.optional))
                #expect((first.landlock == nil) == left.contains(.landlock))
                #expect(first.namespaces.time == !left.contains(.time))
            } catch {
                #expect([.host, .plan].contains(error.stage) && !error.reason.isEmpty)
            }
        }
        // Refusals alone would prove nothing.
        #expect(made > 5)
    }
}
