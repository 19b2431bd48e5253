import JailCore
import JailHost
import JailPlan
import Testing

/// A host's files about AppArmor, as they would be: an order is a plain file that takes whatever is written.
struct `AppArmor on the host` {
    private let host: TemporaryDirectory

    init() throws { host = try TemporaryDirectory() }

    private func examine(enabled: String? = "Y\n", label: String? = "unconfined\n", hasOrder: Bool = true) throws
        -> AppArmorFacts
    {
        let attributes = "proc/self/attr/apparmor"
        if let enabled { try host.file("sys/module/apparmor/parameters/enabled", enabled) }
        if let label { try host.file(attributes + "/current", label) }
        if hasOrder { try host.file(attributes + "/exec", "") }
        return AppArmorProbe(root: host.path).examine("jail-1")
    }

    private func order() throws -> String {
        String(decoding: try System.readFile(host.path + "/proc/self/attr/apparmor/exec"), as: UTF8.self)
    }

    @Test func `an unconfined caller tries to enter the profile`() throws {
        #expect(try examine() == .available(confinement: nil))
        #expect(try order() == "exec jail-1")
    }

    @Test func `a confined one tries to stack it`() throws {
        #expect(try examine(label: "outer//&other (mixed)\n") == .available(confinement: "outer//&other"))
        #expect(try order() == "stack jail-1")
    }

    @Test func `a profile without rules confines nothing`() throws {
        #expect(try examine(label: "clawjail (unconfined)\n") == .available(confinement: nil))
    }

    @Test func `without AppArmor there is none to enter`() throws {
        let off = AppArmorFacts.unavailable(
            reason: "AppArmor is not in force on this host", remedy: "boot with apparmor=1 security=apparmor")
        #expect(try examine(enabled: "N\n") == off)
        #expect(AppArmorProbe(root: "/nonexistent").examine("x") == off)
    }

    @Test func `what the kernel does not know is not loaded`() throws {
        guard case .unavailable(let reason, let remedy) = try examine(hasOrder: false) else {
            Issue.record("it should not be there")
            return
        }
        #expect(reason == "the AppArmor profile 'jail-1' is not loaded")
        #expect(remedy?.contains("sudo apparmor_parser -r FILE") == true)
    }

    @Test func `a label that cannot be read is no unconfined one`() throws {
        guard case .unavailable(let reason, _) = try examine(label: nil) else {
            Issue.record("it should not be there")
            return
        }
        #expect(reason.contains("current cannot be read"))
    }

    @Test(arguments: [
        ("unconfined", nil), ("clawjail (unconfined)", nil), ("a (enforce)", "a"), ("a b (complain)", "a b"),
        ("a//&b (mixed)", "a//&b"), ("odd", "odd"), ("(enforce)", "(enforce)"), ("x(y)", "x(y)"),
    ])
    func `a label says what confines`(label: String, confinement: String?) {
        #expect(AppArmorProbe.confinement(label) == confinement)
    }
}
