import JailCore
import JailPolicy

@testable import JailPlan

extension LaunchPlan {
    /// A plan that grants nothing, changed as a test needs it.
    static func bare(_ change: (inout LaunchPlan) -> Void = { _ in }) -> LaunchPlan {
        var plan = LaunchPlan(
            name: "jail", profile: "bare",
            command: CommandPlan(
                path: "/bin/true", arguments: ["true"], environment: [], workingDirectory: "/", terminal: false),
            identity: IdentityPlan(
                host: HostIdentity(name: "x", uid: 1, gid: 1), inside: InsideIdentity(), startedByRoot: false,
                groups: .notNeeded),
            namespaces: NamespacePlan(time: false, hostName: "h"), limits: LimitPlan(resources: []),
            seccomp: SeccompPlan(variant: .strict, additional: []),
            network: NetworkPlan(publish: []), audit: AuditPlan(directory: "/state/audit/jail"), stopGrace: 0,
            runtimeDirectory: "",
            stateDirectory: "")
        change(&plan)
        return plan
    }
}
