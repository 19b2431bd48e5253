internal import CommandWire
internal import JailApprovals
internal import JailCommands
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of a jail's commands: takes callers, reads what they want run, lets ``CommandPolicy`` decide, has a
/// person asked where a rule says so, and gives what may be done to a ``CommandRuns``.
///
/// Everything that is read here was written by the jail. Callers, bytes, descriptors and time are bounded, and nothing
/// waits for any of them. One connection is one request: whatever else is said there ends it.
final class CommandDesk {
    /// That have said nothing yet. More wait in the listener's backlog.
    static let mostCallers = 32
    /// That run, or that somebody is asked about.
    static let mostCalls = 32
    /// Nanoseconds that a caller has to say what it wants.
    static let patience: Int64 = 5_000_000_000

    private struct Call {
        let call: CommandCall
        /// nil: it is gone, and what it has started ends.
        var caller: SharedDescriptor?
        /// Until it is started: nobody has said yes yet.
        var streams: [SharedDescriptor]?
        var approval: UInt64?
        /// Why it ends before it wants to.
        var reason: String?
        let began = System.monotonicNanoseconds()
        /// For the log.
        let text: CommandText
    }

    private let policy: CommandPolicy
    private let asksUnlisted: Bool
    private let texts: CommandTexts
    private let runs: any CommandRuns
    private let admits: (SharedDescriptor) -> Bool
    private var listener: SharedDescriptor?
    private var silent = SilentCallers(patience: patience)
    private var calls: [UInt32: Call] = [:]
    private var lastNumber: UInt32 = 0
    private var rate = RequestRate.commands
    private var refusals = DenialNotes()
    private var surplus = SurplusCalls()
    private var notices: [JailNotice] = []
    private var questions: [CommandQuestion] = []

    /// - Parameters:
    ///   - profile: for people.
    ///   - asksUnlisted: a person is asked about calls that no rule allows as well, see ``CommandPolicy/approvable(_:unlisted:)``.
    ///   - admits: whether who is connected is a process of the jail.
    init(
        _ plan: CommandsPlan, profile: String, asksUnlisted: Bool, _ runs: any CommandRuns,
        admits: @escaping (SharedDescriptor) -> Bool
    ) {
        self.asksUnlisted = asksUnlisted
        policy = CommandPolicy(plan.rules)
        texts = CommandTexts(plan, profile: profile)
        self.runs = runs
        self.admits = admits
    }

    // MARK: Launch and end

    /// Takes the socket that init has made. Whatever else came in its place ends the launch.
    func adopt(_ descriptors: [SharedDescriptor]) throws(SystemError) {
        guard listener == nil, descriptors.count == 1,
            try System.isListening(descriptors[0].borrowed, .sequencedPacket)
        else { throw SystemError(.check, .invalid) }
        listener = descriptors[0]
    }

    var isReady: Bool { listener != nil }

    /// Nobody is heard any more, and every command ends.
    func end() {
        listener = nil
        silent.removeAll()
        runs.endAll()
        // What makes no sense would end the jail, which is ending.
        try? takeReports()
        for (number, call) in calls {
            if call.streams != nil { questions.append(.withdrawn(number)) }
            answer(call.caller, .refused(status: ended, reason: "the jail ends", remedy: nil))
            tell(.event(call.text.ended(status: nil, note: "the jail ends", since: call.began)))
        }
        calls = [:]
    }

    private let ended = UInt8(ExitStatus.launchFailed)

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        var entries = silent.pollEntries + runs.pollEntries
        for call in calls.values {
            if let caller = call.caller { entries.append(.init(caller.borrowed, System.PollEvents.readable)) }
        }
        if let listener, room > 0 { entries.append(.init(listener.borrowed, System.PollEvents.readable)) }
        return entries
    }

    /// Monotonic nanoseconds at which ``handle(_:)`` wants to be called though nothing is ready.
    var due: Int64? { [silent.due, refusals.due, runs.due, surplus.due].compactMap { $0 }.min() }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        try runs.handle(ready)
        try takeReports()
        for (number, call) in calls {
            if let caller = call.caller, ready[caller.borrowed] != nil { try hearMore(number, caller) }
        }
        for caller in silent.takeSpeaking(ready) { try hear(caller) }
        if let listener, ready[listener.borrowed] != nil {
            for caller in silent.accept(listener, room: room, admitting: isAdmitted) { try hear(caller) }
        }
        // What could be told at once.
        try takeReports()
        let now = System.monotonicNanoseconds()
        notices += refusals.due(now).map { .note($0) } + surplus.due(now)
    }

    /// For further callers.
    private var room: Int { max(0, Self.mostCallers - silent.count) }

    private func isAdmitted(_ caller: SharedDescriptor) -> Bool {
        if admits(caller) { return true }
        guard isInTime() else { return false }
        refuse(caller, .empty, CommandRefusal("whoever asks is no process of this jail"))
        return false
    }

    /// What is to be told since the last time.
    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    private func tell(_ notice: JailNotice) { notices.append(notice) }

    // MARK: Requests

    private func hear(_ caller: SharedDescriptor) throws(SystemError) {
        let received: (bytes: [UInt8], descriptors: [Int32])
        do throws(SystemError) {
            received = try System.receive(
                caller.borrowed, most: CommandRequest.sizeLimit, descriptors: CommandRequest.streams)
        } catch {
            // Whoever is gone has no answer.
            guard error.errno == .messageTooLong else { return }
            return refuse(caller, .empty, .malformed)
        }
        let streams = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
        if received.bytes.isEmpty { return }
        guard isInTime() else { return answer(caller, CommandRefusal.tooFast.answer) }
        guard let request = CommandRequest(bytes: received.bytes) else { return refuse(caller, .empty, .malformed) }
        let (verdict, words) = policy.judge(bytes: request.words)
        let grant: CommandGrant
        var denial: CommandDenial?
        switch verdict {
        case .allow(let allowed): grant = allowed
        case .deny(let why):
            guard let asked = policy.approvable(words, unlisted: asksUnlisted) else {
                return refuse(caller, texts.text(of: request, words, why), texts.refusal(why, words, policy))
            }
            (grant, denial) = (asked, why)
        }
        let text = texts.text(of: grant)
        do throws(CommandRefusal) { try check(streams) } catch { return refuse(caller, text, error) }
        let call = CommandCall(grant: grant, terminal: request.terminal.map(CommandCall.Size.init))
        repeat { lastNumber &+= 1 } while calls[lastNumber] != nil
        calls[lastNumber] = Call(call: call, caller: caller, streams: streams, text: text)
        guard denial != nil || grant.rule.asks else { return try start(lastNumber) }
        questions.append(texts.question(words, grant, denial, lastNumber))
    }

    /// Every call is counted, and those that come too fast are not looked at.
    private func isInTime() -> Bool {
        if rate.take() { return true }
        notices += surplus.add(System.monotonicNanoseconds())
        return false
    }

    private func check(_ streams: [SharedDescriptor]) throws(CommandRefusal) {
        guard calls.count < Self.mostCalls else { throw .tooMany }
        do throws(SystemError) {
            guard streams.count == CommandRequest.streams else { throw SystemError(.check, .invalid) }
            for stream in streams where try !ExecStream.mayBeGiven(stream.borrowed) {
                throw SystemError(.check, .invalid)
            }
        } catch { throw .streams }
    }

    /// Once: what was given to somebody who runs it is not there any more.
    private func start(_ number: UInt32) throws(SystemError) {
        guard let call = calls[number], let streams = call.streams else { throw SystemError(.check, .invalid) }
        calls[number]?.streams = nil
        var isStarted = false
        do throws(SystemError) {
            isStarted = try withExtendedLifetime(streams) { () throws(SystemError) in
                try runs.start(call.call, streams: streams, number: number)
            }
        } catch {
            guard error.errno.isShortage else { throw error }
        }
        guard isStarted else {
            calls[number] = nil
            return refuse(call.caller, call.text, .busy)
        }
        answer(call.caller, .accepted)
        tell(.event(call.text.started(approval: call.approval)))
    }

    // MARK: What follows

    private func hearMore(_ number: UInt32, _ caller: SharedDescriptor) throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receive(caller.borrowed, most: CommandFollowUp.size).bytes
        } catch {
            if error.errno == .wouldBlock { return }
            // More than a word, or a descriptor beside it: as good as a second request.
            return try giveUp(number, error.errno == .messageTooLong ? Self.surprise : Self.gone)
        }
        if bytes.isEmpty { return try giveUp(number, Self.gone) }
        guard let call = calls[number] else { return }
        switch CommandFollowUp(bytes: bytes) {
        case .signal(let signal)?:
            if call.streams == nil { return try runs.signal(number, signal) }
            // Nothing is there yet that could make something of it.
            guard CommandFollowUp.ending.contains(signal) else { return }
            answer(caller, .ended(status: 128 + signal, note: nil))
            try giveUp(number, "its caller did not want to wait")
        case .size(let size)?:
            guard call.streams == nil, call.call.terminal != nil else { return }
            try runs.resize(number, CommandCall.Size(size))
        case nil: try giveUp(number, Self.surprise)
        }
    }

    private static let gone = "its caller is gone"
    private static let surprise = "its caller said what nothing of clawjail's says"

    /// Nobody waits for it any more: it does not begin, or it ends.
    private func giveUp(_ number: UInt32, _ why: String) throws(SystemError) {
        guard let call = calls[number] else { return }
        calls[number]?.caller = nil
        if call.streams == nil {
            calls[number]?.reason = why
            return try runs.end(number)
        }
        questions.append(.withdrawn(number))
        calls[number] = nil
        tell(.event(call.text.ended(status: nil, note: why, since: call.began)))
    }

    private func takeReports() throws(SystemError) {
        notices += runs.takeNotices()
        for report in runs.takeReports() {
            guard let call = calls.removeValue(forKey: report.number), call.streams == nil else {
                throw SystemError(.check, .invalid)
            }
            switch report {
            case .ended(_, let status, let note):
                let status = UInt8(clamping: status)
                answer(call.caller, .ended(status: status, note: note))
                tell(.event(call.text.ended(status: status, note: call.reason ?? note, since: call.began)))
            case .failed(_, let status, let reason):
                refuse(call.caller, call.text, CommandRefusal(reason, status: UInt8(clamping: status)))
            }
        }
    }

    // MARK: Asking

    /// What a person is to be asked since the last time, and what not any more.
    func takeQuestions() -> [CommandQuestion] {
        defer { questions = [] }
        return questions
    }

    /// What became of a question. One whose caller has gone meanwhile is nobody's.
    func answer(_ number: UInt32, _ answer: ApprovalAnswer) throws(SystemError) {
        guard let call = calls[number], call.streams != nil else { return }
        switch answer {
        case .granted(let approval):
            calls[number]?.approval = approval
            try start(number)
            // What could be told at once.
            try takeReports()
        case .denied(let denial):
            calls[number] = nil
            refuse(call.caller, call.text, texts.refusal(denial, call.call.grant))
        }
    }

    // MARK: Answers

    private func answer(_ caller: SharedDescriptor?, _ answer: CommandAnswer) {
        guard let caller else { return }
        // One small packet always has room; whoever does not read it, or is gone, has no answer.
        withExtendedLifetime(caller) { try? System.send(caller.borrowed, answer.bytes) }
    }

    private func refuse(_ caller: SharedDescriptor?, _ text: CommandText, _ refusal: CommandRefusal) {
        answer(caller, refusal.answer)
        tell(.event(text.refused(refusal)))
        let line = "command \(refusal.isDenial ? "denied" : "failed"): \(text.line)\(refusal.text)"
        if let line = refusals.add(line, now: System.monotonicNanoseconds()) { tell(.note(line)) }
    }
}

/// What a person is to be asked about a call.
enum CommandQuestion: Equatable {
    /// The command's words as they were called, where it runs, why it is asked, and the number of the call.
    case asked([String], place: String, why: String, UInt32)
    case withdrawn(UInt32)
}

extension CommandCall.Size {
    init(_ size: TerminalSize) { self.init(rows: size.rows, columns: size.columns) }
}
