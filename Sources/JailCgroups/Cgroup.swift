package import JailCore
package import JailPlan

/// A jail's control group, for the supervisor: made before the clone, removed after the last process.
///
/// On v2 one group with the limits and one leaf below it, since a group that hands controllers on may hold no
/// processes; on v1 one group for each controller. See cgroups(7).
package struct Cgroup: Sendable {
    /// Every directory that was made, in the order of making.
    package private(set) var directories: [String] = []
    let plan: CgroupPlan
    /// v1: the `tasks` files, which init writes `0` to; v2: the leaf, which the clone enters.
    package private(set) var joinDescriptors: [Int32] = []
    package var isUnified: Bool { plan.isUnified }

    private init(_ plan: CgroupPlan) { self.plan = plan }

    /// Makes the group and writes its limits. What was made is removed again if a later step fails.
    package static func prepare(_ plan: CgroupPlan) throws(JailError) -> Cgroup {
        var group = Cgroup(plan)
        do {
            switch plan.place {
            case .v1(let parents): try group.makeV1(parents)
            case .v2(let parent): try group.makeV2(parent)
            }
        } catch {
            group.closeJoinDescriptors()
            group.remove()
            throw error
        }
        return group
    }

    // MARK: v1

    private mutating func makeV1(_ parents: [CgroupPlan.Controller: String]) throws(JailError) {
        for controller in CgroupPlan.Controller.allCases {
            guard let parent = parents[controller] else { continue }
            let directory = try make("\(parent)/\(plan.name)")
            switch controller {
            case .memory:
                if let memory = plan.memory {
                    // memory before memsw: the kernel refuses a sum below its part.
                    try write("\(memory)", to: directory, "memory.limit_in_bytes")
                    try write("\(memory + plan.swap)", to: directory, "memory.memsw.limit_in_bytes")
                }
            case .pids:
                if let processes = plan.processes { try write("\(processes)", to: directory, "pids.max") }
            case .cpu:
                if let milliCPUs = plan.milliCPUs {
                    try write("\(Self.period)", to: directory, "cpu.cfs_period_us")
                    try write("\(milliCPUs * Self.period / 1000)", to: directory, "cpu.cfs_quota_us")
                }
            }
            joinDescriptors.append(try open(directory, "tasks", .writeOnly).release())
        }
    }

    /// Microseconds over which processor time is counted; the kernel's default.
    private static let period: UInt64 = 100_000

    // MARK: v2

    private mutating func makeV2(_ parent: String) throws(JailError) {
        var controllers: [String] = []
        if plan.memory != nil { controllers.append("+memory") }
        if plan.processes != nil { controllers.append("+pids") }
        if plan.milliCPUs != nil { controllers.append("+cpu") }
        try handOn(controllers.joined(separator: " "), in: parent)
        let directory = try make("\(parent)/\(plan.name)")
        if let memory = plan.memory {
            try write("\(memory)", to: directory, "memory.max")
            try write("\(plan.swap)", to: directory, "memory.swap.max")
            try write("1", to: directory, "memory.oom.group")
        }
        if let processes = plan.processes { try write("\(processes)", to: directory, "pids.max") }
        if let milliCPUs = plan.milliCPUs {
            try write("\(milliCPUs * Self.period / 1000) \(Self.period)", to: directory, "cpu.max")
        }
        let leaf = try make("\(directory)/init")
        joinDescriptors.append(try open(leaf, "", [.pathOnly, .directory]).release())
    }

    /// Enables controllers for what lies below `parent`. A group with processes may not hand any on (EBUSY), so this
    /// process first moves into a leaf of its own beside the jail's.
    private func handOn(_ controllers: String, in parent: String) throws(JailError) {
        let file = "\(parent)/cgroup.subtree_control"
        do {
            try Self.writeFile(file, controllers)
            return
        } catch  where error.errno == .busy {
        } catch { throw failed(error, file) }
        let leaf = "\(parent)/clawjail-supervisors"
        do { try System.makeDirectory(leaf, mode: 0o755) } catch  where error.errno == .exists {
        } catch { throw failed(error, leaf) }
        do { try Self.writeFile("\(leaf)/cgroup.procs", "0") } catch { throw failed(error, leaf) }
        do { try Self.writeFile(file, controllers) } catch  where error.errno == .busy {
            throw JailError(
                .cgroup, error, path: file,
                hint: "other processes share this cgroup: start clawjail in one of its own, with "
                    + "'systemd-run --user --scope -p Delegate=yes clawjail …'")
        } catch { throw failed(error, file) }
    }

    // MARK: Joining

    /// Init, on v1: enters the groups. One thread writes `0` for itself: moving it from outside takes 200 times as long.
    package static func join(_ tasks: [Int32]) throws(SystemError) {
        for number in tasks { try System.writeAll(Descriptor(number), "0") }
    }

    /// v1: the files that init writes to, given away. On v2 the clone is where it belongs already.
    package mutating func takeTasks() -> [SharedDescriptor] {
        defer { joinDescriptors = [] }
        guard !isUnified else {
            closeJoinDescriptors()
            return []
        }
        return joinDescriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
    }

    package mutating func closeJoinDescriptors() {
        for number in joinDescriptors { System.close(number) }
        joinDescriptors = []
    }

    // MARK: Ending

    /// Kills everything in the group where the kernel can do that at once (v2, 5.14); false where it can not.
    package func kill() -> Bool {
        guard isUnified, let directory = directories.first else { return false }
        return (try? Self.writeFile("\(directory)/cgroup.kill", "1")) != nil
    }

    /// Removes the group. A directory that is busy stays, and is found by the next start through the run directory.
    @discardableResult
    package func remove() -> Bool { Self.remove(directories) }

    /// Removes the directories of a jail that is gone, the last made first; true once none of them is left.
    @discardableResult
    package static func remove(_ directories: [String]) -> Bool {
        var gone = true
        for directory in directories.reversed() {
            do { try System.unlink(directory, isDirectory: true) } catch {
                if error.errno == .notFound { continue }
                if error.errno != .busy || !removeLeaves(directory) { gone = false }
            }
        }
        return gone
    }

    /// Removes a group that has none but ``CgroupLeaf``s below it, and those.
    private static func removeLeaves(_ directory: String) -> Bool {
        do throws(SystemError) {
            let group = try System.open(directory, [.readOnly, .directory, .noFollow])
            let leaves = try System.names(in: group.borrowed).filter { $0.name.hasPrefix(CgroupLeaf.prefix) }
            for leaf in leaves { try System.unlink(leaf.name, at: group.borrowed, isDirectory: true) }
            guard !leaves.isEmpty else { return false }
            try System.unlink(directory, isDirectory: true)
            return true
        } catch {
            return error.errno == .notFound
        }
    }

    // MARK: Files

    private mutating func make(_ directory: String) throws(JailError) -> String {
        do { try System.makeDirectory(directory, mode: 0o755) } catch { throw failed(error, directory) }
        directories.append(directory)
        return directory
    }

    private func write(_ text: String, to directory: String, _ file: String) throws(JailError) {
        do { try Self.writeFile("\(directory)/\(file)", text) } catch { throw failed(error, "\(directory)/\(file)") }
    }

    private func open(_ directory: String, _ file: String, _ flags: OpenFlags) throws(JailError) -> OwnedDescriptor {
        let path = file.isEmpty ? directory : "\(directory)/\(file)"
        do { return try System.open(path, flags) } catch { throw failed(error, path) }
    }

    private func failed(_ error: SystemError, _ path: String) -> JailError { JailError(.cgroup, error, path: path) }

    static func writeFile(_ path: String, _ text: String) throws(SystemError) {
        let file = try System.open(path, .writeOnly)
        try System.writeAll(file.borrowed, text)
    }
}
