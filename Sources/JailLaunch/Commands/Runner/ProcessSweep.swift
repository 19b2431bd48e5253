internal import Glibc
internal import JailCore

/// Ends whatever is left below a process that is the subreaper of all it has started, see PR_SET_CHILD_SUBREAPER in prctl(2):
/// what called setsid(2), lost its parent or changed its name is its child in the end.
enum ProcessSweep {
    /// Milliseconds between two looks.
    private static let pause: Int32 = 2

    /// Kills children until there are none: those of one that has ended are this process's by then.
    ///
    /// - Parameters:
    ///   - kept: children that stay, and are waited for elsewhere.
    ///   - patience: nanoseconds.
    /// - Returns: whether nothing is left.
    @discardableResult
    static func run(except kept: [Int32], patience: Int64) -> Bool {
        let until = System.monotonicNanoseconds() + patience
        while true {
            guard let children = try? children().filter({ !kept.contains($0) }) else { return false }
            if children.isEmpty { return true }
            guard System.monotonicNanoseconds() < until else { return false }
            for child in children {
                try? System.kill(child, SIGKILL)
                reap(child)
            }
            try? System.pause(milliseconds: pause)
            for child in children { reap(child) }
        }
    }

    /// One that has not ended yet is looked at again.
    private static func reap(_ child: Int32) {
        guard let pidfd = try? System.openProcess(child) else { return }
        _ = try? System.reapIfEnded(pidfd.borrowed)
    }

    /// As the kernel lists them, those that have ended as well, see /proc/PID/task/TID/children in proc(5). It needs no right to
    /// look at anybody else's process.
    static func children() throws(SystemError) -> [Int32] {
        let pid = System.processID
        do throws(SystemError) {
            let text = try System.readFile("/proc/self/task/\(pid)/children")
            return text.split(separator: 0x20).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        } catch {
            // A kernel without that list.
            guard error.errno == .notFound else { throw error }
            return try ExecReaper.children(of: pid)
        }
    }
}
