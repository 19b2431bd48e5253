import Foundation
import Glibc

/// Control groups that the ordinary user may make groups in, as a service manager would hand them over.
enum Delegation {
    private static let directories = Result { try make() }

    /// `tasks` or `cgroup.procs` files to be entered; empty where nothing can be handed over.
    static var entries: [String] { get throws { try directories.get() } }

    private static func make() throws -> [String] {
        guard Host.isRoot else { return [] }
        let user = try Host.user.get()
        let membership = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
        var entries: [String] = []
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3, ["memory", "pids", "cpu", "cpu,cpuacct", ""].contains(fields[1]) else { continue }
            let mount = fields[1].isEmpty ? "/sys/fs/cgroup" : "/sys/fs/cgroup/\(fields[1])"
            let parent = mount + (fields[2] == "/" ? "" : fields[2])
            let entry = fields[1].isEmpty ? "cgroup.procs" : "tasks"
            guard unsafe access("\(parent)/\(entry)", W_OK) == 0 else { continue }
            let path = "\(parent)/clawjail-e2e-\(getpid())"
            guard unsafe mkdir(path, 0o755) == 0 else { throw HarnessError("mkdir \(path): errno \(errno)") }
            unsafe chown(path, user.uid, user.gid)
            for file in try FileManager.default.contentsOfDirectory(atPath: path) {
                unsafe chown("\(path)/\(file)", user.uid, user.gid)
            }
            entries.append("\(path)/\(entry)")
        }
        return entries
    }

    static func remove() {
        guard case .success(let entries) = directories else { return }
        for entry in entries { unsafe rmdir((entry as NSString).deletingLastPathComponent) }
    }
}
