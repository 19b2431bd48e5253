internal import Glibc
internal import JailCore

/// What stands between init and an executed command where there is no control group: the subreaper of everything that the
/// command starts, so that what daemonises stays below it and can be found. See PR_SET_CHILD_SUBREAPER in prctl(2).
///
/// A weaker hold than a control group: it has the payload's uid, so a process inside can kill it, and what is left below it
/// goes to init then. It is told, and it is still in the jail.
enum ExecReaper {
    /// Forks. The child starts the command, tells the supervisor what becomes of it, and ends when nothing is left below
    /// it. Returns in init only.
    static func start(
        _ program: System.Program, _ surroundings: System.Surroundings, _ order: InitExecs.Running,
        master: SharedDescriptor?
    ) throws(SystemError) -> Int32 {
        let pid = try System.fork()
        if pid != 0 { return pid }
        do throws(SystemError) {
            // Nothing but SIGKILL reaches it.
            try System.block(Array(1...64))
            try System.becomeSubreaper()
            try System.setProcessName("exec-reaper")
            try run(program, surroundings, order, master)
        } catch {
            try? System.send(Confinement.control, ControlMessage(notExecuted: order.index, error).bytes)
            System.exitNow(0)
        }
    }

    private static func run(
        _ program: System.Program, _ surroundings: System.Surroundings, _ order: InitExecs.Running,
        _ master: SharedDescriptor?
    ) throws(SystemError) -> Never {
        let command = try System.spawn(program, surroundings)
        try InitExecs.tellStarted(order.index, command, master)
        // The other side of the terminal, and the command's streams, are the command's alone now. Besides the socket to
        // the supervisor only the one to the client is kept, and given up with the command's end.
        let first = Confinement.control.number + 1
        var kept = InitExecs.Running(index: order.index, client: nil)
        if let client = order.client {
            if client.borrowed.number != first {
                try System.duplicate(client.borrowed, to: first, closeOnExec: true)
            }
            kept = InitExecs.Running(index: order.index, client: SharedDescriptor(OwnedDescriptor(first)))
        }
        try System.closeRange(UInt32(first) + (kept.client == nil ? 0 : 1), .max)
        let null = try System.open("/dev/null", .readWrite)
        for number: Int32 in 0...2 { try System.duplicate(null.borrowed, to: number, closeOnExec: false) }
        while let ended = try System.waitForAny() {
            guard ended.pid == command else { continue }
            try InitExecs.tellEnded(kept, ended.how)
            kept = InitExecs.Running(index: order.index, client: nil)
        }
        System.exitNow(0)
    }

    /// Everything alive that stands below a process, by what /proc says of parents at this moment.
    static func descendants(of reaper: Int32) throws(SystemError) -> [Int32] {
        var children = try tree()
        var found: [Int32] = []
        var next = [reaper]
        while let pid = next.popLast() {
            let below = children.removeValue(forKey: pid) ?? []
            found += below
            next += below
        }
        return found
    }

    static func children(of parent: Int32) throws(SystemError) -> [Int32] { try tree()[parent] ?? [] }

    /// Children by parent.
    private static func tree() throws(SystemError) -> [Int32: [Int32]] {
        let proc = try System.open("/proc", [.readOnly, .directory])
        var children: [Int32: [Int32]] = [:]
        for entry in try System.names(in: proc.borrowed) {
            guard let pid = Int32(entry.name), let parent = parent(entry.name, proc.borrowed) else { continue }
            children[parent, default: []].append(pid)
        }
        return children
    }

    /// The fourth word of /proc/PID/stat, unless the third says that it is a zombie; the second, a name in parentheses, may hold anything.
    private static func parent(_ pid: String, _ proc: Descriptor) -> Int32? {
        guard let text = try? System.readFile("\(pid)/stat", at: proc),
            let end = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let words = text[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard words.count > 1, words[0] != [UInt8(ascii: "Z")] else { return nil }
        return Int32(String(decoding: words[1], as: UTF8.self))
    }
}
