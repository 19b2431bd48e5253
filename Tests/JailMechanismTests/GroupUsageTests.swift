import JailCore
import TestSupport
import Testing

@testable import JailCgroups

/// The kernel's files, as fixtures.
struct `What a group uses` {
    private func fixture(_ files: [String: String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (name, text) in files { try directory.file(name, text) }
        return directory
    }

    @Test func `version 2, with everything`() throws {
        let directory = try fixture([
            "cgroup.events": "populated 1\nfrozen 1\n", "memory.current": "1048576\n", "memory.peak": "2097152\n",
            "memory.max": "67108864\n", "memory.swap.current": "4096\n",
            "memory.events": "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n",
            "pids.current": "3\n", "pids.max": "21\n", "cpu.max": "15000 100000\n",
            "cpu.stat": "usage_usec 1234567\nuser_usec 1\nnr_periods 9\nnr_throttled 4\nthrottled_usec 765\n",
            "cpu.pressure":
                "some avg10=1.50 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=9\n",
            "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
            "io.pressure": "nonsense\nsome avg10=\u{1B}[1m avg60=0\n",
        ])
        let usage = try GroupUsage(unified: directory.path)
        #expect(usage.isFrozen)
        #expect(usage.memory == 1 << 20 && usage.memoryPeak == 2 << 20 && usage.memoryLimit == 64 << 20)
        #expect(usage.swap == 4096 && usage.memoryKills == 1)
        #expect(usage.processes == 3 && usage.processLimit == 21)
        #expect(usage.milliCPUs == 150 && usage.processorTime == 1_234_567)
        #expect(usage.throttledPeriods == 4 && usage.throttledTime == 765)
        #expect(usage.processorPressure?.some == "1.50" && usage.processorPressure?.full == "0.25")
        #expect(usage.memoryPressure?.some == "0.00" && usage.memoryPressure?.full == nil)
        // Not what the kernel writes.
        #expect(usage.inputOutputPressure == nil)
    }

    @Test func `version 2, without limits and on an older kernel`() throws {
        let directory = try fixture([
            "cgroup.events": "populated 1\nfrozen 0\n", "memory.current": "5\n", "memory.max": "max\n",
            "pids.max": "max\n", "cpu.max": "max 100000\n",
        ])
        let usage = try GroupUsage(unified: directory.path)
        #expect(!usage.isFrozen && usage.memory == 5)
        #expect(usage.memoryPeak == nil && usage.memoryLimit == nil && usage.processLimit == nil)
        #expect(usage.milliCPUs == nil && usage.processorPressure == nil && usage.throttledTime == nil)
    }

    @Test func `version 1 has other names and units, and no pressure`() throws {
        let cpu = try fixture([
            "cpuacct.usage": "5000999\n", "cpu.stat": "nr_periods 1\nnr_throttled 2\nthrottled_time 3000\n",
            "cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n",
        ])
        let memory = try fixture([
            "memory.usage_in_bytes": "10\n", "memory.max_usage_in_bytes": "20\n",
            "memory.limit_in_bytes": "9223372036854771712\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n",
        ])
        let pids = try fixture(["pids.current": "1\n", "pids.max": "9\n"])
        let usage = try GroupUsage(separate: ["cpu": cpu.path, "memory": memory.path, "pids": pids.path])
        #expect(usage.processorTime == 5000 && usage.throttledTime == 3 && usage.throttledPeriods == 2)
        #expect(usage.milliCPUs == nil)
        #expect(usage.memory == 10 && usage.memoryPeak == 20 && usage.memoryLimit == nil && usage.memoryKills == 6)
        #expect(usage.processes == 1 && usage.processLimit == 9)
        #expect(usage.processorPressure == nil && !usage.isFrozen)
    }

    @Test func `a group that is gone has no figures`() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: SystemError.self) { _ = try GroupUsage(unified: directory.path) }
        #expect(throws: SystemError.self) { _ = try GroupUsage(separate: ["pids": directory.path + "/none"]) }
    }
}
