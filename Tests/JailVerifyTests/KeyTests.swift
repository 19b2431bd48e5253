import JailCore
import JailPolicy
import JailVerify
import TestSupport
import Testing

@testable import JailPlan

@Suite struct KeyTests {
    /// Paths of all keys that a profile can have.
    private static var keys: [String] {
        Profile.sections.flatMap { section in
            section.names.map { section.path.isEmpty ? $0 : "\(section.path).\($0)" }
        }
    }

    private func checked() throws -> Set<String> {
        var left = LeftOut(protection: .groups, reason: "none")
        left.protection = .groups
        var binding = SecretBinding(name: "hub", hosts: [], place: .bearer)
        binding.environment = "TOKEN"
        var binds = try PaperPlan.online()
        binds.network.egress?.secrets.bindings = [binding]
        let plans = [
            binds, try PaperPlan.make(), try PaperPlan.online(), try PaperPlan.online(["GET", "POST"]),
            try PaperPlan.make { $0.leftOut = [left] },
        ]
        return Set(plans.flatMap { CheckList($0, Trial()).checks.flatMap(\.keys) })
    }

    @Test func `every key of a profile has a check, or stands among those that need none, with the reason`() throws {
        let checked = try checked()
        for key in Self.keys {
            let reason = UncheckedKeys.reason(key)
            // A section is checked by what is in it.
            let isSection = checked.contains { $0.hasPrefix(key + ".") || $0.hasPrefix(key + "[]") }
            #expect(
                checked.contains(key) || isSection || reason != nil, "\(key) promises something, and nothing tries it")
        }
    }

    @Test func `checks and reasons name keys that there are`() throws {
        let known = Set(Self.keys)
        for key in try checked() { #expect(known.contains(key), "\(key)") }
        for key in UncheckedKeys.all {
            #expect(known.contains(key) || (key.hasSuffix(".") && known.contains { $0.hasPrefix(key) }), "\(key)")
        }
    }

    @Test func `a placeholder in its variable holds, and neither its want nor anything else does`() throws {
        var binding = SecretBinding(name: "hub", hosts: [], place: .bearer)
        binding.environment = "TOKEN"
        var plan = try PaperPlan.online()
        plan.network.egress?.secrets.bindings = [binding]
        for (value, isHeld) in [
            ("ghp_Zk3mQ9xT7bW1cV5nR8yL2pD4hF6jZk3mQ9xT", true), ("a value", false), (nil, false),
        ] as [(String?, Bool)] {
            var evidence = PaperEvidence(plan)
            evidence.report[["environment", "TOKEN"]] = value.map { .string($0) }
            #expect(try evidence.failed() == (isHeld ? [] : ["secrets.placeholders"]), "\(value ?? "")")
        }
    }

    @Test func `no key has both a check and a reason to have none`() throws {
        for key in try checked() { #expect(UncheckedKeys.reason(key) == nil, "\(key)") }
    }
}
