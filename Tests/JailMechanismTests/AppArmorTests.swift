import JailCore
import JailPlan
import TestSupport
import Testing

@testable import JailAppArmor

/// What a kernel with AppArmor answers is tried in the virtual machine; here, that everything else is taken for a refusal.
struct `The order to enter an AppArmor profile` {
    /// Answers what is written to it, as no kernel would.
    private func refusal(_ plan: AppArmorPlan, _ directory: TemporaryDirectory) -> SystemError? {
        do throws(SystemError) { try plan.apply(attributes: directory.path) } catch { return error }
        return nil
    }

    @Test func `is one to execute for the unconfined, and one to stack for the confined`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("exec")
        _ = refusal(AppArmorPlan(profile: "jail-1"), directory)
        #expect(try directory.read("exec") == "exec jail-1")
        _ = refusal(AppArmorPlan(profile: "jail-1", confinement: "outer"), directory)
        #expect(try directory.read("exec") == "stack jail-1")
    }

    @Test func `must be held by the kernel afterwards`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("exec")
        #expect(refusal(AppArmorPlan(profile: "jail-1"), directory) == SystemError(.check, .invalid))
    }

    @Test(arguments: [
        ("jail-1 (enforce)", true), ("jail-1 (complain)", true), ("jail-1 (kill)", true),
        ("jail-1 (unconfined)", false), ("jail-12 (enforce)", false), ("unconfined", false), ("jail-1", false),
        ("", false), ("exec jail-1", false),
    ])
    func `is confirmed by the profile's name and a mode that confines`(answer: String, holds: Bool) {
        #expect(AppArmorPlan(profile: "jail-1").isHeld(answer) == holds)
    }

    @Test func `fails where the kernel has no AppArmor`() throws {
        let error = refusal(AppArmorPlan(profile: "jail-1"), try TemporaryDirectory())
        #expect(error == SystemError(.openat2, .notFound))
    }
}
