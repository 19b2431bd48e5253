import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

/// What a jail makes sure of by itself: outside of one, nothing of it holds.
@Suite struct SelfTestTests {
    private static func plan(_ directory: String) -> LaunchPlan {
        let identity = IdentityPlan(
            host: HostIdentity(name: "x", uid: 1, gid: 1), inside: InsideIdentity(), startedByRoot: false,
            groups: .notNeeded)
        return LaunchPlan(
            name: "self", profile: "self",
            command: CommandPlan(path: "", arguments: [], environment: [], workingDirectory: "/", terminal: false),
            identity: identity, namespaces: NamespacePlan(time: false, hostName: "h"),
            limits: LimitPlan(resources: []), seccomp: SeccompPlan(variant: .strict, additional: []),
            network: NetworkPlan(publish: [], egress: nil),
            audit: AuditPlan(directory: directory, rules: AuditRules(), headFile: nil), stopGrace: 1,
            runtimeDirectory: directory, stateDirectory: directory)
    }

    /// Some of it changes the process (a session keyring), and so it is tried in another one.
    @Test(arguments: SelfTest.Promise.allCases.map(\.rawValue))
    func `without walls no promise holds`(number: UInt16) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [number = number as UInt16, path = path as String] in
            let promise = try #require(SelfTest.Promise(rawValue: number))
            // One capability is enough to be seen; without root there is still the bounding set.
            let test = SelfTest(plan: Self.plan(path), host: try SelfTest.namespaces(), open: [0, 1])
            var holds = false
            do throws(SystemError) { holds = try test.check(promise, SelfTest.status()) } catch { holds = false }
            #expect(!holds, "\(promise)")
            // Nothing is left where it could write. The others run beside it, and may see its file.
            guard promise == .root else { return }
            #expect(throws: SystemError.self) { _ = try System.status("/.clawjail-self-test") }
        }
        withExtendedLifetime(directory) {}
    }

    @Test func `what does not hold is said in words, and what could not be tried with its call`() {
        let plan = Self.plan("/x")
        let broken = plan.error(
            for: Failure(
                stage: .selftest, step: SelfTest.Promise.root.rawValue, error: SystemError(.check, .notPermitted)))
        #expect(broken.description.hasPrefix("selftest: the jail does not hold: a file could be made in '/'; nothing"))
        #expect(broken.status == ExitStatus.launchFailed)
        let untried = plan.error(
            for: Failure(
                stage: .selftest, step: SelfTest.Promise.filter.rawValue, error: SystemError(.openat2, .inputOutput)))
        #expect(untried.description.contains("filter"))
        #expect(untried.description.contains("verify --profile self"))
    }
}
