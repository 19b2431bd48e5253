internal import JailCgroups
internal import JailCore
internal import JailPlan

/// The commands that init has started besides the jail's own, each under a number that the supervisor gave it. They have
/// what every process of the jail has from init: namespaces, Landlock, filters, limits, no capability.
struct InitExecs {
    private let mounts: [String]
    private let workingDirectory: String
    private let openFiles: UInt64?
    private let isConfined: Bool
    /// By pid: commands in control groups of their own.
    private var running: [Int32: Running] = [:]
    /// By pid: what stands above the commands where there are no control groups.
    private var reapers: [Int32: UInt16] = [:]
    /// Whether every child of init is a reaper: the jail has no command of its own, whose orphans init has as well.
    private let mayKillStrays: Bool
    /// A reaper was killed from inside: what it watched over is init's now, or will be.
    private var hasStrays = false

    /// Descriptors of one order: the request, the file to enter the control group by, three streams, and the client.
    static let mostDescriptors = 6

    init(_ plan: LaunchPlan, openFiles: UInt64?) {
        self.openFiles = openFiles
        isConfined = plan.appArmor != nil
        workingDirectory = plan.command.workingDirectory
        mayKillStrays = plan.command.isNone && plan.limits.cgroup == nil
        mounts = plan.mounts.compactMap { (step) -> String? in
            switch step {
            case .bind(let bind): bind.isDirectory ? bind.target : nil
            case .tmpfs(let tmpfs): tmpfs.target
            case .overlay(let overlay): overlay.target
            default: nil
            }
        }
    }

    struct Running {
        let index: UInt16
        /// Where its end is told first: one process less has to wake up between the command and who waits for it. Not of
        /// one with a terminal, whose client hears of the terminal before.
        let client: SharedDescriptor?
        /// Until it executes its program, or says why it can not.
        var report: SharedDescriptor?
        /// Of its terminal, until somebody has been told that it runs.
        var master: SharedDescriptor?
    }

    /// Carries out an order. What is wrong with the command is told; what is thrown ends the jail.
    mutating func execute(_ order: ControlMessage, _ descriptors: [SharedDescriptor]) throws(SystemError) {
        do throws(SystemError) {
            if order.detail & 1 == 0 {
                reapers[try startReaper(order, descriptors)] = order.index
            } else {
                let (pid, command) = try start(order, descriptors)
                running[pid] = command
            }
        } catch {
            try System.send(Confinement.control, ControlMessage(notExecuted: order.index, error).bytes)
        }
    }

    /// Of commands on their way to their program.
    var pollEntries: [System.PollEntry] {
        running.values.compactMap { $0.report.map { System.PollEntry($0.borrowed, System.PollEvents.readable) } }
    }

    mutating func hearReports(_ ready: System.PollResult) throws(SystemError) {
        for (pid, command) in running {
            if let report = command.report, ready[report.borrowed] != nil { try hear(pid, command, report) }
        }
    }

    private mutating func hear(_ pid: Int32, _ command: Running, _ report: SharedDescriptor) throws(SystemError) {
        let failure = try withExtendedLifetime(report) { () throws(SystemError) in
            try System.startFailure(report.borrowed)
        }
        if let failure {
            running[pid] = nil
            try System.send(Confinement.control, ControlMessage(notExecuted: command.index, failure).bytes)
            return
        }
        running[pid]?.report = nil
        running[pid]?.master = nil
        // Nobody waits for it otherwise.
        guard let master = command.master else { return }
        do throws(SystemError) { try Self.tellStarted(command.index, pid, master) } catch {
            // Whoever asked will never see its terminal.
            running[pid] = nil
            try? System.kill(pid, 9)
            try System.send(Confinement.control, ControlMessage(notExecuted: command.index, error).bytes)
        }
    }

    private static func client(_ order: ControlMessage, _ descriptors: [SharedDescriptor]) -> SharedDescriptor? {
        order.detail & 2 == 0 ? descriptors.last : nil
    }

    /// - Throws: only what ends the jail.
    static func tellStarted(_ index: UInt16, _ pid: Int32, _ master: SharedDescriptor?) throws(SystemError) {
        try withExtendedLifetime(master) { () throws(SystemError) in
            try System.send(
                Confinement.control, ControlMessage(.executed, index: index, value: pid).bytes,
                descriptors: master.map { [$0.borrowed] } ?? [])
        }
    }

    /// What an order asks for, with what must stay open until it has begun.
    private struct Prepared {
        let program: System.Program
        let surroundings: System.Surroundings
        let master: SharedDescriptor?
        let open: [SharedDescriptor]
    }

    private func prepare(
        _ order: ControlMessage, _ descriptors: [SharedDescriptor]
    ) throws(SystemError) -> Prepared {
        let hasGroup = order.detail & 1 != 0
        let hasTerminal = order.detail & 2 != 0
        guard descriptors.count == 1 + (hasGroup ? 1 : 0) + (hasTerminal ? 0 : 4) else {
            throw SystemError(.check, .invalid)
        }
        let content = try System.readContent(descriptors[0].borrowed, limit: ExecRequest.sizeLimit)
        guard let request = ExecRequest(bytes: content) else { throw SystemError(.check, .invalid) }
        let directory = SharedDescriptor(try open(request.directory))
        var surroundings = System.Surroundings(directory: .open(directory.borrowed))
        surroundings.openFiles = openFiles
        if hasGroup { surroundings.cgroup = descriptors[1].borrowed }
        var held = descriptors + [directory]
        var master: SharedDescriptor?
        if hasTerminal {
            let pair = try System.openTerminal().release()
            master = SharedDescriptor(OwnedDescriptor(pair.master))
            let slave = SharedDescriptor(OwnedDescriptor(pair.slave))
            held.append(slave)
            surroundings.terminal = slave.borrowed
            if let size = request.terminal, size.rows > 0 { try System.setTerminalSize(slave.borrowed, size) }
        } else {
            let streams = try descriptors.suffix(4).dropLast().map(named)
            held += streams
            surroundings.streams = streams.map(\.borrowed)
        }
        let program = System.Program(
            path: try Self.find(request), arguments: request.arguments, environment: request.environment)
        return Prepared(program: program, surroundings: surroundings, master: master, open: held)
    }

    /// A stream as the command gets it. To AppArmor the host's /dev/null has no name in here: the jail's own has.
    private func named(_ stream: SharedDescriptor) throws(SystemError) -> SharedDescriptor {
        let status = try withExtendedLifetime(stream) { () throws(SystemError) in try System.status(of: stream.borrowed)
        }
        guard isConfined, status.kind == .characterDevice else { return stream }
        return SharedDescriptor(try System.open("/dev/null", .readWrite))
    }

    private func start(
        _ order: ControlMessage, _ descriptors: [SharedDescriptor]
    ) throws(SystemError) -> (pid: Int32, command: Running) {
        let prepared = try prepare(order, descriptors)
        let ends = try System.pipe().release()
        let report = SharedDescriptor(OwnedDescriptor(ends.readEnd))
        let writing = SharedDescriptor(OwnedDescriptor(ends.writeEnd))
        try System.setNonBlocking(report.borrowed)
        let pid = try withExtendedLifetime((prepared.open, writing)) { () throws(SystemError) in
            try System.start(prepared.program, prepared.surroundings, report: writing.borrowed)
        }
        let client = Self.client(order, descriptors)
        return (pid, Running(index: order.index, client: client, report: report, master: prepared.master))
    }

    private func startReaper(_ order: ControlMessage, _ descriptors: [SharedDescriptor]) throws(SystemError) -> Int32 {
        let prepared = try prepare(order, descriptors)
        return try withExtendedLifetime(prepared.open) { () throws(SystemError) in
            try ExecReaper.start(
                prepared.program, prepared.surroundings,
                Running(index: order.index, client: Self.client(order, descriptors)), master: prepared.master)
        }
    }

    /// Opens the working directory: a symlink in a mount may lead about in that mount, and not out of it. Whether it did
    /// is asked of what was opened, and that is what the command gets, whatever happens to the names meanwhile. (The
    /// jail's own filter refuses openat2(2), which could be told beforehand.)
    private func open(_ directory: [UInt8]?) throws(SystemError) -> OwnedDescriptor {
        guard let directory else { return try System.open(workingDirectory, [.pathOnly, .directory]) }
        let path = String(decoding: directory, as: UTF8.self)
        guard Array(path.utf8) == directory else { throw SystemError(.openat2, .notFound) }
        let opened = try System.open(path, [.pathOnly, .directory])
        let place = try System.readLink("/proc/self/fd/\(opened.borrowed.number)")
        let mount = mounts.filter { $0 == path || path.isBelow($0) }.max { $0.utf8.count < $1.utf8.count }
        if let mount, place != mount, !place.isBelow(mount) { throw SystemError(.openat2, .crossDevice) }
        return opened
    }

    /// As a shell finds it: in the directories of PATH, unless its name has a slash.
    private static func find(_ request: ExecRequest) throws(SystemError) -> [UInt8] {
        if let program = request.program { return program }
        let name = request.arguments[0]
        guard !name.contains(UInt8(ascii: "/")) else { return name }
        let prefix = Array("PATH=".utf8)
        let search = request.environment.last { $0.starts(with: prefix) }?.dropFirst(prefix.count) ?? []
        var refused = false
        for directory in search.split(separator: UInt8(ascii: ":")) where directory.first == UInt8(ascii: "/") {
            let path = String(decoding: directory + [UInt8(ascii: "/")] + name, as: UTF8.self)
            guard let status = try? System.status(path, followSymlink: true), status.kind == .regular else { continue }
            if System.mayAccess(path, 1) { return directory + [UInt8(ascii: "/")] + name }
            refused = true
        }
        throw SystemError(.execve, refused ? .accessDenied : .notFound)
    }

    /// A child has ended; false if it is none of these.
    mutating func ended(_ pid: Int32, _ how: Termination) throws(SystemError) -> Bool {
        if let index = reapers.removeValue(forKey: pid) {
            if how != .exited(0) { hasStrays = mayKillStrays }
            let message = ControlMessage(.execGone, index: index, value: how == .exited(0) ? 0 : 1)
            try System.send(Confinement.control, message.bytes)
            return true
        }
        guard let command = running[pid] else { return false }
        // What it said before it ended comes first.
        if let report = command.report, try isReadable(report) { try hear(pid, command, report) }
        guard let command = running.removeValue(forKey: pid) else { return true }
        try Self.tellEnded(command, how)
        return true
    }

    private func isReadable(_ report: SharedDescriptor) throws(SystemError) -> Bool {
        try withExtendedLifetime(report) { () throws(SystemError) in
            try System.pollNow(report.borrowed, System.PollEvents.readable) != 0
        }
    }

    /// Ends what a reaper has left that was killed. After each round of reaping, since what its children leave comes next.
    mutating func killStrays() throws(SystemError) {
        guard hasStrays else { return }
        let strays = try ExecReaper.children(of: 1).filter { reapers[$0] == nil }
        for pid in strays {
            do throws(SystemError) { try System.kill(pid, 9) } catch {
                guard error.errno == .noProcess else { throw error }
            }
        }
        hasStrays = !strays.isEmpty
    }

    static func tellEnded(_ command: Running, _ how: Termination) throws(SystemError) {
        let message =
            switch how {
            case .exited(let status): ControlMessage(.execExited, index: command.index, value: status)
            case .signalled(let signal): ControlMessage(.execSignalled, index: command.index, value: signal)
            }
        try System.send(Confinement.control, message.bytes)
        // After the supervisor: it must not take a client that leaves, because it has heard enough, for one that is gone.
        // One that is gone, or does not read, is the supervisor's to deal with.
        if let client = command.client {
            try? withExtendedLifetime(client) { () throws(SystemError) in
                try System.send(client.borrowed, ControlReply.ended(how.status).bytes)
            }
        }
    }

    func signal(_ order: ControlMessage) throws(SystemError) {
        if let pid = running.first(where: { $0.value.index == order.index })?.key {
            try Init.pass(Int32(order.detail), to: pid)
        } else if order.value > 1, reapers.values.contains(order.index) {
            // As its reaper has told.
            try Init.pass(Int32(order.detail), to: order.value)
        }
    }

    /// One signal for each process that is there now, and an answer with their number.
    func signalGroup(_ order: ControlMessage, _ descriptors: [SharedDescriptor]) throws(SystemError) {
        var processes: [Int32]
        if let file = descriptors.first {
            processes = try withExtendedLifetime(file) { () throws(SystemError) in
                do throws(SystemError) { return try CgroupLeaf.processes(file.borrowed) } catch {
                    // The group has been removed meanwhile.
                    guard error.errno == .noDevice else { throw error }
                    return []
                }
            }
            // It may have been stopped before it could enter.
            if let pid = running.first(where: { $0.value.index == order.index })?.key, !processes.contains(pid) {
                processes.append(pid)
            }
        } else if let reaper = reapers.first(where: { $0.value == order.index })?.key {
            processes = try ExecReaper.descendants(of: reaper)
            // Nothing is left to watch over. Unless it was stopped from inside it is ending by itself.
            if processes.isEmpty, order.value == 9 { processes = [reaper] }
        } else {
            processes = []
        }
        for pid in processes {
            do throws(SystemError) { try System.kill(pid, order.value) } catch {
                // Gone meanwhile.
                guard error.errno == .noProcess else { throw error }
            }
        }
        try System.send(
            Confinement.control,
            ControlMessage(.groupSignalled, index: order.index, value: Int32(clamping: processes.count)).bytes)
    }
}
