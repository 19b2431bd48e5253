import Foundation
import Glibc

/// Control groups that the ordinary user may make groups in, as a service manager would hand them over.
enum Delegation {
    private static let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
    private static let directories = Result { try isUnified ? [makeUnified()] : makeSeparate() }

    /// Where one start belongs.
    struct Place {
        /// Entered first, with whatever stands around clawjail. The shell writes its own number, and stays itself.
        var join = ""
        /// Entered by what becomes clawjail, and by nothing else: a group with other processes hands nothing on.
        var innerJoin = ""
        /// Root has processes of its own in its group on version 2 as well.
        var isForRoot = false
    }

    /// For one start; empty where nothing can be handed over.
    static var place: Place {
        get throws {
            guard Host.isRoot else { return Place() }
            let directories = try directories.get()
            guard isUnified, let top = directories.first else {
                let joins = directories.map { "echo $$ > '\($0)/tasks'" }.joined(separator: " && ")
                return Place(join: joins.isEmpty ? "" : joins + " || exit 99\n")
            }
            // One for each: the supervisor hands controllers on, and nobody can enter what does that.
            let own = try handOver("\(top)/\(Scratch.unique("start"))")
            let outer = try handOver("\(own)/outer")
            return Place(
                join: "echo $$ > '\(outer)/cgroup.procs' || exit 99\n",
                // A test may have taken the file system away.
                innerJoin: "{ echo $$ > '\(own)/cgroup.procs'; } 2>/dev/null || true\n", isForRoot: true)
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
