package import JailCore
internal import JailPlan

/// A control group of one executed command, below the jail's: every descendant of the command is in it, also one that
/// called setsid(2) and lost its parent. It has no limits of its own.
///
/// On v1 in one hierarchy only, the one of pids if it is there. Nothing in the jail can leave it: its files are not
/// visible inside.
package struct CgroupLeaf {
    package let directory: String
    private let isUnified: Bool
    private let countsProcesses: Bool
    private var refused: UInt64 = 0
    private let entry: SharedDescriptor
    /// Nothing has been set in it: another command may have it.
    package private(set) var isAsNew = true

    /// - Parameter index: unique among those of the jail.
    package init(of group: Cgroup, index: Int) throws(SystemError) {
        isUnified = group.isUnified
        switch group.plan.place {
        case .v2(let parent):
            directory = "\(parent)/\(group.plan.name)/\(Self.prefix)\(index)"
            countsProcesses = false
        case .scope: throw SystemError(.mkdirat, .notFound)
        case .v1(let parents):
            let usual: [CgroupPlan.Controller] = [.pids, .cpu, .memory]
            guard let controller = usual.first(where: { parents[$0] != nil }), let parent = parents[controller] else {
                throw SystemError(.mkdirat, .notFound)
            }
            directory = "\(parent)/\(group.plan.name)/\(Self.prefix)\(index)"
            countsProcesses = controller == .pids
        }
        try System.makeDirectory(directory, mode: 0o755)
        do throws(SystemError) {
            entry = SharedDescriptor(
                try System.open("\(directory)/\(isUnified ? "cgroup.procs" : "tasks")", .writeOnly))
        } catch {
            try? System.unlink(directory, isDirectory: true)
            throw error
        }
    }

    static let prefix = "exec-"

    /// For the process that enters: it writes `0`. On v1 of one thread, which is what vfork(2) gives.
    package var entryFile: SharedDescriptor { entry }

    /// `cgroup.procs`, for whoever is to signal its processes: pids are those of the reader's pid namespace. Opened anew for
    /// each look: on v1 a second read of the same open file may give a list of up to a second ago, see
    /// cgroup_pidlist_start() in the kernel's cgroup-v1.c.
    package func openProcesses() throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try System.open("\(directory)/cgroup.procs", .readOnly))
    }

    /// Process ids in what ``openProcesses()`` gives, as this process sees them.
    package static func processes(_ file: Descriptor) throws(SystemError) -> [Int32] {
        var content: [UInt8] = []
        while true {
            let part = try System.read(file, at: UInt64(content.count), most: 1 << 16)
            if part.isEmpty { break }
            content += part
        }
        return processes(content)
    }

    static func processes(_ content: [UInt8]) -> [Int32] {
        content.split(separator: 0x0A).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }.filter { $0 > 0 }
    }

    package var isEmpty: Bool {
        guard let file = try? openProcesses() else { return false }
        return withExtendedLifetime(file) { (try? Self.processes(file.borrowed))?.isEmpty ?? false }
    }

    /// Before its processes are killed one by one: none can make another one meanwhile. On v2 the kernel does all of it
    /// at once.
    package mutating func prepareKill() throws(SystemError) {
        isAsNew = false
        if isUnified {
            try Cgroup.writeFile("\(directory)/cgroup.kill", "1")
        } else if countsProcesses {
            try Cgroup.writeFile("\(directory)/pids.max", "0")
        }
    }

    /// How many processes were refused since the last call. On v1 the kernel counts them here, not where the limit is.
    package mutating func takeRefused() -> UInt64 {
        guard countsProcesses, let text = try? System.readFile("\(directory)/pids.events") else { return 0 }
        let now = Cgroup.counter(in: text, "max")
        defer { refused = max(refused, now) }
        return now > refused ? now - refused : 0
    }

    /// False while a process is in it.
    package func remove() -> Bool { Cgroup.remove([directory]) }
}
