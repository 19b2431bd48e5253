import Foundation
import Glibc

/// Control groups that the ordinary user may make groups in, as a service manager would hand them over.
enum Delegation {
    private static let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
    private static let directories = Result { try isUnified ? [makeUnified()] : makeSeparate() }

    /// `tasks` or `cgroup.procs` files to be entered for one start; empty where nothing can be handed over.
    static var entries: [String] {
        get throws {
            guard Host.isRoot else { return [] }
            let directories = try directories.get()
            guard isUnified else { return directories.map { "\($0)/tasks" } }
            // One for each: the supervisor hands controllers on, and nobody can enter what does that.
            return try directories.map { "\(try handOver("\($0)/\(Scratch.unique("start"))"))/cgroup.procs" }
        }
    }

    private static func makeSeparate() throws -> [String] {
        let membership = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
        var made: [String] = []
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3, ["memory", "pids", "cpu", "cpu,cpuacct"].contains(fields[1]) else { continue }
            let parent = "/sys/fs/cgroup/\(fields[1])" + (fields[2] == "/" ? "" : fields[2])
            guard unsafe access("\(parent)/tasks", W_OK) == 0 else { continue }
            made.append(try handOver("\(parent)/clawjail-e2e-\(getpid())"))
        }
        return made
    }

    /// At the top: our own group has processes, and hands nothing on.
    private static func makeUnified() throws -> String {
        let path = "/sys/fs/cgroup/clawjail-e2e-\(getpid())"
        for directory in ["/sys/fs/cgroup", path] {
            if directory == path { try make(path) }
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(directory)/cgroup.subtree_control"))
            try file.write(contentsOf: Data("+memory +pids +cpu".utf8))
            try file.close()
        }
        return path
    }

    private static func make(_ path: String) throws {
        guard unsafe mkdir(path, 0o755) == 0 else { throw HarnessError("mkdir \(path): errno \(errno)") }
    }

    /// Makes a group that is the ordinary user's.
    private static func handOver(_ path: String) throws -> String {
        try make(path)
        let user = try Host.user.get()
        unsafe chown(path, user.uid, user.gid)
        for file in try FileManager.default.contentsOfDirectory(atPath: path) {
            // Limits stay whose they are: a group's own are its parent's to set.
            if isUnified, !["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"].contains(file) { continue }
            unsafe chown("\(path)/\(file)", user.uid, user.gid)
        }
        return path
    }

    /// Empty groups, from the bottom up.
    static func remove() {
        guard case .success(let directories) = directories else { return }
        for directory in directories { _ = try? shell("find \"$1\" -depth -type d -exec rmdir {} \\;", directory) }
    }
}
