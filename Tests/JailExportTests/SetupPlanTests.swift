import JailCore
import Testing

@testable import JailExport

struct `Setting up a host` {
    private static let unit = SetupRequest.Unit(
        fileName: "demo.service", text: SystemdUnit.mark + "\nX=1\n", isTemplate: false, enable: true)
    private static let unitPath = "/etc/systemd/system/demo.service"

    private static func request(_ unit: SetupRequest.Unit? = unit) -> SetupRequest {
        SetupRequest(user: "agents", units: unit.map { [$0] } ?? [])
    }

    /// Everything is as setup leaves it.
    private static func done(_ change: (inout SetupFacts) -> Void = { _ in }) -> SetupFacts {
        var facts = SetupFacts()
        facts.account = SetupFacts.Account(uid: 900, gid: 900, shell: "/usr/sbin/nologin")
        facts.account?.isLocked = true
        facts.entries = [
            "/etc/clawjail": .init(.directory, uid: 0, mode: 0o755),
            "/etc/clawjail/profiles": .init(.directory, uid: 0, mode: 0o755),
            "/etc/clawjail/agents": .init(.directory, uid: 0, mode: 0o700),
            "/var/lib/clawjail-agents": .init(.directory, uid: 900, mode: 0o700),
            unitPath: .init(.file, uid: 0, mode: 0o644),
        ]
        facts.unitTexts["demo.service"] = unit.text
        facts.enabled = ["demo.service"]
        change(&facts)
        return facts
    }

    private static func refusal(_ facts: SetupFacts, _ request: SetupRequest = request()) -> String {
        do throws(JailError) {
            return "\(try SetupPlan.steps(request, facts))"
        } catch { return error.description }
    }

    @Test func `on a new host it makes everything, in this order`() throws {
        #expect(
            try SetupPlan.steps(Self.request(), SetupFacts()) == [
                .makeUser("agents"), .makeDirectory(path: "/etc/clawjail", owner: nil, mode: 0o755),
                .makeDirectory(path: "/etc/clawjail/profiles", owner: nil, mode: 0o755),
                .makeDirectory(path: "/etc/clawjail/agents", owner: nil, mode: 0o700),
                .makeDirectory(path: "/var/lib/clawjail-agents", owner: "agents", mode: 0o700),
                .writeUnit(path: Self.unitPath, text: Self.unit.text), .reload, .enable("demo.service"),
            ])
    }

    @Test func `the second time everything is there`() throws {
        let steps = try SetupPlan.steps(Self.request(), Self.done())
        #expect(steps.count == 7)
        for step in steps {
            guard case .there = step else {
                Issue.record("\(step)")
                continue
            }
        }
    }

    @Test func `without --enable nothing is enabled, and without a unit none is written`() throws {
        var unit = Self.unit
        unit.enable = false
        let steps = try SetupPlan.steps(Self.request(unit), SetupFacts())
        #expect(!steps.contains(.enable("demo.service")) && steps.contains(.reload))
        #expect(try SetupPlan.steps(Self.request(nil), SetupFacts()).count == 5)
        #expect(!SetupPlan.paths(for: Self.request(nil)).contains(Self.unitPath))
    }

    @Test func `several units are written, read once, and those enabled that are to be`() throws {
        let timer = SetupRequest.Unit(
            fileName: "demo-snapshot.timer", text: SystemdUnit.mark + "\nT=1\n", isTemplate: false, enable: true)
        var service = timer
        service.fileName = "demo-snapshot.service"
        service.enable = false
        let request = SetupRequest(user: "agents", units: [Self.unit, service, timer])
        let steps = try SetupPlan.steps(request, Self.done())
        #expect(
            Array(steps.suffix(5)) == [
                .writeUnit(path: "/etc/systemd/system/demo-snapshot.service", text: timer.text),
                .writeUnit(path: "/etc/systemd/system/demo-snapshot.timer", text: timer.text), .reload,
                .there("demo.service, enabled"), .enable("demo-snapshot.timer"),
            ])
        // Each is looked at by itself.
        #expect(
            Self.refusal(
                Self.done { $0.vendorUnits["demo-snapshot.timer"] = "/usr/lib/systemd/system/x.timer" }, request
            )
            .contains("already"))
    }

    @Test func `a unit of clawjail's is written anew, and no other one`() throws {
        let steps = try SetupPlan.steps(
            Self.request(), Self.done { $0.unitTexts["demo.service"] = SystemdUnit.mark + "\nX=0\n" })
        #expect(steps.contains(.writeUnit(path: Self.unitPath, text: Self.unit.text)) && steps.contains(.reload))
        #expect(
            Self.refusal(Self.done { $0.unitTexts["demo.service"] = "[Service]\n" }).contains(
                "was not written by clawjail"))
        #expect(
            Self.refusal(Self.done { $0.entries[Self.unitPath] = .init(.symlink, uid: 0, mode: 0o777) })
                .contains("it is a symlink"))
        #expect(
            Self.refusal(Self.done { $0.entries[Self.unitPath] = .init(.file, uid: 900, mode: 0o644) })
                .contains("no file of root's"))
    }

    @Test func `a service of the host's keeps its name`() {
        #expect(
            Self.refusal(Self.done { $0.vendorUnits["demo.service"] = "/usr/lib/systemd/system/ssh.service" }).contains(
                "already"))
    }

    @Test(arguments: ["/etc/clawjail", "/etc/clawjail/agents", "/var/lib/clawjail-agents"])
    func `symlinks, other files and other owners are refused, with what to do`(path: String) {
        #expect(
            Self.refusal(Self.done { $0.entries[path] = .init(.symlink, uid: 0, mode: 0o777) })
                .contains("'\(path)': it is a symlink; look what it is, and move it away"))
        #expect(
            Self.refusal(Self.done { $0.entries[path] = .init(.file, uid: 0, mode: 0o600) }).contains("no directory"))
        let other = Self.refusal(Self.done { $0.entries[path]?.uid = 7 })
        #expect(other.contains("it belongs to uid 7, and not to "))
        // Of a user that is still to be made it cannot be.
        if path.hasPrefix("/var") {
            #expect(Self.refusal(Self.done { $0.account = nil }).contains("belongs to uid 900"))
        }
    }

    @Test func `modes that give too much are mended`() throws {
        let facts = Self.done {
            $0.entries["/etc/clawjail"]?.mode = 0o775
            $0.entries["/etc/clawjail/agents"]?.mode = 0o750
            $0.entries["/var/lib/clawjail-agents"]?.mode = 0o2700
        }
        let steps = try SetupPlan.steps(Self.request(), facts)
        for (path, mode) in [
            ("/etc/clawjail", 0o755), ("/etc/clawjail/agents", 0o700), ("/var/lib/clawjail-agents", 0o700),
        ] as [(String, UInt32)] { #expect(steps.contains(.changeMode(path: path, mode: mode))) }
    }

    @Test func `a user with more than it needs is warned of`() throws {
        let facts = Self.done {
            $0.account?.groups = ["docker", "audio"]
            $0.account?.shell = "/bin/bash"
            $0.account?.isLocked = false
        }
        let warnings = try SetupPlan.steps(Self.request(), facts).compactMap { step in
            if case .warn(let text) = step { text } else { nil }
        }
        #expect(warnings.count == 4)
        #expect(warnings[0].contains("'docker', which is as good as root") && warnings[1].contains("/etc/subgid"))
        #expect(warnings[2].contains("nologin") && warnings[3].contains("usermod --lock"))
        let root = Self.refusal(Self.done { $0.account?.uid = 0 })
        #expect(root.contains("user id 0"))
        let group = Self.refusal(Self.done { $0.account?.gid = 0 })
        #expect(group.contains("group id 0"))
    }

    @Test func `a template is never enabled`() {
        var unit = Self.unit
        unit.isTemplate = true
        #expect(Self.refusal(SetupFacts(), Self.request(unit)).contains("only an instance"))
    }
}
