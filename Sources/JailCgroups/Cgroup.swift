package import JailCore
package import JailPlan

/// A jail's control group, for the supervisor: made before the clone, removed after the last process.
///
/// On v2 one group, with the limits; on v1 one for each controller. See cgroups(7). Below it are ``CgroupLeaf``s without
/// limits of their own: since it hands no controllers on to them, it may hold processes itself.
package struct Cgroup: Sendable {
    /// Every directory that was made, in the order of making.
    package private(set) var directories: [String] = []
    let plan: CgroupPlan
    /// v1: the `tasks` files, which init writes `0` to; v2: the group, which the clone enters.
    package private(set) var joinDescriptors: [Int32] = []
    package var isUnified: Bool { plan.isUnified }

    private init(_ plan: CgroupPlan) { self.plan = plan }

    /// Makes the group and writes its limits. What was made is removed again if a later step fails.
    package static func prepare(_ plan: CgroupPlan) throws(JailError) -> Cgroup {
        var group = Cgroup(plan)
        do throws(JailError) {
            switch plan.place {
            case .v1(let parents): try group.makeV1(parents)
            case .v2(let parent): try group.makeV2(parent)
            case .scope: throw JailError(.cgroup, reason: "there is no scope yet to make the group in")
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
        try handOn(plan.controllers.map { "+\($0.rawValue)" }.joined(separator: " "), in: parent)
        let directory = try make("\(parent)/\(plan.name)")
        if let memory = plan.memory {
            try write("\(memory)", to: directory, "memory.max")
            try write("\(plan.swap)", to: directory, "memory.swap.max")
            // As on v1: the kernel kills one process, and not the gateway with the tool that it ran.
            try write("0", to: directory, "memory.oom.group")
        }
        if let processes = plan.processes { try write("\(processes)", to: directory, "pids.max") }
        if let milliCPUs = plan.milliCPUs {
            try write("\(milliCPUs * Self.period / 1000) \(Self.period)", to: directory, "cpu.max")
        }
        joinDescriptors.append(try open(directory, "", [.pathOnly, .directory]).release())
    }

    /// Enables controllers for what lies below `parent`. A group with processes may not hand any on (EBUSY), so those of
    /// clawjail's own first move into a group beside the jails'.
    private func handOn(_ controllers: String, in parent: String) throws(JailError) {
        let file = "\(parent)/cgroup.subtree_control"
        do {
            try Self.writeFile(file, controllers)
            return
        } catch  where error.errno == .busy {
        } catch { throw failed(error, file) }
        let supervisors = "\(parent)/\(CgroupPlan.supervisors)"
        do { try System.makeDirectory(supervisors, mode: 0o755) } catch  where error.errno == .exists {
        } catch { throw failed(error, supervisors) }
        do throws(SystemError) {
            // Others of clawjail's may be there: the foreground process that waits for this one, or one that just starts.
            for process in try Self.processes(of: parent, executing: "/proc/self/exe") {
                do { try Self.writeFile("\(supervisors)/cgroup.procs", "\(process)") } catch
                    where error.errno == .noProcess && process != System.processID
                {}
            }
        } catch { throw failed(error, supervisors) }
        do { try Self.writeFile(file, controllers) } catch  where error.errno == .busy {
            throw JailError(
                .cgroup, error, path: file,
                hint: "other processes share this cgroup: start clawjail in one of its own, with "
                    + "'systemd-run --user --scope -p Delegate=yes clawjail …'")
        } catch { throw failed(error, file) }
    }

    /// Processes of a group that execute the same file as this one; itself among them.
    private static func processes(of directory: String, executing program: String) throws(SystemError) -> [Int32] {
        let own = try System.status(program, followSymlink: true).identity
        return CgroupLeaf.processes(try System.readFile("\(directory)/cgroup.procs")).filter { process in
            // What is gone, or hides what it executes, is left where it is.
            (try? System.status("/proc/\(process)/exe", followSymlink: true).identity) == own
        }
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
