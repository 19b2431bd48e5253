import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

struct `Planned limits` {
    static func value(_ resource: Resource, _ plan: LaunchPlan) -> UInt64? {
        plan.limits.resources.first { $0.resource == resource }?.value
    }

    @Test func `without limits there is no cgroup, and none is missed`() throws {
        let made = try plan(bare(), on: PaperHost.facts { $0.cgroup = .unavailable(reason: "r") })
        #expect(made.limits.cgroup == nil && made.leftOut.isEmpty)
    }

    @Test func `a scope is planned, and not asked for`() throws {
        let facts = PaperHost.facts { $0.cgroup = .scope(PaperHost.offer()) }
        let made = try plan(bare { $0.limits.processes = 64 }, on: facts, name: "x")
        let cgroup = try #require(made.limits.cgroup)
        guard case .scope(let scope) = cgroup.place else {
            Issue.record("\(cgroup.place)")
            return
        }
        #expect(scope.unit(42) == "clawjail-x-42.scope" && scope.manager == .user && scope.socket == "/s")
        #expect(cgroup.isUnified && cgroup.controllers == [.pids])
        #expect(made.text.contains("clawjail-x-PID.scope/clawjail-x, a scope asked of the user service manager"))
        #expect(made.json.text().contains(#""scope":"clawjail-x-PID.scope/clawjail-x","manager":"user""#))
        #expect(try plan(bare(), on: facts).limits.cgroup == nil)
    }

    @Test func `the cgroup has the profile's limits, and room for jail init`() throws {
        let profile = bare {
            $0.limits.memory = 512 << 20
            $0.limits.swap = 4096
            $0.limits.processes = 64
            $0.limits.milliCPUs = 1500
        }
        let cgroup = try #require(try plan(profile, name: "x").limits.cgroup)
        #expect(cgroup.name == "clawjail-x")
        #expect(cgroup.place == .v2(parent: "/sys/fs/cgroup/user.slice"))
        #expect(cgroup.memory == 512 << 20 && cgroup.swap == 4096)
        #expect(cgroup.processes == 65 && cgroup.milliCPUs == 1500)
    }

    @Test func `on version 1 only the controllers that are needed are`() throws {
        let facts = PaperHost.facts { $0.cgroup = .v1(directories: ["memory": "/m", "pids": "/p", "cpu": "/c"]) }
        let made = try plan(bare { $0.limits.processes = 9 }, on: facts)
        #expect(made.limits.cgroup?.place == .v1(parents: [.pids: "/p"]))
        #expect(made.limits.cgroup?.isUnified == false)
    }

    @Test func `more memory than the host has is refused, as much is not`() throws {
        let tooMuch = bare { $0.limits.memory = (8 << 30) + 1 }
        let error = failure { () throws(JailError) in _ = try plan(tooMuch) }
        #expect(error?.stage == .plan && error?.reason.contains("the host has 8G") == true)
        #expect(try plan(bare { $0.limits.memory = 8 << 30 }).limits.cgroup?.memory == 8 << 30)
    }

    @Test func `more processors than the host has are said to be no limit`() throws {
        #expect(try plan(bare { $0.limits.milliCPUs = 4001 }).notes.contains { $0.contains("limits.cpus") })
        #expect(try plan(bare { $0.limits.milliCPUs = 4000 }).notes.isEmpty)
    }

    @Test func `no core dumps, no realtime, no better nice value, whatever the profile says`() throws {
        for name in Shipped.names {
            let made = try plan(try Shipped.load(name))
            #expect(Self.value(.core, made) == 0)
            #expect(Self.value(.realtimePriority, made) == 0)
            #expect(Self.value(.nice, made) == 0)
        }
    }

    @Test func `files and processes have a limit of their own as well`() throws {
        let profile = bare {
            $0.limits.openFiles = 99
            $0.limits.fileSize = 1 << 20
            $0.limits.processes = 10
            $0.optional = [.cgroup]
        }
        let made = try plan(profile)
        #expect(Self.value(.openFiles, made) == 99 && Self.value(.fileSize, made) == 1 << 20)
        // Behind the cgroup's, which is the one that tells when it was reached.
        #expect((Self.value(.processes, made) ?? 0) > 11)
        let alone = try plan(profile, on: PaperHost.facts { $0.cgroup = .unavailable(reason: "r") })
        #expect(Self.value(.processes, alone) == 11)
        #expect(Self.value(.fileSize, try plan(bare())) == nil)
    }

    @Test(arguments: [
        (UInt64(0), "0"), (1023, "1023"), (1024, "1K"), (512 << 20, "512M"), (3 << 29, "1.5G"), (1 << 40, "1T"),
    ])
    func `bytes are said as people say them`(bytes: UInt64, text: String) {
        #expect(ByteCount.text(bytes) == text)
    }
}

struct `Generated files of /proc` {
    @Test func `memory is what the jail has`() throws {
        let profile = bare {
            $0.limits.memory = 512 << 20
            $0.limits.swap = 1 << 20
        }
        let lines = try #require(try plan(profile).cover(of: "/proc/meminfo")).split(separator: "\n")
        #expect(lines.first == "MemTotal:         524288 kB")
        #expect(lines.contains("SwapTotal:          1024 kB"))
        #expect(lines.allSatisfy { $0.hasSuffix(" kB") && $0.utf8.count == 27 })
        #expect(try plan(bare()).cover(of: "/proc/meminfo")?.hasPrefix("MemTotal:        8388608 kB\n") == true)
    }

    @Test(arguments: [(UInt64(100), 1), (1000, 1), (1001, 2), (1500, 2), (4000, 4), (64000, 4)])
    func `processors are as many as the limit rounds up to, and no more than there are`(limit: UInt64, count: Int)
        throws
    {
        let info = try #require(try plan(bare { $0.limits.milliCPUs = limit }).cover(of: "/proc/cpuinfo"))
        #expect(info.split(separator: "\n").count { $0.hasPrefix("processor\t") } == count)
        #expect(info.hasSuffix("\n\n"))
    }

    @Test func `what tells one host from another is covered`() throws {
        let made = try plan(bare())
        #expect(made.cover(of: "/proc/sys/kernel/random/boot_id") == "b007-1d\n")
        #expect(made.cover(of: "/proc/keys") == "")
        #expect(made.cover(of: "/proc/cmdline") == "\n")
        #expect(made.cover(of: "/proc/loadavg") == "0.00 0.00 0.00 1/1 1\n")
    }
}
