import CLinux
import JailCore
import TestSupport
import Testing

@testable import JailCgroups
@testable import JailPlan

@Suite(.timeLimit(.minutes(1)), .needsRoot, .needsDirectory("/sys/fs/cgroup/memory"))
struct `Control groups of version 1` {
    static let parents: [CgroupPlan.Controller: String] = [
        .memory: "/sys/fs/cgroup/memory", .pids: "/sys/fs/cgroup/pids", .cpu: "/sys/fs/cgroup/cpu",
    ]

    static func plan(_ change: (inout CgroupPlan) -> Void = { _ in }) throws -> CgroupPlan {
        let random = try System.randomBytes(6).map { String($0, radix: 16) }.joined()
        var plan = CgroupPlan(place: .v1(parents: parents), name: "clawjail-test-\(random)", swap: 0)
        change(&plan)
        return plan
    }

    static func isThere(_ path: String) -> Bool { (try? System.status(path)) != nil }

    @Test func `limits are written, and the groups removed`() throws {
        var group = try Cgroup.prepare(
            Self.plan {
                $0.memory = 64 << 20
                $0.swap = 1 << 20
                $0.processes = 17
                $0.milliCPUs = 1500
            })
        #expect(group.directories.count == 3)
        func read(_ index: Int, _ file: String) throws -> String {
            String(decoding: try System.readFile("\(group.directories[index])/\(file)"), as: UTF8.self)
        }
        #expect(try read(0, "memory.limit_in_bytes") == "\(64 << 20)\n")
        #expect(try read(0, "memory.memsw.limit_in_bytes") == "\(65 << 20)\n")
        #expect(try read(1, "pids.max") == "17\n")
        #expect(try read(2, "cpu.cfs_quota_us") == "150000\n" && read(2, "cpu.cfs_period_us") == "100000\n")
        group.closeJoinDescriptors()
        let directories = group.directories
        let removed = group.remove()
        #expect(removed && !directories.contains(where: Self.isThere))
        let again = group.remove()
        #expect(again)
    }

    @Test func `what cannot be made as a whole leaves nothing`() throws {
        var plan = try Self.plan {
            $0.memory = 64 << 20
            $0.processes = 4
            $0.milliCPUs = 1000
        }
        plan.place = .v1(parents: Self.parents.merging([.cpu: "/sys/fs/cgroup/cpu/there-is-none"]) { $1 })
        let error = failure { () throws(JailError) in _ = try Cgroup.prepare(plan) }
        #expect(error?.stage == .cgroup && error?.operation == "mkdirat")
        for parent in Self.parents.values { #expect(!Self.isThere("\(parent)/\(plan.name)")) }
        // A limit that the kernel refuses, after the group was made.
        plan = try Self.plan { $0.milliCPUs = 1 }
        #expect(failure { () throws(JailError) in _ = try Cgroup.prepare(plan) }?.operation == "write")
        for parent in Self.parents.values { #expect(!Self.isThere("\(parent)/\(plan.name)")) }
    }

    @Test func `a process that is one too many is refused, and that is noticed`() async {
        await #expect(processExitsWith: .success) {
            var group = try Cgroup.prepare(Self.plan { $0.processes = 1 })
            var watch = LimitWatch(group)
            #expect(watch.newHits(final: false).isEmpty)
            let tasks = group.takeTasks()
            try Child.run {
                try Cgroup.join(tasks.map(\.borrowed.number))
                try requireFailure(.wouldBlock) { () throws(SystemError) in _ = try System.fork() }
            }
            #expect(watch.newHits(final: false) == [.processes(limit: 0)])
            #expect(watch.newHits(final: true).isEmpty)
            let removed = group.remove()
            #expect(removed)
        }
    }

    @Test func `a process that takes too much memory is killed, and that is noticed`() async {
        await #expect(processExitsWith: .success) {
            var group = try Cgroup.prepare(Self.plan { $0.memory = 16 << 20 })
            var watch = LimitWatch(group)
            let tasks = group.takeTasks()
            let child = try System.fork()
            if child == 0 {
                try? Cgroup.join(tasks.map(\.borrowed.number))
                let block = [UInt8](repeating: 1, count: 64 << 20)
                System.exitNow(Int32(block[block.count - 1]))
            }
            #expect(try System.wait(forChild: child) == .signalled(9))
            #expect(watch.newHits(final: false) == [.memory(limit: 16 << 20)])
            #expect(watch.newHits(final: true).isEmpty)
            // One that is made late has missed nothing.
            var late = LimitWatch(group)
            #expect(late.newHits(final: false) == [.memory(limit: 16 << 20)])
            let removed = group.remove()
            #expect(removed)
        }
    }

    @Test func `a hit says which limit it was, and which key raises it`() {
        let hits: [(LimitHit, String, String)] = [
            (.memory(limit: 1 << 20), "memory limit 1M reached: a process was killed", "limits.memory"),
            (
                .processes(limit: 3), "process limit 3 reached: a new process or thread was refused",
                "limits.processes"
            ),
            (
                .cpu(milliCPUs: 1500, waited: 2_340_000_000), "cpu limit 1.5 reached: processes waited 2.3 s",
                "limits.cpus"
            ),
            (.tmpfs(path: "/tmp", limit: 1024), "size limit 1K of /tmp reached", "filesystem.tmp"),
            (.tmpfs(path: "/home/x", limit: 1024), "size limit 1K of /home/x reached", "filesystem.home"),
            (.data(path: "/data", limit: 1024), "size limit 1K of /data reached", "filesystem.data.size"),
        ]
        for (hit, text, key) in hits {
            #expect(hit.description == text)
            #expect(hit.profileKey == key)
        }
    }
}
