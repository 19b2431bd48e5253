import JailCore
import JailPolicy
import JailVerify
import TestSupport
import Testing

@testable import JailPlan

/// A running jail, looked at from outside.
@Suite struct RunningTests {
    private static func facts(_ plan: LaunchPlan) -> RunningJailFacts {
        var facts = RunningJailFacts()
        let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]
        for kind in kinds { facts.namespaces[kind] = "\(kind):[1]" }
        facts.processes = [Int32(100), 101, 102].map { pid in
            var process = ProcessFacts(pid: pid)
            process.isInit = pid == 100
            process.users = Array(repeating: "1234", count: 4)
            process.groups = Array(repeating: "1235", count: 4)
            process.capabilities = Array(repeating: "0000000000000000", count: 5)
            process.noNewPrivileges = "1"
            process.seccomp = "2"
            process.filters = 2
            process.coreSize = ["0", "0"]
            process.controlGroups = ["0::/x/clawjail-paper"]
            guard !process.isInit else { return process }
            for kind in kinds { process.namespaces[kind] = "\(kind):[2]" }
            process.mounts = ["/usr/bin/node", "/tmp"].map { target in
                MountFinding(
                    line: "1 1 0:1 / \(target) \(target == "/tmp" ? "rw,noexec" : "ro"),nosuid,nodev - tmpfs none rw")
            }.compactMap { $0 }
            process.interfaces = ["lo"]
            process.openFiles = ["100", "100"]
            return process
        }
        facts.group = GroupFigures(memory: 64 << 20, processes: 21, milliCPUs: 1500)
        facts.log = LogFinding(isIntact: true, events: [], denied: [])
        facts.recordedPlan = "abc"
        facts.shownPlan = "abc"
        return facts
    }

    private static func judge(_ change: (inout RunningJailFacts) -> Void) throws -> Verification {
        let plan = try PaperPlan.make { $0.identity.groups = .byRoot }
        let value = try JSON5Reader.read(Array(plan.json.text().utf8), file: "plan")
        var facts = facts(plan)
        change(&facts)
        return RunningCheckList(try #require(RunningPromises(value))).verification(facts, subject: "paper")
    }

    private static func failed(_ verification: Verification) -> [String] {
        verification.rows.filter { $0.judgement.state == .notHeld }.map(\.check.id)
    }

    typealias Change = @Sendable (inout RunningJailFacts) -> Void

    static let mutations: [(String, Change)] = [
        ("run.user", { $0.processes[2].users[1] = "0" }), ("run.user", { $0.processes[0].groups[3] = "0" }),
        ("run.user", { $0.processes[1].users = [] }),
        ("run.capabilities", { $0.processes[1].capabilities[3] = "0000000000200000" }),
        ("run.capabilities", { $0.processes[0].capabilities.removeLast() }),
        ("run.privileges", { $0.processes[2].noNewPrivileges = "0" }),
        ("run.groups", { $0.processes[1].supplementary = ["27"] }),
        ("run.filter", { $0.processes[1].seccomp = "0" }), ("run.filter", { $0.processes[0].filters = nil }),
        ("run.namespaces", { $0.processes[1].namespaces["net"] = "net:[1]" }),
        ("run.namespaces", { $0.processes[2].namespaces["mnt"] = "mnt:[3]" }),
        ("run.namespaces", { $0.processes[2].namespaces["time"] = nil }),
        (
            "run.mounts",
            {
                $0.processes[2].mounts += [MountFinding(line: "1 1 0:1 / /host rw,nosuid,nodev - ext4 x rw")].compactMap
                { $0 }
            }
        ),
        ("run.mounts", { $0.processes[1].mounts = [] }),
        ("run.network", { $0.processes[1].interfaces = ["lo", "eth0"] }),
        ("limits.core", { $0.processes[0].coreSize = ["0", "unlimited"] }),
        ("limits.openFiles", { $0.processes[1].openFiles = ["100", "1024"] }),
        ("run.group", { $0.processes[2].controlGroups = ["0::/user.slice"] }),
        ("limits.group", { $0.group?.memory = nil }), ("limits.group", { $0.group?.processes = 22 }),
        ("limits.group", { $0.group?.milliCPUs = nil }), ("limits.group", { $0.group = nil }),
        ("log.intact", { $0.log?.isIntact = false }), ("log.intact", { $0.log = nil }),
        ("log.plan", { $0.shownPlan = "abd" }), ("log.plan", { $0.recordedPlan = nil }),
    ]

    @Test func `a jail that is as planned holds`() throws {
        #expect(Self.failed(try Self.judge { _ in }) == [])
    }

    @Test(arguments: mutations.indices) func `one process that is otherwise is seen`(index: Int) throws {
        let (id, change) = Self.mutations[index]
        #expect(Self.failed(try Self.judge(change)) == [id])
    }

    @Test func `every check is broken by something`() throws {
        let ids = Set(try Self.judge { _ in }.rows.map(\.check.id))
        #expect(ids == Set(Self.mutations.map(\.0)))
    }

    @Test func `a jail of which nothing can be seen does not hold, and one without a command says so`() throws {
        let blind = try Self.judge { $0.processes = [] }
        #expect(!blind.holds && blind.count(.held) == 0)
        let waiting = try Self.judge { $0.processes.removeLast(2) }
        #expect(Self.failed(waiting) == [])
        #expect(waiting.rows.first { $0.check.id == "run.mounts" }?.judgement.state == .notTried)
    }

    @Test func `whose namespaces nobody may ask for is not tried, and only then`() throws {
        func state(_ change: (inout RunningJailFacts) -> Void) throws -> Judgement.State? {
            try Self.judge(change).rows.first { $0.check.id == "run.namespaces" }?.judgement.state
        }
        func hide(_ facts: inout RunningJailFacts) { for index in 1...2 { facts.processes[index].namespaces = [:] } }
        #expect(
            try state {
                hide(&$0)
                $0.isBehindUserNamespace = true
            } == .notTried)
        #expect(try state { hide(&$0) } == .notHeld)
        #expect(
            try state {
                hide(&$0)
                $0.isBehindUserNamespace = true
                $0.processes[1].namespaces = $0.namespaces
            } == .notHeld)
    }

    @Test func `a line of mountinfo`() {
        let finding = MountFinding(
            line: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue")
        #expect(finding?.target == "/mnt2")
        #expect(finding?.options == ["rw", "noatime"])
        #expect(finding?.propagation == "master:1")
        for line in ["", "36 35", "36 35 98:0 / / rw shared:1"] { #expect(MountFinding(line: line) == nil) }
    }
}
