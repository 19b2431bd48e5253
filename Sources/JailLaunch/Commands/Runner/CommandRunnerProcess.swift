internal import Glibc
internal import JailCommands
internal import JailCore
internal import JailPlan

/// The runner of commands, as the supervisor holds it: what does not run in the jail that asks is run there.
final class CommandRunnerProcess: CommandRuns {
    /// Calls at the same time. They count to none of the jail's limits.
    static let mostCalls = 16
    /// Reports for each turn of the loop.
    private static let mostReports = 64
    /// Milliseconds that it has to open what it needs.
    private static let patience: Int32 = 30_000
    /// Milliseconds that it has to end what runs.
    private static let endPatience: Int32 = 45_000

    private let pid: Int32
    private let pidfd: SharedDescriptor
    /// Non-blocking.
    private let channel: SharedDescriptor
    /// Calls that it has been given and not told the end of.
    private var running: [UInt32] = []
    private var reports: [CommandReport] = []
    private var notices: [JailNotice] = []
    private var isEnded = false
    /// It takes no more.
    private(set) var hasEnded = false

    /// Forks. Before the clone of init, and while there are the rights to become somebody else.
    init(_ gateway: LaunchPlan, _ commands: CommandsPlan) throws(JailError) {
        let (ours, theirs) = try attempt(.session) { () throws(SystemError) in
            try System.makeSocketPair(.sequencedPacket).release()
        }
        let channel = SharedDescriptor(OwnedDescriptor(ours))
        let pid: Int32
        do throws(SystemError) { pid = try System.fork() } catch {
            System.close(theirs)
            throw JailError(.session, error, detail: "the runner of commands")
        }
        if pid == 0 {
            // Whoever holds both ends of a socket never sees it end.
            System.close(channel.take().release())
            CommandRunner.run(gateway, commands, control: theirs)
        }
        System.close(theirs)
        self.pid = pid
        self.channel = channel
        do throws(SystemError) {
            pidfd = SharedDescriptor(try System.openProcess(pid))
            try System.setNonBlocking(channel.borrowed)
        } catch {
            try? System.kill(pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
            throw JailError(.session, error)
        }
    }

    deinit { endAll() }

    var processID: Int32 { pid }

    /// Waits until it has opened what it will need.
    func awaitReady() throws(JailError) {
        var entries = [System.PollEntry(channel.borrowed, System.PollEvents.readable)]
        let report = try attempt(.session) { () throws(SystemError) in
            try System.poll(&entries, milliseconds: Self.patience)
            return try receive()
        }
        switch report {
        case .ready: return
        case .unable(let text):
            throw JailError(.session, reason: "what runs commands did not start: \(text)", hint: "start again")
        default: throw JailError(.session, reason: "what runs commands did not start")
        }
    }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        hasEnded ? [] : [System.PollEntry(channel.borrowed, System.PollEvents.readable)]
    }

    var due: Int64? { nil }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        guard !hasEnded, ready[channel.borrowed] != nil else { return }
        for _ in 0..<Self.mostReports {
            guard let report = try receive() else { return }
            switch report {
            case .report(let report):
                guard let index = running.firstIndex(of: report.number) else { throw SystemError(.check, .invalid) }
                running.remove(at: index)
                reports.append(report)
            case .jail(let number, let name):
                notices.append(
                    .event([
                        "event": "command", "verdict": "began", "number": .number(number), "jail": .string(name),
                    ]))
            case .ready, .unable: throw SystemError(.check, .invalid)
            }
        }
    }

    func takeReports() -> [CommandReport] {
        defer { reports = [] }
        return reports
    }

    /// What is to be told since the last time.
    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    // MARK: Orders

    func start(_ call: CommandCall, streams: [SharedDescriptor], number: UInt32) throws(SystemError) -> Bool {
        guard !hasEnded, running.count < Self.mostCalls, streams.count == 3, !running.contains(number) else {
            return false
        }
        let order = CommandCallOrder(rule: call.grant.index, words: call.grant.arguments, terminal: call.terminal)
        guard try send(.run(number, order), descriptors: streams) else { return false }
        running.append(number)
        return true
    }

    func signal(_ number: UInt32, _ signal: UInt8) throws(SystemError) {
        if running.contains(number) { _ = try send(.signal(number, signal)) }
    }

    func resize(_ number: UInt32, _ size: CommandCall.Size) throws(SystemError) {
        if running.contains(number) { _ = try send(.resize(number, size)) }
    }

    func end(_ number: UInt32) throws(SystemError) {
        guard running.contains(number), try !send(.end(number)) else { return }
        // It must not go on for want of room in a socket. What keeps each call sees the runner's end, and ends it.
        if !isEnded {
            isEnded = true
            try? System.kill(pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
        }
        ended()
    }

    /// False if it takes no more now, or is gone.
    private func send(_ order: RunnerOrder, descriptors: [SharedDescriptor] = []) throws(SystemError) -> Bool {
        guard !hasEnded, let bytes = order.bytes else { return false }
        do throws(SystemError) {
            try withExtendedLifetime(descriptors) { () throws(SystemError) in
                try System.send(channel.borrowed, bytes, descriptors: descriptors.map(\.borrowed))
            }
            return true
        } catch {
            guard error.errno.isShortage || [.brokenPipe, .connectionReset].contains(error.errno) else { throw error }
            return false
        }
    }

    /// What it says next; nil: nothing now, see ``hasEnded``. What makes no sense throws.
    private func receive() throws(SystemError) -> CommandRunnerReport? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receiveUpToEnd(channel.borrowed, most: SessionFields.sizeLimit).bytes
        } catch {
            if error.errno == .wouldBlock { return nil }
            guard error.errno == .connectionReset else { throw error }
            ended()
            return nil
        }
        if bytes.isEmpty {
            ended()
            return nil
        }
        guard let report = CommandRunnerReport(bytes) else { throw SystemError(.check, .invalid) }
        return report
    }

    // MARK: End

    /// The jail goes on without: nothing that it has is what the runner does for it.
    private func ended() {
        guard !hasEnded else { return }
        hasEnded = true
        let text =
            "what runs commands outside of the jail ended, and every one of them with it; none can be run any more"
        for number in running { reports.append(.failed(number, status: ExitStatus.launchFailed, reason: text)) }
        running = []
        notices.append(.note(text))
        notices.append(.event(["event": "command", "verdict": "failed", "message": .string(text)]))
    }

    /// Ends everything that runs, and waits for that. A second time does nothing.
    func endAll() {
        guard !isEnded else { return }
        isEnded = true
        // What it reads next is the end.
        try? System.shutdownWriting(channel.borrowed)
        var entries = [System.PollEntry(pidfd.borrowed, System.PollEvents.readable)]
        let waited: Void? = try? System.poll(&entries, milliseconds: Self.endPatience)
        if waited == nil || entries[0].returned == 0 { try? System.kill(pid, SIGKILL) }
        _ = try? System.wait(forChild: pid)
    }
}
