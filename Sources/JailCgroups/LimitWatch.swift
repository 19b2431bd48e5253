package import JailCore
internal import JailPlan

/// A limit that was reached.
package enum LimitHit: Hashable, Sendable {
    case memory(limit: UInt64)
    case processes(limit: UInt64)
    /// Nanoseconds that the jail's processes had to wait.
    case cpu(milliCPUs: UInt64, waited: UInt64)
    case tmpfs(path: String, limit: UInt64)
    case data(path: String, limit: UInt64)
    case review(path: String, limit: UInt64)

    package var description: String {
        switch self {
        case .memory(let limit): "memory limit \(ByteCount.text(limit)) reached: a process was killed"
        case .processes(let limit): "process limit \(limit) reached: a new process or thread was refused"
        case .cpu(let milliCPUs, let waited):
            "cpu limit \(Self.decimal(milliCPUs)) reached: processes waited "
                + "\(waited / 1_000_000_000).\(waited / 100_000_000 % 10) s"
        case .tmpfs(let path, let limit): "size limit \(ByteCount.text(limit)) of \(path) reached"
        case .data(let path, let limit), .review(let path, let limit):
            "size limit \(ByteCount.text(limit)) of \(path) reached"
        }
    }

    /// Thousandths as people write them: 1500 is 1.5, and 50 is 0.05.
    private static func decimal(_ thousandths: UInt64) -> String {
        var digits = String(String(1000 + thousandths % 1000).dropFirst())
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return "\(thousandths / 1000).\(digits)"
    }

    /// The key of the profile that raises it.
    package var profileKey: String {
        switch self {
        case .memory: "limits.memory"
        case .processes: "limits.processes"
        case .cpu: "limits.cpus"
        case .tmpfs(let path, _):
            path == "/tmp" ? "filesystem.tmp" : path == "/dev/shm" ? "filesystem.sharedMemory" : "filesystem.home"
        case .data: "filesystem.data.size"
        case .review: "filesystem.workspace.size"
        }
    }
}

/// Learns from the kernel that a limit was reached: the counters of the group, and descriptors that become ready when
/// one of them moves.
package struct LimitWatch {
    private let group: Cgroup
    private var memoryKills: UInt64 = 0
    private var refusedProcesses: UInt64 = 0
    private var cpuReported = false
    /// Refused in groups below this one, where the kernel counts them on v1.
    private var refusedBelow: UInt64 = 0
    private var memoryEvent: SharedDescriptor?
    private var processEvents: SharedDescriptor?

    /// Live notices are a convenience: where the kernel refuses one, the counters are still read at the end. They begin with
    /// the first ``newHits(final:)``, which also tells what was reached before: on a busy host a command has come far when
    /// its supervisor hears that it runs.
    package init(_ group: Cgroup) {
        self.group = group
        if let directory = directory(.pids) { processEvents = Self.open("\(directory)/pids.events") }
        guard let directory = directory(.memory) else { return }
        if group.isUnified {
            memoryEvent = Self.open("\(directory)/memory.events")
        } else {
            memoryEvent = Self.registerOutOfMemory(directory)
        }
    }

    private static func open(_ path: String) -> SharedDescriptor? {
        try? SharedDescriptor(System.open(path, .readOnly))
    }

    /// v1: an eventfd that counts up when the group runs out of memory, see the kernel's cgroup-v1/memory.rst.
    private static func registerOutOfMemory(_ directory: String) -> SharedDescriptor? {
        do {
            let event = try System.eventDescriptor()
            let control = try System.open("\(directory)/memory.oom_control", .readOnly)
            try Cgroup.writeFile(
                "\(directory)/cgroup.event_control", "\(event.borrowed.number) \(control.borrowed.number)")
            return SharedDescriptor(event)
        } catch {
            return nil
        }
    }

    /// Whether any of ``pollEntries`` is among these.
    package func isReady(_ ready: System.PollResult) -> Bool { pollEntries.contains { ready[$0.descriptor] != nil } }

    /// To be polled; kernfs files say "priority" (and "error") when their content has changed.
    package var pollEntries: [System.PollEntry] {
        var entries: [System.PollEntry] = []
        if let memory = memoryEvent?.borrowed {
            entries.append(.init(memory, group.isUnified ? System.PollEvents.priority : System.PollEvents.readable))
        }
        if let processes = processEvents?.borrowed { entries.append(.init(processes, System.PollEvents.priority)) }
        return entries
    }

    /// Counts what ``CgroupLeaf/takeRefused()`` found.
    package mutating func add(refused: UInt64) { refusedBelow += refused }

    /// What has been reached since the last call. Processor time is reported once, at the end: it is no failure.
    package mutating func newHits(final: Bool) -> [LimitHit] {
        var hits: [LimitHit] = []
        if !group.isUnified, let memory = memoryEvent?.borrowed { _ = try? System.read(memory, most: 8) }
        let kills =
            group.isUnified
            ? counter(in: Self.reread(memoryEvent), "oom_kill") : counter(.memory, "memory.oom_control", "oom_kill")
        if kills > memoryKills, let limit = group.plan.memory { hits.append(.memory(limit: limit)) }
        memoryKills = max(memoryKills, kills)
        let refused = counter(in: Self.reread(processEvents), "max") + refusedBelow
        if refused > refusedProcesses, let limit = group.plan.processes { hits.append(.processes(limit: limit - 1)) }
        refusedProcesses = max(refusedProcesses, refused)
        if final, !cpuReported, let milliCPUs = group.plan.milliCPUs {
            cpuReported = true
            let waited =
                group.isUnified
                ? counter(.cpu, "cpu.stat", "throttled_usec") * 1000 : counter(.cpu, "cpu.stat", "throttled_time")
            // Short bursts over the limit are how it works; waiting that a person would notice is worth a line.
            if waited >= 1_000_000_000 { hits.append(.cpu(milliCPUs: milliCPUs, waited: waited)) }
        }
        return hits
    }

    private func directory(_ controller: CgroupPlan.Controller) -> String? { group.directory(controller) }

    private func counter(_ controller: CgroupPlan.Controller, _ file: String, _ key: String) -> UInt64 {
        guard let directory = directory(controller) else { return 0 }
        return counter(in: (try? System.readFile("\(directory)/\(file)")) ?? [], key)
    }

    /// Through the descriptor that is polled: only a read of that one says that its news has been seen.
    private static func reread(_ file: SharedDescriptor?) -> [UInt8] {
        guard let file else { return [] }
        return (try? System.read(file.borrowed, at: 0, most: 4096)) ?? []
    }

    private func counter(in bytes: [UInt8], _ key: String) -> UInt64 { Cgroup.counter(in: bytes, key) }
}

extension Cgroup {
    /// Where the files of a controller are; nil: the group has not that one.
    func directory(_ controller: CgroupPlan.Controller) -> String? {
        switch plan.place {
        case .v2(let parent): "\(parent)/\(plan.name)"
        case .scope: nil
        case .v1(let parents): parents[controller].map { "\($0)/\(plan.name)" }
        }
    }

    /// Bytes that its processes have in use, page cache and tmpfs included; nil: nobody counts them.
    package var memoryInUse: UInt64? {
        guard plan.memory != nil, let directory = directory(.memory) else { return nil }
        let file = isUnified ? "memory.current" : "memory.usage_in_bytes"
        guard let content = try? System.readFile("\(directory)/\(file)") else { return nil }
        return UInt64(String(decoding: content.prefix { $0 != 0x0A }, as: UTF8.self))
    }

    /// The value of a key in a file of lines `KEY VALUE`.
    static func counter(in bytes: [UInt8], _ key: String) -> UInt64 {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == key { return UInt64(words[1]) ?? 0 }
        }
        return 0
    }
}
