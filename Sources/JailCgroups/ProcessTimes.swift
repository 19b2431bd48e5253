internal import JailCore

/// Processor time of a jail as its processes have it, for hosts whose accounting is a hierarchy of its own, where no jail is
/// in: of those that are there, and of all that they have waited for.
enum ProcessTimes {
    private static let mostProcesses = 4096
    private static let patience = 3

    /// Microseconds, in steps of 10 ms; nil: processes came and went the whole time that was looked, or there are too many.
    ///
    /// - Parameter directory: of a group of version 1; the groups below it count as well.
    static func sum(of directory: String) -> UInt64? {
        for _ in 0..<patience {
            guard let processes = processes(of: directory), processes.count <= mostProcesses else { return nil }
            // Who ends meanwhile is in the sum of whoever has waited for it, and would be missed, or be counted twice.
            let ticks = processes.map(Self.ticks)
            guard self.processes(of: directory) == processes else { continue }
            var sum: UInt64 = 0
            for ticks in ticks { sum += ticks ?? 0 }
            return sum * 10_000
        }
        return nil
    }

    private static func processes(of directory: String) -> [Int32]? {
        guard let group = try? System.open(directory, [.readOnly, .directory, .noFollow]),
            let entries = try? System.names(in: group.borrowed)
        else { return nil }
        let files = ["cgroup.procs"] + entries.filter { $0.kind == 4 }.map { "\($0.name)/cgroup.procs" }.sorted()
        return files.flatMap { file in
            String(decoding: (try? System.readFile(file, at: group.borrowed)) ?? [], as: UTF8.self)
                .split(separator: "\n").compactMap { Int32($0) }
        }
    }

    /// utime, stime, cutime and cstime of proc_pid_stat(5), in hundredths of a second (USER_HZ).
    private static func ticks(_ process: Int32) -> UInt64? {
        (try? System.readFile("/proc/\(process)/stat", limit: 4096)).flatMap(ticks)
    }

    static func ticks(_ stat: [UInt8]) -> UInt64? {
        // The name may hold anything, parentheses as well; after the last one are numbers.
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: stat[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 14 else { return nil }
        let times = fields[11...14].compactMap { UInt64($0) }
        return times.count == 4 ? times.reduce(0, &+) : nil
    }
}
