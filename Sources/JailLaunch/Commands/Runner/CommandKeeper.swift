internal import Glibc
internal import JailCore
internal import JailPlan
internal import JailPolicy
internal import JailPrivileges

/// Keeps one command: the process between the runner and what is run. It is the subreaper of everything that the command starts,
/// holds it to its time and its output, and tells its end when nothing of it is left.
///
/// As root it has no right but to send signals, so nothing of the command's user can end it. Without root it is of the same
/// user: what is left of the command when that kills it, the runner ends.
struct CommandKeeper {
    private let start: CommandStart
    private let channel: Descriptor
    private var streams: CommandStreams
    private var pid: Int32 = 0
    private let signals: SharedDescriptor
    /// Where the command says why it did not begin.
    private var failure: SharedDescriptor?
    private var said: [UInt8] = []
    private var ended: Termination?
    /// Why it was ended, for whoever has called.
    private var note: String?
    /// Nobody wants to hear of it any more.
    private var isAbandoned = false
    /// Monotonic nanoseconds: of the command's time; and, once it has ended, of the time for what it has said. .max: over.
    private var deadline: Int64
    /// When a jail that was told to end is told again, and at last killed; nil: it was told everything.
    private var nextStep: (at: Int64, signal: Int32)?

    private static let longestFailure = 4096
    /// Nanoseconds.
    private static let sweepPatience: Int64 = 10_000_000_000
    /// For passing on what was said, when the command has ended and its time is over.
    private static let drainPatience: Int64 = 5_000_000_000
    /// Until a jail is told for the second time, which kills what is in it; and until its supervisor is killed.
    private static let secondTime: Int64 = 300_000_000
    private static let lastTime: Int64 = 8_000_000_000

    /// The forked child's whole life.
    static func run(_ start: CommandStart, channel: Descriptor, streams: [Descriptor]) -> Never {
        var channel = channel
        do throws(SystemError) {
            try ForkedProcess.keep([channel] + streams)
            channel = Descriptor(3)
            try System.newSession()
            try System.becomeSubreaper()
            try System.setProcessName("command-keeper")
            // Its own descriptors could not be opened anew otherwise.
            try System.setDumpable(true)
            var keeper = try CommandKeeper(start, channel, streams: [4, 5, 6].map(Descriptor.init))
            try System.setDumpable(false)
            try keeper.begin()
            if System.effectiveUserID == 0 { try Privileges.keepOnly(.signal) }
            try keeper.serve()
        } catch {
            ProcessSweep.run(except: [], patience: sweepPatience)
            // Nobody to tell if this fails; the runner then sees the end.
            let failed = CommandReport.failed(
                start.number, status: ExitStatus.launchFailed, reason: "\(error.call.name): \(error.errno)")
            try? System.send(channel, CommandRunnerReport.report(failed).bytes ?? [])
            System.exitNow(ExitStatus.launchFailed)
        }
    }

    private init(_ start: CommandStart, _ channel: Descriptor, streams: [Descriptor]) throws(SystemError) {
        self.start = start
        self.channel = channel
        try System.block(Array(1...64))
        signals = SharedDescriptor(try System.signalDescriptor([SIGCHLD]))
        self.streams = try CommandStreams(
            streams, terminal: start.terminal, owner: start.otherUser, most: start.rule.outputSize)
        for stream in streams { System.close(stream.number) }
        deadline = System.monotonicNanoseconds() + Int64(clamping: start.rule.timeout) * 1_000_000
    }

    private mutating func begin() throws(SystemError) {
        let (reading, writing) = try System.pipe().release()
        let report = SharedDescriptor(OwnedDescriptor(reading))
        let keeper = System.processID
        let pid: Int32
        do throws(SystemError) { pid = try System.fork() } catch {
            System.close(writing)
            throw error
        }
        if pid == 0 {
            CommandChild(
                start: start, streams: streams.commands.map(\.borrowed), report: Descriptor(writing), keeper: keeper
            ).run()
        }
        self.pid = pid
        System.close(writing)
        failure = report
        streams.commandHasBegun()
        try System.setNonBlocking(report.borrowed)
    }

    // MARK: Serving

    private mutating func serve() throws(SystemError) -> Never {
        while true {
            if ended != nil, streams.isDone || isAbandoned || System.monotonicNanoseconds() >= deadline {
                try finish()
            }
            var entries = [
                System.PollEntry(channel, System.PollEvents.readable),
                System.PollEntry(signals.borrowed, System.PollEvents.readable),
            ]
            if let failure { entries.append(.init(failure.borrowed, System.PollEvents.readable)) }
            entries += streams.pollEntries
            try System.poll(&entries, milliseconds: waitTime)
            let ready = System.PollResult(entries)
            if ready[channel] != nil { try hear() }
            if let failure, ready[failure.borrowed] != nil { listen(failure) }
            streams.handle(ready)
            if ready[signals.borrowed] != nil { try reap() }
            try checkLimits()
        }
    }

    private var waitTime: Int32 {
        let next = min(deadline, nextStep?.at ?? .max)
        return Int32(clamping: max(0, (next - System.monotonicNanoseconds()) / 1_000_000 + 1))
    }

    private mutating func hear() throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receive(channel, most: RunnerOrder.sizeLimit).bytes
        } catch {
            guard error.errno == .connectionReset else { throw error }
            bytes = []
        }
        switch RunnerOrder(bytes) {
        case .signal(start.number, let signal): try pass(Int32(signal))
        case .resize(start.number, let size): try streams.resize(size)
        case .end(start.number):
            isAbandoned = true
            try kill()
        default:
            // The runner is gone, and with it whoever wants to hear of this.
            try abandon()
        }
    }

    /// Those that ask a program for something. What stops it would stop its time as well.
    private static let passed = [
        SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH, SIGALRM,
    ]

    private func pass(_ signal: Int32) throws(SystemError) {
        guard ended == nil else { return }
        if signal == SIGKILL { return try sendAll(SIGKILL) }
        guard Self.passed.contains(signal), !start.isJail || signal != SIGTSTP else { return }
        try sendAll(signal)
    }

    /// To the command's group. clawjail passes on what it gets to the command that it keeps.
    private func sendAll(_ signal: Int32) throws(SystemError) {
        do throws(SystemError) { try System.kill(start.isJail ? pid : -pid, signal) } catch {
            // It has no group yet, or is about to be reaped.
            guard error.errno == .noProcess else { throw error }
            try System.kill(pid, signal)
        }
    }

    private mutating func listen(_ pipe: SharedDescriptor) {
        do throws(SystemError) {
            let bytes = try System.read(pipe.borrowed, most: Self.longestFailure)
            said += bytes.prefix(Self.longestFailure - min(Self.longestFailure, said.count))
            if bytes.isEmpty { failure = nil }
        } catch { if error.errno != .wouldBlock { failure = nil } }
    }

    private mutating func reap() throws(SystemError) {
        while try System.nextSignal(signals.borrowed) != nil {}
        while let child = try System.reap() { if child.pid == pid { ended = child.how } }
        guard ended != nil else { return }
        if let failure { listen(failure) }
        streams.endInput()
        // What it has left behind ends with it: in its group, and wherever else that went.
        try? System.kill(-pid, SIGKILL)
        if !ProcessSweep.run(except: [], patience: Self.sweepPatience) {
            note = note ?? "something that it had started could not be ended"
        }
        nextStep = nil
        let drained = System.monotonicNanoseconds() + Self.drainPatience
        deadline = deadline == .max ? drained : max(deadline, drained)
    }

    // MARK: Limits

    private mutating func checkLimits() throws(SystemError) {
        guard ended == nil else { return }
        let now = System.monotonicNanoseconds()
        if let step = nextStep, now >= step.at {
            nextStep = step.signal == SIGKILL ? nil : (now + Self.lastTime, SIGKILL)
            try sendAll(step.signal)
        }
        guard note == nil, !isAbandoned else { return }
        if streams.isExceeded {
            note = "it has written more than \(ByteSize.format(start.rule.outputSize)), the limit of its rule"
        } else if now >= deadline {
            note = "it has taken longer than \(TimeSpan.format(start.rule.timeout)), the time of its rule"
        } else {
            return
        }
        try kill()
    }

    /// A jail is told first, and clears up after itself; told twice, it does not wait for its command.
    private mutating func kill() throws(SystemError) {
        guard ended == nil else { return }
        // What is over is not looked at again before the end.
        deadline = .max
        guard start.isJail else { return try sendAll(SIGKILL) }
        guard nextStep == nil else { return }
        nextStep = (System.monotonicNanoseconds() + Self.secondTime, SIGTERM)
        try sendAll(SIGTERM)
    }

    // MARK: End

    private func finish() throws(SystemError) -> Never {
        let report: CommandReport
        if let text = String(validating: said, as: UTF8.self), let space = text.firstIndex(of: " "),
            let status = Int32(text[..<space])
        {
            report = .failed(start.number, status: status, reason: String(text[text.index(after: space)...]))
        } else {
            let status = note == nil ? ended?.status ?? ExitStatus.launchFailed : 128 + SIGKILL
            report = .ended(start.number, status: status, note: note)
        }
        guard let bytes = CommandRunnerReport.report(report).bytes else {
            throw SystemError(.check, .messageTooLong)
        }
        try System.send(channel, bytes)
        System.exitNow(0)
    }

    private mutating func abandon() throws(SystemError) -> Never {
        // Told once, a jail that has begun ends by the loss of its supervisor at the latest.
        if start.isJail, ended == nil {
            try? sendAll(SIGTERM)
            let until = System.monotonicNanoseconds() + Self.lastTime
            var step: Int64 = System.monotonicNanoseconds() + Self.secondTime
            while ended == nil, System.monotonicNanoseconds() < until {
                try System.pause(milliseconds: 10)
                while let child = try System.reap() { if child.pid == pid { ended = child.how } }
                if ended == nil, System.monotonicNanoseconds() >= step {
                    try? sendAll(SIGTERM)
                    step = until
                }
            }
        }
        if ended == nil { try? sendAll(SIGKILL) }
        ProcessSweep.run(except: [], patience: Self.sweepPatience)
        System.exitNow(0)
    }
}
