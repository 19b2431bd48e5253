internal import CLinux
internal import Glibc

/// Namespaces, as clone(2) numbers them.
package struct NamespaceFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Not generic, as the one of the standard library is: that one costs every launch 0.1 ms of type metadata.
    package init(arrayLiteral elements: NamespaceFlags...) {
        var bits: UInt64 = 0
        for element in elements { bits |= element.rawValue }
        self.init(rawValue: bits)
    }

    package static let time = NamespaceFlags(rawValue: 0x80)
    package static let mount = NamespaceFlags(rawValue: 0x20000)
    package static let cgroup = NamespaceFlags(rawValue: 0x0200_0000)
    package static let uts = NamespaceFlags(rawValue: 0x0400_0000)
    package static let ipc = NamespaceFlags(rawValue: 0x0800_0000)
    package static let user = NamespaceFlags(rawValue: 0x1000_0000)
    package static let pid = NamespaceFlags(rawValue: 0x2000_0000)
    package static let network = NamespaceFlags(rawValue: 0x4000_0000)
}

/// How a process ended.
package enum Termination: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// 0–255, or 128+N.
    package var status: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }
}

/// What clone(2) returned: in the child pid 0 and no descriptor.
package struct Cloned: ~Copyable {
    package let pid: Int32
    package var pidfd: OwnedDescriptor

    /// Keeps the descriptor.
    package consuming func takeDescriptor() -> OwnedDescriptor { pidfd }
}

extension System {
    /// clone3(2) with CLONE_PIDFD and CLONE_CLEAR_SIGHAND, and with CLONE_INTO_CGROUP if a cgroup is given. Returns on both sides, like fork.
    package static func clone(_ namespaces: NamespaceFlags, into cgroup: Descriptor?) throws(SystemError) -> Cloned {
        var pidfd: Int32 = -1
        let pid = try check(.clone3, unsafe cl_clone3(namespaces.rawValue, cgroup?.number ?? -1, &pidfd))
        return Cloned(pid: pid, pidfd: OwnedDescriptor(pid == 0 ? -1 : pidfd))
    }

    /// fork(2); 0 in the child.
    package static func fork() throws(SystemError) -> Int32 { try check(.fork, cl_fork()) }

    package static func unshare(_ namespaces: NamespaceFlags) throws(SystemError) {
        try check(.unshare, cl_unshare(Int32(truncatingIfNeeded: namespaces.rawValue)))
    }

    package static func enter(_ namespace: Descriptor, _ kind: NamespaceFlags) throws(SystemError) {
        try check(.setns, cl_setns(namespace.number, Int32(truncatingIfNeeded: kind.rawValue)))
    }

    package static func openProcess(_ pid: Int32) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(try check(.pidfdOpen, cl_pidfd_open(pid)))
    }

    package static func send(signal: Int32, to pidfd: Descriptor) throws(SystemError) {
        try check(.pidfdSendSignal, cl_pidfd_send_signal(pidfd.number, signal))
    }

    package static func kill(_ pid: Int32, _ signal: Int32) throws(SystemError) {
        try check(.kill, cl_kill(pid, signal))
    }

    /// Reaps one child that has ended; nil if none has, or (`any: true`) if there is no child at all.
    package static func reap() throws(SystemError) -> (pid: Int32, how: Termination)? {
        try wait(idType: Int32(P_ALL.rawValue), id: 0, options: WNOHANG)
    }

    /// Waits for any child, and reaps it; nil: there is none.
    package static func waitForAny() throws(SystemError) -> (pid: Int32, how: Termination)? {
        try wait(idType: Int32(P_ALL.rawValue), id: 0, options: 0)
    }

    /// Waits for, and reaps, the child behind a pidfd.
    package static func wait(for pidfd: Descriptor) throws(SystemError) -> Termination {
        while true {
            if let ended = try wait(idType: 3 /* P_PIDFD */, id: pidfd.number, options: 0) { return ended.how }
        }
    }

    /// Waits for, and reaps, a child.
    package static func wait(forChild pid: Int32) throws(SystemError) -> Termination {
        while true {
            if let ended = try wait(idType: Int32(P_PID.rawValue), id: pid, options: 0) { return ended.how }
        }
    }

    /// Reaps the child behind a pidfd if it has ended.
    package static func reapIfEnded(_ pidfd: Descriptor) throws(SystemError) -> Termination? {
        try wait(idType: 3 /* P_PIDFD */, id: pidfd.number, options: WNOHANG)?.how
    }

    private static func wait(
        idType: Int32, id: Int32, options: Int32
    ) throws(SystemError) -> (pid: Int32, how: Termination)? {
        var code: Int32 = 0
        var status: Int32 = 0
        let result = unsafe cl_waitid(idType, id, &code, &status, options | WEXITED)
        // For a certain child it is an error: somebody else has reaped it, and it will never be seen to end.
        if result == -ECHILD, idType == Int32(P_ALL.rawValue) { return nil }
        let pid = try check(.waitid, result)
        guard pid != 0 else { return nil }
        return (pid, code == 1 /* CLD_EXITED */ ? .exited(status) : .signalled(status))
    }

    /// Replaces this process. `path` is resolved as it stands; `arguments` and `environment` are passed as they are.
    package static func execute(_ path: String, arguments: [String], environment: [String]) throws(SystemError) -> Never
    {
        var result: Int32 = 0
        unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(environment) { envp in unsafe result = cl_execve(path, argv, envp) }
        }
        throw SystemError(.execve, Errno(-result))
    }

    /// Replaces this process by the program behind a descriptor that closes on exec, which a script's interpreter could not open.
    package static func execute(
        _ program: Descriptor, arguments: [String], environment: [String]
    ) throws(SystemError) -> Never {
        var result: Int32 = 0
        unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(environment) { envp in
                unsafe result = cl_execveat(program.number, argv, envp)
            }
        }
        throw SystemError(.execve, Errno(-result))
    }

    /// What ``spawn(_:_:)`` does in the child between vfork(2) and execve(2), besides a session of its own and an empty
    /// signal mask.
    package struct Surroundings: Sendable {
        package enum Directory: Sendable {
            case path(String)
            case open(Descriptor)
        }
        package var directory: Directory
        /// Becomes its standard descriptors and its controlling terminal.
        package var terminal: Descriptor?
        /// Become its standard descriptors where there is no terminal: three, numbered above 2; or none, and it has this
        /// process's.
        package var streams: [Descriptor] = []
        /// The `tasks` (v1) or `cgroup.procs` (v2) of the control group that it enters; nil: it stays in this one's.
        package var cgroup: Descriptor?
        /// RLIMIT_NOFILE, soft and hard; nil: this process's.
        package var openFiles: UInt64?
        /// Of Landlock: enforced on it, and on nothing else of this process.
        package var ruleset: Descriptor?
        /// It has no descriptor but its standard ones, whatever is not close-on-exec, and is killed when this process ends.
        package var isApart = false

        package init(directory: Directory, terminal: Descriptor? = nil) {
            self.directory = directory
            self.terminal = terminal
        }
    }

    /// A program as execve(2) takes it: none of the texts holds a NUL byte.
    package struct Program: Sendable {
        package var path: [UInt8]
        package var arguments: [[UInt8]]
        package var environment: [[UInt8]]

        package init(path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]]) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
        }

        package init(path: String, arguments: [String], environment: [String]) {
            self.init(
                path: Array(path.utf8), arguments: arguments.map { Array($0.utf8) },
                environment: environment.map { Array($0.utf8) })
        }
    }

    /// Starts a program, and returns its pid once execve(2) has succeeded; what failed otherwise carries the name of the
    /// step.
    ///
    /// By vfork(2): nothing is copied, and this process waits until the program has its own memory.
    package static func spawn(_ program: Program, _ surroundings: Surroundings) throws(SystemError) -> Int32 {
        var result: Int32 = 0
        var failed: Int32 = 0
        unsafe withProgram(program, surroundings) { unsafe result = cl_spawn($0, &failed) }
        guard result < 0 else { return result }
        throw SystemError(spawnStep(failed), Errno(-result))
    }

    /// Starts a program, and does not wait until execve(2) has succeeded: whoever may signal the child could stop it before,
    /// and this process with it.
    ///
    /// - Parameter report: the writing end of a pipe, close-on-exec, whose other end is read with ``startFailure(_:)``.
    package static func start(
        _ program: Program, _ surroundings: Surroundings, report: Descriptor
    ) throws(SystemError) -> Int32 {
        var result: Int32 = 0
        unsafe withProgram(program, surroundings) { unsafe result = cl_start($0, report.number) }
        return try check(.fork, result)
    }

    /// What the child of ``start(_:_:report:)`` has said, once its pipe is readable; nil: it executes the program, or was
    /// ended before it could.
    package static func startFailure(_ report: Descriptor) throws(SystemError) -> SystemError? {
        let said = try read(report, most: 8)
        guard said.count == 8 else { return nil }
        return SystemError(spawnStep(Int32(said[0])), Errno(Int32(said[4]) | Int32(said[5]) << 8))
    }

    private static func withProgram(
        _ program: Program, _ surroundings: Surroundings, _ body: (UnsafePointer<cl_program>) -> Void
    ) {
        let streams = surroundings.streams.map(\.number)
        var place: Int32 = -1
        var directory = ""
        switch surroundings.directory {
        case .path(let path): directory = path
        case .open(let descriptor): place = descriptor.number
        }
        unsafe withCStrings(program.arguments) { argv in
            unsafe withCStrings(program.environment) { envp in
                unsafe withCStrings([program.path, Array(directory.utf8)]) { paths in
                    var request = unsafe cl_program(
                        path: paths[0], argv: argv, envp: envp, directory: paths[1], place: place,
                        terminal: surroundings.terminal?.number ?? -1,
                        streams: streams.count == 3 ? (streams[0], streams[1], streams[2]) : (-1, -1, -1),
                        open_files: surroundings.openFiles ?? 0, cgroup: surroundings.cgroup?.number ?? -1,
                        ruleset: surroundings.ruleset?.number ?? -1,
                        apart: surroundings.isApart ? 1 : 0)
                    unsafe body(&request)
                }
            }
        }
    }

    /// The same for texts.
    package static func spawn(
        _ path: String, arguments: [String], environment: [String], directory: String, terminal: Descriptor?
    ) throws(SystemError) -> Int32 {
        try spawn(
            Program(path: path, arguments: arguments, environment: environment),
            Surroundings(directory: .path(directory), terminal: terminal))
    }

    /// Starts the program behind an open descriptor in a session of its own, with `channel` as descriptor 3. Its other
    /// descriptors are 0, 1, 2 and what is not close-on-exec. The root may be empty.
    package static func spawn(
        _ program: Descriptor, arguments: [String], environment: [String], channel: Descriptor
    ) throws(SystemError) -> Int32 {
        var result: Int32 = 0
        var failed: Int32 = 0
        unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(environment) { envp in
                unsafe result = cl_spawn_descriptor(program.number, argv, envp, channel.number, &failed)
            }
        }
        guard result < 0 else { return result }
        throw SystemError(spawnStep(failed), Errno(-result))
    }

    private static func spawnStep(_ step: Int32) -> KernelCall {
        switch step {
        case 1: .setsid
        case 2: .dup3
        case 3: .ioctl
        case 4: .sigprocmask
        case 5: .chdir
        case 6: .execve
        case 7: .write
        case 8: .setrlimit
        case 9: .closeRange
        case 10: .prctl
        case 11: .landlockRestrictSelf
        default: .fork
        }
    }

    private static func withCStrings(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Void
    ) {
        unsafe withCStrings(strings.map { Array($0.utf8) }, body)
    }

    /// The strings as execve(2) takes them: pointers into one block of memory, and a null at the end.
    private static func withCStrings(
        _ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Void
    ) {
        var bytes: [CChar] = []
        var starts: [Int] = []
        for string in strings {
            starts.append(bytes.count)
            for byte in string { bytes.append(CChar(bitPattern: byte)) }
            bytes.append(0)
        }
        unsafe bytes.withUnsafeMutableBufferPointer { block in
            var pointers = unsafe starts.map { start in unsafe block.baseAddress.map { unsafe $0 + start } } + [nil]
            unsafe pointers.withUnsafeMutableBufferPointer {
                unsafe $0.baseAddress.map { unsafe body(UnsafePointer($0)) }
            }
        }
    }

    /// This process's arguments as bytes; `CommandLine.arguments` repairs what is no UTF-8.
    package static var arguments: [[UInt8]] {
        (0..<Int(CommandLine.argc)).map { (index) -> [UInt8] in
            guard let text = unsafe CommandLine.unsafeArgv[index] else { return [] }
            return unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
        }
    }

    package static func newSession() throws(SystemError) { try check(.setsid, cl_setsid()) }

    package static var processID: Int32 { getpid() }

    /// Who has logged in, whatever it became since, see pam_loginuid(8); nil: nobody, or the kernel does not keep it.
    package static var loginUserID: UInt32? {
        guard let text = try? readFile("/proc/self/loginuid", limit: 64),
            let uid = UInt32(String(decoding: text, as: UTF8.self).filter { $0.isNumber })
        else { return nil }
        return uid == .max ? nil : uid
    }
    package static var parentProcessID: Int32 { cl_getppid() }

    /// Leaves at once: no exit handlers, no buffers flushed. The only way out of a cloned child.
    package static func exitNow(_ status: Int32) -> Never { cl_exit(status) }

    /// How many threads this process has, counted in /proc.
    package static func threadCount() -> Int32 { cl_thread_count() }

    // MARK: Signals

    package static func block(_ signals: [Int32]) throws(SystemError) {
        try check(.sigprocmask, unsafe cl_sigmask_block(signals, Int32(signals.count)))
    }

    /// Nothing blocked, everything at its default, as a fresh process expects.
    package static func resetSignals() throws(SystemError) {
        try check(.sigaction, cl_signals_default())
        try check(.sigprocmask, cl_sigmask_clear())
    }

    /// Whether this process ignores a signal, as one that nohup(1) started does SIGHUP.
    package static func isIgnored(_ signal: Int32) -> Bool { cl_signal_is_ignored(signal) == 1 }

    package static func ignore(_ signal: Int32) throws(SystemError) {
        try check(.sigaction, cl_signal_ignore(signal))
    }

    package static func signalDescriptor(_ signals: [Int32]) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(try check(.signalfd, unsafe cl_signalfd(signals, Int32(signals.count))))
    }

    /// The next pending signal, or nil.
    package static func nextSignal(_ descriptor: Descriptor) throws(SystemError) -> Int32? {
        let result = cl_signalfd_read(descriptor.number)
        if result == -EAGAIN { return nil }
        return try check(.read, result)
    }

    // MARK: Waiting

    package struct PollEntry: Sendable {
        package let descriptor: Descriptor
        package let events: Int16
        package internal(set) var returned: Int16 = 0

        package init(_ descriptor: Descriptor, _ events: Int16) {
            self.descriptor = descriptor
            self.events = events
        }
    }

    /// What poll(2) found, by descriptor. Searched from the front: a dictionary costs a short-lived process more.
    package struct PollResult: Sendable {
        private let ready: [PollEntry]

        package init(_ entries: [PollEntry]) { ready = entries.filter { $0.returned != 0 } }

        package var isEmpty: Bool { ready.isEmpty }

        /// The events of a descriptor, of all its entries together; nil: none.
        package subscript(_ descriptor: Descriptor) -> Int16? {
            var events: Int16 = 0
            for entry in ready where entry.descriptor == descriptor { events |= entry.returned }
            return events == 0 ? nil : events
        }
    }

    /// poll(2) events.
    package enum PollEvents {
        package static let readable: Int16 = 0x1
        package static let priority: Int16 = 0x2
        package static let writable: Int16 = 0x4
        package static let error: Int16 = 0x8
        package static let hangUp: Int16 = 0x10
        package static let invalid: Int16 = 0x20
    }

    /// What poll(2) says of one descriptor now, without waiting: errors and hang-ups, and `events`.
    package static func pollNow(_ descriptor: Descriptor, _ events: Int16 = 0) throws(SystemError) -> Int16 {
        var entry = cl_poll_entry(fd: descriptor.number, events: events, revents: 0)
        try check(.poll, unsafe cl_poll(&entry, 1, 0))
        return entry.revents
    }

    /// Does nothing for a moment; a signal that is handled shortens it.
    package static func pause(milliseconds: Int32) throws(SystemError) {
        var nothing: [PollEntry] = []
        try poll(&nothing, milliseconds: milliseconds)
    }

    /// Waits until something happens or `milliseconds` (-1: for ever) have passed. An interrupting signal returns nothing.
    package static func poll(_ entries: inout [PollEntry], milliseconds: Int32) throws(SystemError) {
        var raw = entries.map { cl_poll_entry(fd: $0.descriptor.number, events: $0.events, revents: 0) }
        let result = unsafe raw.withUnsafeMutableBufferPointer {
            unsafe cl_poll($0.baseAddress, UInt32($0.count), milliseconds)
        }
        if result != -EINTR { try check(.poll, result) }
        for index in entries.indices { entries[index].returned = raw[index].revents }
    }
}
