internal import JailCore

/// How a jail without a control group of version 2 is made to stand still: its init sends SIGSTOP to every other process of
/// the namespace in one call, see kill(2) with -1, and the supervisor looks in the host's /proc whether they stand.
///
/// One call, under the kernel's lock on all tasks: a fork that is under way starts anew with the signal pending.
enum Standstill {
    /// Host ids of processes below jail init that may still execute something.
    ///
    /// What init is the parent of, and so on down: whoever loses its parent in the namespace is init's. A single look can
    /// miss a process whose parent ends meanwhile; two in a row that find none moving cannot, since what stands does not end.
    static func moving(below initPID: Int32) throws(SystemError) -> [Int32] {
        let proc = try System.open("/proc", [.readOnly, .directory])
        return try moving(below: initPID, in: proc.borrowed)
    }

    static func moving(below initPID: Int32, in proc: Descriptor) throws(SystemError) -> [Int32] {
        // What it costs must not grow with the host: many jails may be asked at the same time.
        let hasLists = System.mayAccess("\(initPID)/task/\(initPID)/children", 4, at: proc)
        let tree = hasLists ? [:] : try tree(proc)
        func children(of pid: Int32) throws(SystemError) -> [Process] {
            hasLists ? try listed(pid, proc) : tree[pid] ?? []
        }
        var found: [Int32] = []
        var next = try children(of: initPID)
        var seen = Set(next.map(\.pid))
        while let process = next.popLast() {
            let below = try children(of: process.pid).filter { seen.insert($0.pid).inserted }
            next += below
            if try !stands(process.pid, proc, hasStoppedChild: below.contains { $0.state == stopped }) {
                found.append(process.pid)
            }
        }
        return found
    }

    private struct Process {
        let pid: Int32
        let state: UInt8
    }

    private static let stopped = UInt8(ascii: "T")

    /// By the kernel's own lists, see /proc/PID/task/TID/children in proc(5): complete for those that stand.
    private static func listed(_ pid: Int32, _ proc: Descriptor) throws(SystemError) -> [Process] {
        var found: [Process] = []
        do throws(SystemError) {
            let tasks = try System.open("\(pid)/task", [.readOnly, .directory], at: proc)
            for task in try System.names(in: tasks.borrowed) {
                let text: [UInt8]
                do throws(SystemError) { text = try System.readFile("\(task.name)/children", at: tasks.borrowed) } catch
                {
                    _ = try isGone(error)
                    continue
                }
                for word in text.split(separator: 0x20) {
                    let name = String(decoding: word, as: UTF8.self)
                    guard let child = Int32(name), let stat = try stat("\(name)/stat", proc) else { continue }
                    found.append(Process(pid: child, state: stat.state))
                }
            }
        } catch {
            _ = try isGone(error)
        }
        return found
    }

    /// By everybody's parent, where the kernel keeps no such lists.
    private static func tree(_ proc: Descriptor) throws(SystemError) -> [Int32: [Process]] {
        var children: [Int32: [Process]] = [:]
        for entry in try System.names(in: proc) {
            guard let pid = Int32(entry.name), let stat = try stat("\(entry.name)/stat", proc) else { continue }
            children[stat.parent, default: []].append(Process(pid: pid, state: stat.state))
        }
        return children
    }

    /// Every thread counts: the first one may have stopped, or ended, before the others.
    private static func stands(
        _ pid: Int32, _ proc: Descriptor, hasStoppedChild: Bool
    ) throws(SystemError) -> Bool {
        let tasks: OwnedDescriptor
        do throws(SystemError) { tasks = try System.open("\(pid)/task", [.readOnly, .directory], at: proc) } catch {
            return try isGone(error)
        }
        for task in try System.names(in: tasks.borrowed) {
            guard let state = try stat("\(task.name)/stat", tasks.borrowed)?.state else { continue }
            switch state {
            // Stopped, and held by a debugger.
            case stopped, UInt8(ascii: "t"): break
            // Ended.
            case UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x"): break
            // Waits in vfork(2) for a child that stands, and stops itself before its next instruction.
            case UInt8(ascii: "D"):
                guard hasStoppedChild, try isToStop(task.name, tasks.borrowed) else { return false }
            default: return false
            }
        }
        return true
    }

    /// State and parent: the third and fourth word of /proc/PID/stat; the second, a name in parentheses, may hold anything.
    private static func stat(
        _ path: String, _ directory: Descriptor
    ) throws(SystemError) -> (state: UInt8, parent: Int32)? {
        let text: [UInt8]
        do throws(SystemError) { text = try System.readFile(path, at: directory) } catch {
            if try isGone(error) { return nil }
            throw error
        }
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { throw SystemError(.check, .invalid) }
        let words = text[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard words.count > 1, let state = words[0].first,
            let parent = Int32(String(decoding: words[1], as: UTF8.self))
        else { throw SystemError(.check, .invalid) }
        return (state, parent)
    }

    /// Whether SIGSTOP is pending, for the thread or for its process: see SigPnd and ShdPnd in proc(5).
    private static func isToStop(_ task: String, _ tasks: Descriptor) throws(SystemError) -> Bool {
        let text: [UInt8]
        do throws(SystemError) { text = try System.readFile("\(task)/status", at: tasks) } catch {
            return try isGone(error)
        }
        return text.split(separator: 0x0A).contains { line in
            guard line.starts(with: "SigPnd:".utf8) || line.starts(with: "ShdPnd:".utf8) else { return false }
            let digits = String(decoding: line.dropFirst(8).filter { $0 != 0x09 }, as: UTF8.self)
            return UInt64(digits, radix: 16).map { $0 & 1 << 18 != 0 } ?? false
        }
    }

    /// Ended meanwhile. Any other failure is the caller's.
    private static func isGone(_ error: SystemError) throws(SystemError) -> Bool {
        // ESRCH is what reading a file of an ended process says.
        guard error.errno == .notFound || error.errno == .noProcess else { throw error }
        return true
    }
}
