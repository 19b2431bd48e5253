internal import Glibc
internal import JailCore
internal import JailPlan

/// Makes the sessions of a jail. A process of its own, forked while there are still the rights to clone jails and to
/// write id maps; the supervisor, which hears what the jail asks for, has given them up by then.
///
/// It reads nothing that the jail has written: only orders of the supervisor's, each part of which it checks again. It
/// ends with the supervisor, and with it, by their lifeline, all sessions.
struct SessionMaker {
    private struct Child {
        let number: UInt32
        let id: String
        let pid: Int32
        let pidfd: Int32
        /// Where it says how its start went, and then what people should know. -1 once that has ended.
        var report: Int32
        var heard: [UInt8] = []
        var isAnswered = false
        /// Monotonic nanoseconds at which the answer is due.
        let until: Int64
    }

    private let gateway: LaunchPlan
    private let sessions: SessionsPlan
    private let starter: any SessionStarter
    private let sources: SessionSources
    /// Numbers that nobody closes by himself: a child goes on with a copy of them. Nobody writes to it.
    private let lifeline: (reading: Int32, writing: Int32)
    private var children: [Child] = []

    private static let control = Descriptor(3)
    /// Nanoseconds that a session has to say how its start went.
    private static let patience: Int64 = 60_000_000_000
    /// Nanoseconds that sessions have to end when their gateway does.
    private static let endPatience: Int64 = 10_000_000_000
    private static let longestReport = 4096

    /// The forked child's whole life.
    static func run(
        _ gateway: LaunchPlan, _ sessions: SessionsPlan, _ starter: any SessionStarter, control: Int32
    ) -> Never {
        var supervisor = Descriptor(control)
        do throws(SystemError) {
            try confine(gateway, &supervisor)
            var maker = try SessionMaker(gateway, sessions, starter)
            try maker.tell(SessionMakerReport.ready)
            try maker.serve()
        } catch {
            // Nobody to tell if this fails; the supervisor then sees the end.
            let report = SessionMakerReport.failed("\(error.call.name): \(error.errno)")
            try? System.send(supervisor, report.bytes ?? [])
            System.exitNow(ExitStatus.launchFailed)
        }
    }

    /// Nothing of the supervisor's is left but the socket: no lock of its run directory, no terminal, no session.
    private static func confine(_ gateway: LaunchPlan, _ supervisor: inout Descriptor) throws(SystemError) {
        if gateway.identity.startedByRoot { try System.setSupplementaryGroups([]) }
        try System.dieWithParent()
        try System.newSession()
        let null = try System.open("/dev/null", .readWrite)
        // Above all the numbers that they will have.
        let moved = try [supervisor, null.borrowed].map { (descriptor) throws(SystemError) in
            try System.duplicate(descriptor, atLeast: 16).release()
        }
        _ = null.release()
        for number: Int32 in 0...2 { try System.duplicate(Descriptor(moved[1]), to: number, closeOnExec: false) }
        try System.duplicate(Descriptor(moved[0]), to: control.number, closeOnExec: true)
        supervisor = control
        try System.closeRange(UInt32(control.number) + 1, .max)
        // It may have died before that was asked for.
        if try System.pollNow(supervisor) != 0 { System.exitNow(ExitStatus.launchFailed) }
        try System.setDumpable(false)
        try System.setProcessName("session-maker")
    }

    private init(
        _ gateway: LaunchPlan, _ sessions: SessionsPlan, _ starter: any SessionStarter
    ) throws(SystemError) {
        self.gateway = gateway
        self.sessions = sessions
        self.starter = starter
        sources = try SessionSources(gateway, sessions)
        let ends = try System.pipe().release()
        lifeline = (ends.readEnd, ends.writeEnd)
    }

    private func tell(_ report: SessionMakerReport) throws(SystemError) {
        guard let bytes = report.bytes else { throw SystemError(.check, .messageTooLong) }
        try System.send(Self.control, bytes)
    }

    // MARK: Serving

    private mutating func serve() throws(SystemError) -> Never {
        while true {
            var entries = [System.PollEntry(Self.control, System.PollEvents.readable)]
            for child in children {
                entries.append(.init(Descriptor(child.pidfd), System.PollEvents.readable))
                if child.report >= 0 { entries.append(.init(Descriptor(child.report), System.PollEvents.readable)) }
            }
            try System.poll(&entries, milliseconds: waitTime)
            let ready = Set(entries.filter { $0.returned != 0 }.map(\.descriptor.number))
            try hearChildren(ready)
            if ready.contains(Self.control.number) {
                let bytes = try System.receive(Self.control, most: SessionFields.sizeLimit).bytes
                // The supervisor is gone, or is done; or is no longer what it was.
                guard let (number, order) = SessionOrder.read(bytes) else { end() }
                try take(order, number: number)
            }
        }
    }

    private var waitTime: Int32 {
        let waiting = children.filter { !$0.isAnswered }.map(\.until).min()
        guard let waiting else { return -1 }
        return Int32(clamping: max(0, (waiting - System.monotonicNanoseconds()) / 1_000_000 + 1))
    }

    private mutating func take(_ order: SessionOrder, number: UInt32) throws(SystemError) {
        // An id that is there already is answered by whoever finds it there: perhaps it is the same.
        let ids = Set(children.filter { isThere($0) }.map(\.id))
        guard ids.contains(order.id) || ids.count < sessions.most else {
            let remedy = "end one, or raise sessions.most of profile '\(gateway.profile)'"
            return try tell(
                .made(
                    number, status: ExitStatus.refused,
                    "there are \(ids.count) sessions, as many as sessions.most allows; \(remedy)"))
        }
        do throws(SystemError) { children.append(try start(order, number: number)) } catch {
            // Out of processes or descriptors: that is this session's misfortune, and nobody else's.
            try tell(
                .made(
                    number, status: ExitStatus.launchFailed,
                    JailError(.supervise, error, detail: "a session's supervisor").description))
        }
    }

    private func start(_ order: SessionOrder, number: UInt32) throws(SystemError) -> Child {
        let (reading, writing) = try System.pipe().release()
        let pid: Int32
        do throws(SystemError) { pid = try System.fork() } catch {
            System.close(reading)
            System.close(writing)
            throw error
        }
        if pid == 0 { become(order, report: writing) }
        System.close(writing)
        do throws(SystemError) {
            try System.setNonBlocking(Descriptor(reading))
            return Child(
                number: number, id: order.id, pid: pid, pidfd: try System.openProcess(pid).release(), report: reading,
                until: System.monotonicNanoseconds() + Self.patience)
        } catch {
            // A child of this process's that nobody has waited for: its number is nobody else's.
            try? System.kill(pid, 9)
            _ = try? System.wait(forChild: pid)
            System.close(reading)
            throw error
        }
    }

    /// A session's directory goes before whoever waits for its end hears of it, and its process a moment later.
    private func isThere(_ child: Child) -> Bool {
        if !child.isAnswered { return true }
        let base = RunDirectory.sessions(of: gateway.name, in: gateway.runtimeDirectory)
        return (try? System.status("\(base)/\(child.id)")) != nil
    }

    // MARK: A session

    /// The child: nothing of the maker's but its lifeline and the way to tell how the start went.
    private func become(_ order: SessionOrder, report: Int32) -> Never {
        do throws(JailError) {
            try attempt(.session) { () throws(SystemError) in
                // Whoever holds both ends of a pipe never sees it end.
                System.close(lifeline.writing)
                System.close(Self.control.number)
                for child in children {
                    System.close(child.pidfd)
                    if child.report >= 0 { System.close(child.report) }
                }
                try System.newSession()
                try System.setProcessName("clawjail")
                // Nothing that a session has to say keeps it from what it does.
                try System.setNonBlocking(Descriptor(report))
            }
            let sources = try sources.open(order)
            // Or it could not write the id maps of what it clones.
            try attempt(.session) { () throws(SystemError) in try System.setDumpable(true) }
            starter.run(
                SessionStart(
                    gateway: gateway, sessions: sessions, order: order, sources: sources, report: Descriptor(report),
                    lifeline: Descriptor(lifeline.reading)))
        } catch {
            try? System.writeAll(Descriptor(report), "\(error.status) \(error.description)\n")
            System.exitNow(error.status)
        }
    }

    private mutating func hearChildren(_ ready: Set<Int32>) throws(SystemError) {
        let now = System.monotonicNanoseconds()
        for index in children.indices {
            if children[index].report >= 0, ready.contains(children[index].report) { try hear(index) }
            if !children[index].isAnswered, now >= children[index].until {
                try System.send(signal: SIGKILL, to: Descriptor(children[index].pidfd))
                try answer(index, ExitStatus.launchFailed, "it was not made within \(Self.patience / 1_000_000_000) s")
            }
        }
        for child in children where ready.contains(child.pidfd) {
            guard let how = try System.reapIfEnded(Descriptor(child.pidfd)) else { continue }
            children.removeAll { $0.pid == child.pid }
            if child.report >= 0 { System.close(child.report) }
            System.close(child.pidfd)
            if !child.isAnswered { try tell(.made(child.number, status: ExitStatus.launchFailed, Self.noAnswer)) }
            // One that was killed leaves things behind. What cannot be cleared now, the next start of a session clears.
            if case .signalled = how {
                try? RunDirectory.clearDead(
                    in: RunDirectory.sessions(of: gateway.name, in: gateway.runtimeDirectory))
            }
        }
    }

    private static let noAnswer = "it ended before it was made"

    private mutating func hear(_ index: Int) throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.read(Descriptor(children[index].report), most: Self.longestReport)
        } catch {
            guard error.errno == .wouldBlock else { throw error }
            return
        }
        children[index].heard += bytes
        while let end = children[index].heard.firstIndex(of: 0x0A) {
            let line = String(decoding: children[index].heard[..<end], as: UTF8.self)
            children[index].heard.removeFirst(end + 1)
            try take(line, index)
        }
        guard bytes.isEmpty || children[index].heard.count > Self.longestReport else { return }
        System.close(children[index].report)
        children[index].report = -1
        if !children[index].isAnswered { try answer(index, ExitStatus.launchFailed, Self.noAnswer) }
    }

    private mutating func take(_ line: String, _ index: Int) throws(SystemError) {
        if line == "started", !children[index].isAnswered { return try answer(index, 0, "") }
        let words = line.split(separator: " ", maxSplits: 1)
        let text = words.count == 2 ? String(words[1]) : line
        if children[index].isAnswered || words.first == "note" {
            return try tell(.note("session '\(children[index].id)': \(text)"))
        }
        let status = words.first.flatMap { Int32($0) } ?? ExitStatus.launchFailed
        try answer(index, (1...255).contains(status) ? status : ExitStatus.launchFailed, text)
    }

    private mutating func answer(_ index: Int, _ status: Int32, _ text: String) throws(SystemError) {
        children[index].isAnswered = true
        try tell(.made(children[index].number, status: status, text))
    }

    // MARK: End

    /// Every session sees its lifeline end, and clears up after itself.
    private func end() -> Never {
        System.close(lifeline.writing)
        let until = System.monotonicNanoseconds() + Self.endPatience
        for child in children {
            var entries = [System.PollEntry(Descriptor(child.pidfd), System.PollEvents.readable)]
            let left = max(0, (until - System.monotonicNanoseconds()) / 1_000_000)
            let waited: Void? = try? System.poll(&entries, milliseconds: Int32(clamping: left))
            if waited == nil || entries[0].returned == 0 { try? System.kill(child.pid, SIGKILL) }
            _ = try? System.wait(forChild: child.pid)
        }
        System.exitNow(0)
    }
}

/// What the maker says to its supervisor.
enum SessionMakerReport: Equatable {
    /// It has opened what it will need.
    case ready
    /// It could not begin.
    case failed(String)
    /// The answer to an order: 0, or why not.
    case made(UInt32, status: Int32, String)
    /// What people should know of a session, such as a limit that it has reached.
    case note(String)

    var bytes: [UInt8]? {
        switch self {
        case .ready: return SessionFields("ready").bytes
        case .failed(let text):
            var fields = SessionFields("failed")
            fields.add("text", text)
            return fields.bytes
        case .note(let text):
            var fields = SessionFields("note")
            fields.add("text", text)
            return fields.bytes
        case .made(let number, let status, let text):
            var fields = SessionFields("made")
            fields.add("number", String(number))
            fields.add("status", String(status))
            fields.add("text", text)
            return fields.bytes
        }
    }

    init?(_ bytes: [UInt8]) {
        guard var fields = SessionFields(bytes) else { return nil }
        switch fields.word {
        case "ready": self = .ready
        case "failed": self = .failed(fields.take("text") ?? "")
        case "note": self = .note(fields.take("text") ?? "")
        case "made":
            guard let number = fields.take("number").flatMap({ UInt32($0) }),
                let status = fields.take("status").flatMap({ Int32($0) }), (0...255).contains(status)
            else { return nil }
            self = .made(number, status: status, fields.take("text") ?? "")
        default: return nil
        }
        guard fields.isEmpty else { return nil }
    }
}
