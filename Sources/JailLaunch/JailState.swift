internal import AuditLog
internal import JailCgroups
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What a jail's run directory says of it, for `ps`, `stop` and the next start. Written by its supervisor alone.
struct JailState: Sendable {
    static let formatVersion = 1

    private let plan: LaunchPlan
    private let started = System.realtimeSeconds()
    var initPID: Int32 = 0
    private var cgroups: [String] = []
    /// Of a jail that is started again: the process above its supervisors, and how often it has been.
    var guardian: (pid: Int32, restarts: Int)?
    /// Of one that waits for that: when, and why.
    var waiting: JSON?
    /// Which canaries are where; never what they say.
    var canaries: JSON?

    init(_ plan: LaunchPlan) {
        self.plan = plan
        cgroups = Self.cgroups(of: plan)
    }

    /// The control groups that a launch makes, in the order of making.
    static func cgroups(of plan: LaunchPlan) -> [String] {
        guard let cgroup = plan.limits.cgroup else { return [] }
        switch cgroup.place {
        case .v1(let parents):
            return CgroupPlan.Controller.allCases.compactMap { parents[$0].map { "\($0)/\(cgroup.name)" } }
        case .v2(let parent):
            return ["\(parent)/\(cgroup.name)"]
        case .scope:
            return []
        }
    }

    var json: JSON {
        guard case .object(var members) = common else { return common }
        // Where what outlives it lies: whoever saves it has no profile at hand.
        if let data = plan.data {
            members.append(
                (
                    "data",
                    [
                        "source": .string(data.source), "target": .string(data.target),
                        "image": .boolean(data.enforcement != .watched),
                    ]
                ))
        }
        // A jail that another one has made is read of by that one, which knows no paths of the host's.
        if plan.gateway == nil {
            members.append(("stateDirectory", .string(plan.stateDirectory)))
            members.append(("owner", .number(plan.identity.host.uid)))
            if let canaries { members.append(("canaries", canaries)) }
        }
        // By name, for whoever changes one.
        if let secrets = plan.network.egress?.secrets, !secrets.isEmpty {
            members.append(("secretNames", .strings(secrets.names)))
        }
        // How to ask, for whoever wants to know whether its supervisor knows more.
        if let guardian {
            members.append(("guardian", .number(guardian.pid)))
            members.append(("restarts", .number(guardian.restarts)))
        }
        if let waiting { members.append(("waiting", waiting)) }
        if let health = plan.health, waiting == nil { members.append(("health", .string(health.probe.shown))) }
        guard let session = plan.session else { return .object(members) }
        let labels = session.labels.map { ($0.name, JSON.string($0.value)) }
        return .object(
            members + [
                ("session", ["configuration": .string(session.configuration), "labels": .object(labels)])
            ])
    }

    private var common: JSON {
        [
            "version": .number(Self.formatVersion), "name": .string(plan.name), "profile": .string(plan.profile),
            "supervisor": .number(System.processID), "init": .number(initPID), "started": .number(started),
            "command": .strings(Redactor(patterns: plan.audit.rules.redact).redact(arguments: plan.command.arguments)),
            "publish": .strings(plan.network.publish.map { "\($0.hostText):\($0.jailPort)" }),
            "cgroups": cgroupDirectories,
        ]
    }

    /// For whoever reads what the jail uses: of version 1 by controller.
    private var cgroupDirectories: JSON {
        guard let cgroup = plan.limits.cgroup, waiting == nil else { return .object([]) }
        switch cgroup.place {
        case .v1(let parents):
            return .object(
                CgroupPlan.Controller.allCases.compactMap { controller in
                    parents[controller].map { (controller.rawValue, .string("\($0)/\(cgroup.name)")) }
                })
        case .v2(let parent): return ["unified": .string("\(parent)/\(cgroup.name)")]
        case .scope: return .object([])
        }
    }

    /// One control group for each line, for the start that clears up after this supervisor.
    var cgroupList: String { cgroups.map { $0 + "\n" }.joined() }

    /// Removes the control groups that a dead supervisor's list names; false while one of them is still busy.
    ///
    /// The list lies in a directory that only this user can write. Even so only names that clawjail gives are accepted.
    static func removeCgroups(_ list: [UInt8]) -> Bool {
        let directories = String(decoding: list, as: UTF8.self).split(separator: "\n").map(String.init)
        return Cgroup.remove(
            directories.filter { $0.hasPrefix("/sys/fs/cgroup/") && !$0.contains("/../") && $0.contains("/clawjail-") })
    }
}

extension String {
    /// Whether a text stands anywhere in this one. (The one of the standard library comes with Foundation.)
    fileprivate func contains(_ text: String) -> Bool {
        let bytes = Array(utf8)
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0...].starts(with: wanted) }
    }
}
