import JailCore
import JailPolicy
import JailVerify
import TestSupport
import Testing

@testable import JailPlan

/// A plan on paper that makes every promise there is a check for.
enum PaperPlan {
    static func make(_ change: (inout LaunchPlan) -> Void = { _ in }) throws -> LaunchPlan {
        let identity = IdentityPlan(
            host: HostIdentity(name: "ann", uid: 1234, gid: 1235), inside: InsideIdentity(), startedByRoot: false,
            groups: .notNeeded)
        var plan = LaunchPlan(
            name: "paper", profile: "paper",
            command: CommandPlan(
                path: "/usr/bin/node", arguments: ["node"], environment: ["PATH=/usr/bin", "HOME=/home/claw"],
                workingDirectory: "/", terminal: false),
            identity: identity, namespaces: NamespacePlan(time: true, hostName: "clawjail"),
            limits: LimitPlan(
                resources: [
                    .init(resource: .core, value: 0), .init(resource: .openFiles, value: 100),
                    .init(resource: .fileSize, value: 1 << 20),
                ],
                cgroup: CgroupPlan(
                    place: .v2(parent: "/sys/fs/cgroup/x"), name: "clawjail-paper", memory: 64 << 20, swap: 0,
                    processes: 21, milliCPUs: 1500)),
            seccomp: SeccompPlan(variant: .strict, additional: []), network: NetworkPlan(publish: [], egress: nil),
            audit: AuditPlan(directory: "/state/audit/paper", rules: AuditRules(), headFile: nil), stopGrace: 1,
            runtimeDirectory: "/run/clawjail", stateDirectory: "/var/lib/clawjail")
        plan.mounts = [
            .directory(path: "/home", mode: 0o755), bind("/usr/bin/node", .program),
            bind("/usr/lib/libc.so.6", .library),
            .proc(path: "/proc"), tmpfs("/tmp"), tmpfs("/dev/shm"), tmpfs("/home/claw"),
            bind("/data", .data, [.noSetuid, .noDevices, .noExec], isDirectory: true),
            .overlay(
                OverlayPlan(
                    source: "/srv/project", target: "/workspace", identity: FileIdentity(device: 1, inode: 3),
                    layer: "/state/changes/paper/layer", attributes: [.noSetuid, .noDevices, .noExec])),
        ]
        plan.review = ReviewPlan(
            source: "/srv/project", target: "/workspace", directory: "/state/changes/paper", size: 1 << 30)
        plan.data = DataPlan(
            source: "/d", target: "/data", size: 8 << 20, enforcement: .image(mkfs: "/sbin/mkfs.ext4"), isOwn: true)
        plan.landlock = LandlockPlan(abi: 7, rules: [], bindPorts: [18789], scoped: true)
        plan.appArmor = AppArmorPlan(profile: "claw")
        change(&plan)
        return plan
    }

    static func bind(
        _ path: String, _ purpose: BindPlan.Purpose,
        _ attributes: MountAttributes = [.readOnly, .noSetuid, .noDevices],
        isDirectory: Bool = false
    ) -> MountStep {
        .bind(
            BindPlan(
                source: path, target: path, identity: FileIdentity(device: 1, inode: 1), isDirectory: isDirectory,
                makesTarget: !isDirectory, attributes: attributes, purpose: purpose))
    }

    static func tmpfs(_ path: String, _ attributes: MountAttributes = [.noSetuid, .noDevices, .noExec]) -> MountStep {
        .tmpfs(TmpfsPlan(target: path, size: 4 << 20, inodes: 1024, mode: 0o700, attributes: attributes))
    }

    /// With a way out that lets GET through, to every public name, and a published port.
    static func online(_ methods: [String] = ["GET"]) throws -> LaunchPlan {
        var rules = NetworkRules()
        rules.allow = [try NetworkRule(hosts: ["*"], methods: methods, ports: [80, 443])]
        return try make { plan in
            plan.network.publish = [PublishedPort(hostPort: 4000, jailPort: 18789)]
            plan.network.egress = EgressPlan(
                rules: rules, ports: [80, 443], proxyPort: 3128, onExit: .stop, program: "/clawjail-egress",
                programIdentity: FileIdentity(device: 1, inode: 2), trust: nil, wantsJavaTrustStore: false,
                identity: plan.identity, landlockABI: 7, resources: [])
        }
    }
}

/// What jailprobe would print, to be changed in one place.
struct PaperReport {
    private(set) var values: [(path: [String], value: JSON)] = []

    subscript(_ path: [String]) -> JSON? {
        get { values.first { $0.path == path }?.value }
        set {
            values.removeAll { $0.path == path }
            if let newValue { values.append((path, newValue)) }
        }
    }

    func report() throws -> ProbeReport {
        try #require(ProbeReport(Array(Self.object(values).text().utf8)))
    }

    private static func object(_ values: [(path: [String], value: JSON)]) -> JSON {
        var members: [(String, JSON)] = []
        var order: [String] = []
        var below: [String: [(path: [String], value: JSON)]] = [:]
        for (path, value) in values {
            if path.count == 1 {
                members.append((path[0], value))
            } else {
                if below[path[0]] == nil { order.append(path[0]) }
                below[path[0], default: []].append((Array(path.dropFirst()), value))
            }
        }
        return .object(members + order.map { ($0, object(below[$0] ?? [])) })
    }
}

/// Everything that a jail of the plan would show if it held.
struct PaperEvidence {
    var report = PaperReport()
    var outside = OutsideFacts()
    let list: CheckList

    init(_ plan: LaunchPlan, _ trial: Trial = Trial()) {
        list = CheckList(plan, trial)
        for expectation in list.checks.flatMap(\.expectations) { set(expectation, expectation.accepted[0]) }
        report[["identity", "secureBits"]] = 239
        report[["process", "pid"]] = "2"
        report[["process", "seccompFilters"]] = "2"
        report[["process", "appArmor"]] = "claw (enforce)"
        report[["pids"]] = .array(["2"])
        report[["descriptors"]] = .array([0, 1, 2].map { ["number": .number($0)] })
        report[["host", "bootID"]] = "11111111-2222-3333-4444-555555555555"
        report[["host", "load"]] = "0.00 0.00 0.00 1/1 1"
        report[["directories", "/home"]] = .array(["claw"])
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
            report[["namespaces", kind]] = .string("\(kind):[2]")
            outside.namespaces[kind] = "\(kind):[1]"
        }
        for variable in plan.command.environment {
            let parts = variable.split(separator: "=", maxSplits: 1).map(String.init)
            report[["environment", parts[0]]] = .string(parts[1])
        }
        report[["process", "limits", "openFiles"]] = "100 100"
        report[["programs", "complete"]] = true
        report[["programs", "paths"]] = .array(["/usr/bin/node"])
        report[["mounts"]] = .array(
            [Self.mount("/", "ro,nosuid,nodev"), Self.mount("/proc", "ro,nosuid,nodev,noexec")]
                + plan.mounts.compactMap { step in
                    switch step {
                    case .bind(let bind): Self.mount(bind.target, Self.options(bind.attributes))
                    case .overlay(let overlay):
                        Self.mount(overlay.target, Self.options(overlay.attributes), type: "overlay")
                    case .tmpfs(let tmpfs): Self.mount(tmpfs.target, Self.options(tmpfs.attributes))
                    default: nil
                    }
                })
        for target in ["/tmp", "/dev/shm", "/home/claw"] { report[["sizes", target]] = .number(4 << 20) }
        for (option, value) in Self.pairs(list.arguments) {
            if option == "--resolve" { report[["attempts", "resolve \(value)", "value"]] = 3 }
            if option == "--request" {
                report[["attempts", "request \(value)", "value"]] = 403
                report[["attempts", "request \(value)", "answer"]] = "HTTP/1.1 403 Forbidden {\"allow\":\"…\"}"
            }
        }
        outside.bootID = "99999999-2222-3333-4444-555555555555"
        outside.users = Array(repeating: "1234", count: 4)
        outside.groups = Array(repeating: "1235", count: 4)
        outside.group = GroupFigures(memory: 64 << 20, processes: 21, milliCPUs: 1500)
        outside.published = [PublishedFinding(port: 18789, isReached: true, isReachedElsewhere: false)]
        outside.log = LogFinding(isIntact: true, events: ["launch", "started"], denied: list.deniedQuestions)
    }

    mutating func set(_ expectation: JailVerify.Expectation, _ value: String) {
        switch expectation.subject {
        case .attempt(let name): report[["attempts", name, "result"]] = .string(value)
        case .fact(let path): report[path] = .string(value)
        }
    }

    /// Ids of the checks that do not hold.
    func failed() throws -> Set<String> {
        let evidence = Evidence(inside: try report.report(), outside: outside)
        let verification = Verification(list, evidence, subject: "paper")
        return Set(verification.rows.filter { $0.judgement.state == .notHeld }.map(\.check.id))
    }

    static func mount(_ target: String, _ options: String, propagation: String = "", type: String = "ext4") -> JSON {
        [
            "target": .string(target), "options": .string(options), "propagation": .string(propagation),
            "type": .string(type),
        ]
    }

    private static func options(_ attributes: MountAttributes) -> String {
        let words: [(MountAttributes, String)] = [(.noSetuid, "nosuid"), (.noDevices, "nodev"), (.noExec, "noexec")]
        return ([attributes.contains(.readOnly) ? "ro" : "rw"] + words.filter { attributes.contains($0.0) }.map(\.1))
            .joined(separator: ",")
    }

    private static func pairs(_ arguments: [String]) -> [(String, String)] {
        arguments.indices.dropLast().map { (arguments[$0], arguments[$0 + 1]) }
    }
}
