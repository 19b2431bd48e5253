internal import Glibc
internal import JailCommands
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Runs commands outside of the jail that asks for them. A process of its own, forked while there are the rights to become
/// somebody else; the supervisor, which reads what the jail says, has given them up by then.
///
/// It reads nothing that the jail has written but the words of calls, and those it decides on again, by the rules that it
/// has from before the jail began: a supervisor that was taken over can have run what the profile names, and no more. It
/// ends with the supervisor, and everything that it has started with it.
struct CommandRunner {
    private struct Call {
        let number: UInt32
        let pid: Int32
        let pidfd: Int32
        /// To its keeper, which ends with it. Non-blocking.
        let channel: Int32
        /// Of no other call: it makes the name of a jail.
        let slot: Int
        var isAnswered = false
        /// Monotonic nanoseconds at which the keeper has ended by itself, if it is what it should be.
        var until: Int64
    }

    private let gateway: LaunchPlan
    private let commands: CommandsPlan
    private let policy: CommandPolicy
    /// Of each place, what its directory is: held open, so that its number is no other one's.
    private let workspaces: [Int32]
    private var calls: [Call] = []

    private static let control = Descriptor(3)
    /// Nanoseconds that a keeper has, beyond the command's own time, to end what is left and to pass on what was said.
    static let keeperPatience: Int64 = 60_000_000_000
    /// The same once it was told to end.
    static let endPatience: Int64 = 20_000_000_000

    /// The forked child's whole life.
    static func run(_ gateway: LaunchPlan, _ commands: CommandsPlan, control: Int32) -> Never {
        var supervisor = Descriptor(control)
        do throws(SystemError) {
            try confine(gateway, &supervisor)
            var runner = try CommandRunner(gateway, commands)
            try runner.tell(.ready)
            try runner.serve()
        } catch {
            // Nobody to tell if this fails; the supervisor then sees the end.
            let report = CommandRunnerReport.unable("\(error.call.name): \(error.errno)")
            try? System.send(supervisor, report.bytes ?? [])
            ProcessSweep.run(except: [], patience: endPatience)
            System.exitNow(ExitStatus.launchFailed)
        }
    }

    /// Nothing of the supervisor's is left but the socket: no lock of its run directory, no terminal, no session.
    private static func confine(_ gateway: LaunchPlan, _ supervisor: inout Descriptor) throws(SystemError) {
        if gateway.identity.startedByRoot { try System.setSupplementaryGroups([]) }
        try System.dieWithParent()
        try System.newSession()
        try ForkedProcess.keep([supervisor])
        supervisor = control
        // It may have died before that was asked for.
        if try System.pollNow(supervisor) != 0 { System.exitNow(ExitStatus.launchFailed) }
        try System.setDumpable(false)
        // What a keeper leaves, should it be killed, comes here.
        try System.becomeSubreaper()
        try System.changeDirectory("/")
        try System.setProcessName("command-runner")
    }

    private init(_ gateway: LaunchPlan, _ commands: CommandsPlan) throws(SystemError) {
        self.gateway = gateway
        self.commands = commands
        policy = CommandPolicy(commands.rules)
        var opened: [Int32] = []
        for case .ownJail(let place) in commands.places {
            guard let workspace = place.workspace else { continue }
            let directory = try System.open(workspace.path, [.pathOnly, .directory, .noFollow])
            guard try System.status(of: directory.borrowed).identity == workspace.identity else {
                throw SystemError(.check, .stale)
            }
            opened.append(directory.release())
        }
        workspaces = opened
    }

    private func tell(_ report: CommandRunnerReport) throws(SystemError) {
        guard let bytes = report.bytes else { throw SystemError(.check, .messageTooLong) }
        try System.send(Self.control, bytes)
    }

    // MARK: Serving

    private mutating func serve() throws(SystemError) -> Never {
        while true {
            var entries = [System.PollEntry(Self.control, System.PollEvents.readable)]
            for call in calls {
                entries.append(.init(Descriptor(call.pidfd), System.PollEvents.readable))
                if !call.isAnswered { entries.append(.init(Descriptor(call.channel), System.PollEvents.readable)) }
            }
            try System.poll(&entries, milliseconds: waitTime)
            let ready = System.PollResult(entries)
            try hearKeepers(ready)
            guard ready[Self.control] != nil else { continue }
            let (bytes, numbers) = try System.receive(Self.control, most: RunnerOrder.sizeLimit, descriptors: 3)
            let streams = numbers.map { SharedDescriptor(OwnedDescriptor($0)) }
            // The supervisor is gone, or is done; or is no longer what it was.
            guard let order = RunnerOrder(bytes) else { end() }
            try take(order, streams)
        }
    }

    private var waitTime: Int32 {
        guard let next = calls.map(\.until).min() else { return -1 }
        return Int32(clamping: max(0, (next - System.monotonicNanoseconds()) / 1_000_000 + 1))
    }

    private mutating func take(_ order: RunnerOrder, _ streams: [SharedDescriptor]) throws(SystemError) {
        if case .run(let number, let call) = order {
            guard streams.count == 3, !calls.contains(where: { $0.number == number }) else { end() }
            return try take(call, number, streams)
        }
        guard streams.isEmpty else { end() }
        // One that has ended meanwhile takes no notice.
        guard let index = calls.firstIndex(where: { $0.number == order.number }), let bytes = order.bytes else {
            return
        }
        if case .end = order { calls[index].until = System.monotonicNanoseconds() + Self.endPatience }
        do throws(SystemError) { try System.send(Descriptor(calls[index].channel), bytes) } catch {
            guard case .end = order, !calls[index].isAnswered else { return }
            // It does not listen: whatever keeps it from that, its time is over.
            try System.send(signal: SIGKILL, to: Descriptor(calls[index].pidfd))
        }
    }

    private mutating func take(
        _ call: CommandCallOrder, _ number: UInt32, _ streams: [SharedDescriptor]
    ) throws(SystemError) {
        if let reason = try refusal(of: call, streams) {
            return try tell(.report(.failed(number, status: ExitStatus.notExecutable, reason: reason)))
        }
        do throws(SystemError) { try start(call, number, streams) } catch {
            // Out of processes or descriptors: that is this call's misfortune, and nobody else's.
            let reason = "\(error.call.name): \(error.errno)"
            try tell(.report(.failed(number, status: ExitStatus.launchFailed, reason: reason)))
        }
    }

    /// Why it is not run; nil: it is what a rule of the profile allows, and what may be given to it.
    private func refusal(of call: CommandCallOrder, _ streams: [SharedDescriptor]) throws(SystemError) -> String? {
        guard calls.count < CommandRunnerProcess.mostCalls else {
            return "\(calls.count) commands run outside of the jail, as many as may"
        }
        guard commands.rules.rules.indices.contains(call.rule), commands.places.indices.contains(call.rule),
            commands.places[call.rule] != .jail, mayBeRun(call)
        else { return "it is not what the profile allows" }
        for stream in streams {
            guard try ExecStream.mayBeGiven(stream.borrowed) else {
                return "its streams may be pipes, files and /dev/null, and nothing else"
            }
        }
        return nil
    }

    /// By a rule, or by a person, whom the supervisor has asked: that somebody has said yes cannot be seen here, but whether
    /// anybody may be asked about it.
    private func mayBeRun(_ call: CommandCallOrder) -> Bool {
        let vector = [commands.rules.rules[call.rule].name] + call.words
        let grant: CommandGrant?
        if case .allow(let allowed) = policy.decide(vector) {
            grant = allowed
        } else {
            let asks = gateway.approvals?.rules.ask.contains(.command) == true
            grant = policy.approvable(vector, unlisted: asks)
        }
        return grant?.index == call.rule
            && grant?.arguments.elementsEqual(call.words, by: { $0.hasSameBytes(as: $1) }) == true
    }

    private mutating func start(
        _ order: CommandCallOrder, _ number: UInt32, _ streams: [SharedDescriptor]
    ) throws(SystemError) {
        let slot = (1...CommandRunnerProcess.mostCalls).first { slot in !calls.contains { $0.slot == slot } } ?? 0
        let rule = commands.rules.rules[order.rule]
        let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
        let channel = OwnedDescriptor(ours)
        let pid: Int32
        do throws(SystemError) { pid = try System.fork() } catch {
            System.close(theirs)
            throw error
        }
        if pid == 0 {
            CommandKeeper.run(
                CommandStart(
                    number: number, rule: rule, place: commands.places[order.rule], words: order.words,
                    terminal: order.terminal, slot: slot),
                channel: Descriptor(theirs), streams: streams.map(\.borrowed))
        }
        System.close(theirs)
        do throws(SystemError) {
            try System.setNonBlocking(channel.borrowed)
            calls.append(
                Call(
                    number: number, pid: pid, pidfd: try System.openProcess(pid).release(), channel: channel.release(),
                    slot: slot,
                    until: System.monotonicNanoseconds() + Int64(clamping: rule.timeout) * 1_000_000
                        + Self.keeperPatience))
        } catch {
            // A child of this process's that nobody has waited for: its number is nobody else's.
            try? System.kill(pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
            ProcessSweep.run(except: calls.map(\.pid), patience: Self.endPatience)
            throw error
        }
        if case .ownJail(let place) = commands.places[order.rule] {
            try tell(.jail(number, place.jailName(slot)))
        }
    }

    // MARK: Keepers

    private mutating func hearKeepers(_ ready: System.PollResult) throws(SystemError) {
        let now = System.monotonicNanoseconds()
        for index in calls.indices {
            if !calls[index].isAnswered, ready[Descriptor(calls[index].channel)] != nil { try hear(index) }
            // Whatever keeps it: what it has started comes here when it is gone.
            if now >= calls[index].until {
                try System.send(signal: SIGKILL, to: Descriptor(calls[index].pidfd))
                calls[index].until = now + Self.endPatience
            }
        }
        for call in calls where ready[Descriptor(call.pidfd)] != nil {
            guard try System.reapIfEnded(Descriptor(call.pidfd)) != nil else { continue }
            calls.removeAll { $0.pid == call.pid }
            System.close(call.channel)
            System.close(call.pidfd)
            guard !call.isAnswered else { continue }
            // Before it is told: nothing that the call has started is left then.
            ProcessSweep.run(except: calls.map(\.pid), patience: Self.endPatience)
            try tell(
                .report(
                    .failed(
                        call.number, status: ExitStatus.launchFailed,
                        reason: "what kept it was killed, and everything that it had started with it")))
        }
    }

    private mutating func hear(_ index: Int) throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receiveUpToEnd(
                Descriptor(calls[index].channel), most: SessionFields.sizeLimit
            ).bytes
        } catch {
            if error.errno != .wouldBlock { try System.send(signal: SIGKILL, to: Descriptor(calls[index].pidfd)) }
            return
        }
        guard case .report(let report)? = CommandRunnerReport(bytes), report.number == calls[index].number else {
            // Its end, which its pidfd tells as well; or it is no longer what it was.
            try System.send(signal: SIGKILL, to: Descriptor(calls[index].pidfd))
            return
        }
        calls[index].isAnswered = true
        try tell(.report(report))
    }

    // MARK: End

    /// Every keeper sees its channel end, and ends what it has started.
    private func end() -> Never {
        for call in calls { System.close(call.channel) }
        let until = System.monotonicNanoseconds() + Self.endPatience
        for call in calls {
            var entries = [System.PollEntry(Descriptor(call.pidfd), System.PollEvents.readable)]
            let left = max(0, (until - System.monotonicNanoseconds()) / 1_000_000)
            let waited: Void? = try? System.poll(&entries, milliseconds: Int32(clamping: left))
            if waited == nil || entries[0].returned == 0 { try? System.kill(call.pid, SIGKILL) }
            _ = try? System.wait(forChild: call.pid)
        }
        ProcessSweep.run(except: [], patience: Self.endPatience)
        System.exitNow(0)
    }
}
