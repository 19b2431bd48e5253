import JailCore
import JailPlan
import JailPolicy
import SecretTraces
import Testing

struct `Canaries in a plan` {
    private func make(_ canaries: String, _ rest: String = "filesystem: { home: '1M', tmp: '1M' }") throws -> LaunchPlan
    {
        let text = "{ process: { programs: ['node'] }, canaries: \(canaries), \(rest) }"
        let tree = try JSON5Reader.read(Array(text.utf8), file: "p")
        return try plan(try ProfileLoader.decode(tree, name: "p", home: "/home/ann"))
    }

    private func places(_ plan: LaunchPlan) -> [String] {
        plan.mounts.compactMap { if case .canary(let path, let index) = $0 { "\(index) \(path)" } else { nil } }
    }

    @Test func `each file is made last, below directories of its own, and none is said`() throws {
        let plan = try make("[{ kind: 'aws' }, { kind: 'github', env: 'T' }, { kind: 'env', path: '/srv/app/.env' }]")
        #expect(places(plan) == ["0 /home/claw/.aws/credentials", "2 /srv/app/.env"])
        #expect(plan.canaries.map(\.kind) == [.aws, .github, .environment])
        #expect(plan.canaries[1].place == .variable("T"))
        #expect(!plan.command.environment.contains { $0.hasPrefix("T=") })
        let made = plan.mounts.suffix(5).map(\.path)
        #expect(
            made == ["/home/claw/.aws", "/home/claw/.aws/credentials", "/srv", "/srv/app", "/srv/app/.env"])
        #expect(plan.text.contains("github in the variable T"))
    }

    @Test func `without any nothing is there`() throws {
        #expect(places(try make("[]")).isEmpty)
    }

    @Test func `where the home directory is read-only they are there as well`() throws {
        #expect(places(try make("[{ kind: 'ssh' }]", "filesystem: {}")) == ["0 /home/claw/.ssh/id_ed25519_deploy"])
    }

    @Test(arguments: [
        ("/data/.env", "filesystem: { data: { size: '1M' } }"),
        ("/usr/bin/node", "filesystem: {}"), ("/usr/bin/node/x", "filesystem: {}"), ("/run", "filesystem: {}"),
        ("/tmp", "filesystem: { tmp: '1M' }"), ("/usr/share/zoneinfo/x", "filesystem: {}"),
        ("/home/claw", "filesystem: { home: '1M' }"), ("/var/run/x", "filesystem: {}"),
    ])
    func `never over or in anything that is really there`(path: String, rest: String) throws {
        #expect(throws: JailError.self) { _ = try make("[{ kind: 'env', path: '\(path)' }]", rest) }
    }

    @Test func `a note says where nobody watches them`() throws {
        func notes(_ rest: String) throws -> [String] { try make("[{ kind: 'aws' }]", rest).notes }
        #expect(try notes("limits: {}").contains { $0.hasPrefix("canaries: no rule of alerts") })
        #expect(try !notes("alerts: { defaults: true }").contains { $0.hasPrefix("canaries:") })
    }
}
