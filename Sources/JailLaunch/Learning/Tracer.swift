internal import Glibc
internal import JailCore
internal import JailLearning
internal import JailPlan
internal import JailPolicy
internal import JailPrivileges
internal import JailSeccomp

/// Watches what the programs of one jail ask the kernel for, and what it answers. A process of its own, forked by the
/// supervisor while there are still the rights to trace the jail's init; what init starts is traced with it.
///
/// It grants nothing and changes nothing: its filter leaves it no request of ptrace(2) that could. If it ends before the jail,
/// however it ends, the kernel kills everything that it traces, init among it.
struct Tracer {
    private let rules: TraceRules
    private let jailInit: Int32
    /// The kernel's names, by number.
    private let names: [String?]
    private let uses: [Use]
    /// Of the file that this process executes, and init before its first command.
    private let own: String
    private var threads: [Int32: TracedThread] = [:]
    private var tally = ObservationTally()
    /// The jail's command; nil: not yet.
    private var command: Int32?
    private var hasCommandEnded = false

    /// What a call that succeeds says.
    private enum Use { case nothing, opens, binds, connects, answersConnect, watched }

    private static let supervisor = Descriptor(3)
    private static let output = Descriptor(4)

    /// The forked child's whole life.
    ///
    /// - Parameters:
    ///   - channel: gets one byte when everything is traced, or the text of what failed.
    ///   - output: an empty file for what was seen.
    static func run(
        _ jailInit: Int32, _ rules: TraceRules, _ identity: IdentityPlan, channel: Int32, output: Int32
    ) -> Never {
        var supervisor = Descriptor(channel)
        do throws(SystemError) {
            try leaveSupervisor(&supervisor, output: output)
            try System.seize(jailInit)
            let tracer = try Tracer(jailInit, rules)
            try confine(identity)
            try System.writeAll(supervisor, "\u{1}")
            System.close(supervisor.number)
            try tracer.follow()
        } catch {
            // Nobody to tell if this fails; the supervisor then sees the end.
            try? System.writeAll(supervisor, "\u{0}\(error.call.name): \(error.errno)")
            System.exitNow(ExitStatus.launchFailed)
        }
    }

    /// Nothing of the supervisor's is left but the socket and the file: no terminal, no session, no lock.
    private static func leaveSupervisor(_ supervisor: inout Descriptor, output: Int32) throws(SystemError) {
        try System.dieWithParent()
        try System.newSession()
        let null = try System.open("/dev/null", .readWrite)
        // Above all the numbers that they will have.
        let moved = try [supervisor, Descriptor(output), null.borrowed].map { (descriptor) throws(SystemError) in
            try System.duplicate(descriptor, atLeast: 16).release()
        }
        _ = null.release()
        for number: Int32 in 0...2 { try System.duplicate(Descriptor(moved[2]), to: number, closeOnExec: false) }
        try System.duplicate(Descriptor(moved[0]), to: Self.supervisor.number, closeOnExec: true)
        try System.duplicate(Descriptor(moved[1]), to: Self.output.number, closeOnExec: true)
        supervisor = Self.supervisor
        try System.closeRange(UInt32(Self.output.number) + 1, .max)
        // It may have died before that was asked for.
        if try System.pollNow(supervisor) != 0 { System.exitNow(ExitStatus.launchFailed) }
        try System.setProcessName("jail-tracer")
    }

    /// After init is traced, which takes a right of root's where root has started it. No Landlock: it would forbid to look at
    /// processes outside of it.
    private static func confine(_ identity: IdentityPlan) throws(SystemError) {
        try System.setDumpable(false)
        if identity.startedByRoot {
            try System.setSupplementaryGroups([])
            // Names are looked up as the payload's user: what that one may not see on the host is not there.
            try System.setFileSystemIDs(uid: identity.host.uid, gid: identity.host.gid)
            try Privileges.keepOnly([])
        }
        // Once more: a change of ids clears it. And the supervisor may have died before.
        try System.dieWithParent()
        if try System.pollNow(supervisor) != 0 { System.exitNow(ExitStatus.launchFailed) }
        try Privileges.forbidNewPrivileges()
        try TracerFilter.apply()
    }

    private init(_ jailInit: Int32, _ rules: TraceRules) throws(SystemError) {
        self.jailInit = jailInit
        self.rules = rules
        own = try System.readLink("/proc/self/exe")
        let names = SystemCallNames.table()
        self.names = names
        uses = names.map { name in
            switch name {
            case "open"?, "openat"?, "creat"?: .opens
            case "bind"?: .binds
            case "connect"?: .connects
            case "getsockopt"?: .answersConnect
            case let name?: rules.use(ofCall: name) == nil ? .nothing : .watched
            case nil: .nothing
            }
        }
    }

    // MARK: Following

    private consuming func follow() throws(SystemError) -> Never {
        var tracer = self
        while let (thread, stop) = try System.nextTraceStop() { try tracer.take(thread, stop) }
        try tracer.write()
        System.exitNow(0)
    }

    private mutating func take(_ id: Int32, _ stop: System.TraceStop) throws(SystemError) {
        guard id != jailInit else { return try takeInit(stop) }
        switch stop {
        case .call:
            takeCall(known(id))
            try System.resume(id, .call)
        case .started(let isThread):
            if isThread, let child = System.traceMessage(id) { known(Int32(truncatingIfNeeded: child)).isThread = true }
            try System.resume(id, .call)
        case .executed:
            executed(id)
            try System.resume(id, .call)
        case .begun:
            _ = known(id)
            try System.resume(id, .call)
        case .stopped: try System.resume(id, .listen)
        case .signal(let signal): try System.resume(id, .call, signal: signal)
        case .ended(let how): ended(id, how)
        }
    }

    /// Of init nothing is watched but what it starts.
    private mutating func takeInit(_ stop: System.TraceStop) throws(SystemError) {
        switch stop {
        case .started:
            if command == nil { command = System.traceMessage(jailInit).map { Int32(truncatingIfNeeded: $0) } }
            try System.resume(jailInit, .go)
        case .signal(let signal): try System.resume(jailInit, .go, signal: signal)
        case .stopped: try System.resume(jailInit, .listen)
        case .call, .executed, .begun: try System.resume(jailInit, .go)
        case .ended: break
        }
    }

    private mutating func known(_ id: Int32) -> TracedThread {
        if let thread = threads[id] { return thread }
        let thread = TracedThread(id, program: TracedThread.program(of: id, besides: own))
        threads[id] = thread
        return thread
    }

    private mutating func executed(_ id: Int32) {
        // Whichever thread it was that executed it: it has the number of the process now, and the others are gone.
        let former = System.traceMessage(id).flatMap { threads[Int32(truncatingIfNeeded: $0)] }
        let parent = former?.program
        if let former, former.id != id { threads[former.id] = nil }
        let thread = TracedThread(id, program: TracedThread.program(of: id, besides: own))
        threads[id] = thread
        guard let program = thread.program, program.hasPrefix("/") else { return }
        add(.program(program), .used, parent)
        if let (subject, outcome) = rules.use(of: program, .execute) { add(subject, outcome, parent) }
    }

    private mutating func ended(_ id: Int32, _ how: Termination) {
        let thread = threads.removeValue(forKey: id)
        // Whether it was the memory limit the supervisor knows. What is left when the command has ended is killed with init.
        if how == .signalled(SIGKILL), let thread, !thread.isThread, thread.program != nil, !hasCommandEnded {
            tally.add(
                Observation(.limit(name: "memory", value: ""), .denied, .predicted, program: thread.program))
        }
        if id == command { hasCommandEnded = true }
    }

    // MARK: Calls

    private mutating func takeCall(_ thread: TracedThread) {
        switch System.callStop(thread.id) {
        case .enters(let call): thread.call = call
        case .leaves(let result, let failed):
            defer { thread.call = nil }
            // Without a beginning: a new process or program.
            guard let call = thread.call, call.isNative, thread.program != nil, call.number < UInt64(names.count),
                let name = names[Int(call.number)]
            else { return }
            if failed {
                judge(FailedCall(name, call.arguments, errno: Int32(clamping: -result)), thread)
            } else {
                use(call, name, result, thread)
            }
        case nil: thread.call = nil
        }
    }

    private mutating func judge(_ call: FailedCall, _ thread: TracedThread) {
        // EINPROGRESS: what comes of it is asked for later.
        if call.errno == 115, call.name == "connect" {
            connected(call.arguments, thread)
            return thread.begin(connecting: call)
        }
        guard let error = CallJudge.name(ofError: call.errno) else { return }
        // What the profile or learning lets pass beyond the list, whatever came of it.
        if error != "ENOSYS", let outcome = rules.use(ofCall: call.name) {
            return add(.systemCall(call.name), outcome, thread.program)
        }
        guard let subject = rules.judge.subject(call, thread) else { return }
        if case .program(let name) = subject, let path = rules.judge.path(call, thread),
            !thread.search.begins(name, at: path)
        {
            return
        }
        add(subject, .denied, thread.program, error)
    }

    private mutating func use(_ call: System.TracedCall, _ name: String, _ result: Int64, _ thread: TracedThread) {
        switch uses[Int(call.number)] {
        case .nothing: break
        case .watched:
            if let outcome = rules.use(ofCall: name) { add(.systemCall(name), outcome, thread.program) }
        case .opens:
            guard let path = thread.path(ofDescriptor: Int32(clamping: result)),
                let (subject, outcome) = rules.use(of: path, CallJudge.access(name, call.arguments))
            else { return }
            add(subject, outcome, thread.program)
        case .connects: connected(call.arguments, thread)
        case .answersConnect:
            if let failed = thread.connectFailure(call.arguments) { judge(failed, thread) }
        case .binds:
            let arguments = call.arguments
            guard
                case .internet(_, let port, _)? = SocketAddress(
                    thread.bytes(arguments[1], SocketAddress.mostInternetBytes)), port != 0
            else {
                return
            }
            add(.bind(port: port), .used, thread.program)
        }
    }

    /// Whose a connection is that ends at the way out, see ``Callers``.
    private mutating func connected(_ arguments: [UInt64], _ thread: TracedThread) {
        guard let program = thread.program,
            case .internet(_, let port, _)? = SocketAddress(thread.bytes(arguments[1], SocketAddress.mostInternetBytes))
        else { return }
        tally.add(Callers.observation(port: port, program: program))
    }

    private mutating func add(
        _ subject: Observation.Subject, _ outcome: Observation.Outcome, _ program: String?, _ error: String? = nil
    ) {
        tally.add(Observation(subject, outcome, errno: error, program: program))
    }

    /// As a record that nobody reads but the supervisor: what counts in it is what lies between the first line and the last.
    private func write() throws(SystemError) {
        let record = LearnedRun(
            start: .init(name: "", profile: "", profileFiles: [], plan: "", command: [], started: ""),
            observations: tally.observations, end: .init(ended: "", status: 0, leftOut: tally.leftOut))
        try System.writeAll(Self.output, ObservationFile.text(record))
    }
}
