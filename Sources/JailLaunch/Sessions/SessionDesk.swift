internal import JailApprovals
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of a jail's requests for sessions: takes callers, reads what they want, lets ``SessionVetting``
/// decide, and passes on what may be done.
///
/// Everything that is read here was written by the jail. Callers, bytes, descriptors and time are bounded, and nothing
/// waits for any of them.
final class SessionDesk {
    /// More callers at the same time wait in the listener's backlog.
    static let mostCallers = 32
    /// Nanoseconds that one has to say what it wants.
    static let patience: Int64 = 5_000_000_000
    /// Requests that wait for somebody to say yes: others still find room.
    static let mostAsking = 16
    /// Reports of the maker's for each turn of the loop.
    private static let mostReports = 64

    private let gateway: LaunchPlan
    private let sessions: SessionsPlan
    private let vetting: SessionVetting
    private let maker: SessionMakerProcess
    private var listener: SharedDescriptor?
    private var silent = SilentCallers(patience: patience)
    /// By the number of their order.
    private var waiting: [UInt32: (caller: SharedDescriptor, id: String)] = [:]
    private var lastNumber: UInt32 = 0
    /// Of a jail whose requests a person decides about.
    private let approvals: ApprovalDesk?
    /// Those that wait for that, by the number of their question.
    private var asking: [UInt64: (caller: SharedDescriptor, order: SessionOrder)] = [:]
    private var lastQuestion: UInt64 = 0
    private var rate = RequestRate.sessions
    private var refusals = DenialNotes()
    private var notices: [JailNotice] = []
    private var hasMaker = true

    init(
        _ gateway: LaunchPlan, _ sessions: SessionsPlan, _ maker: SessionMakerProcess, approvals: ApprovalDesk? = nil
    ) {
        self.gateway = gateway
        self.sessions = sessions
        self.maker = maker
        self.approvals = approvals?.asksForSessions == true ? approvals : nil
        vetting = SessionVetting(plan: sessions, profile: gateway.profile)
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

    /// Nobody is heard any more, and every session ends.
    func end() {
        listener = nil
        silent.removeAll()
        waiting = [:]
        asking = [:]
        maker.end()
        hasMaker = false
    }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        var entries = silent.pollEntries
        if let listener, room > 0 {
            entries.append(.init(listener.borrowed, System.PollEvents.readable))
        }
        entries += asking.values.map { .init($0.caller.borrowed, System.PollEvents.readable) }
        if hasMaker { entries.append(.init(maker.channel.borrowed, System.PollEvents.readable)) }
        return entries
    }

    /// Monotonic nanoseconds at which ``handle(_:)`` wants to be called though nothing is ready.
    var due: Int64? { [silent.due, refusals.due].compactMap { $0 }.min() }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        dropGone(ready)
        if hasMaker, ready[maker.channel.borrowed] != nil { try hearMaker() }
        for caller in silent.takeSpeaking(ready) { try hear(caller) }
        if let listener, ready[listener.borrowed] != nil {
            for caller in silent.accept(listener, room: room) { try hear(caller) }
        }
        notices += refusals.due(System.monotonicNanoseconds()).map { .note($0) }
    }

    /// For further callers.
    private var room: Int { max(0, Self.mostCallers - silent.count - waiting.count - asking.count) }

    /// What is to be told since the last time.
    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    // MARK: Requests

    private func hear(_ caller: SharedDescriptor) throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            // No request brings a descriptor.
            bytes = try System.receive(caller.borrowed, most: SessionFields.sizeLimit).bytes
        } catch {
            guard error.errno == .messageTooLong else { return }
            return refuse(caller, Self.malformed)
        }
        if bytes.isEmpty { return }
        guard let request = SessionRequest(bytes: bytes) else { return refuse(caller, Self.malformed) }
        do throws(SessionVetting.Refusal) {
            switch request {
            case .create(let create):
                let order = try vetting.check(create)
                guard rate.take() else {
                    throw .init(status: ExitStatus.refused, reason: "sessions are made too fast; wait a moment")
                }
                if let approvals { try ask(order, for: caller, approvals) } else { try make(order, for: caller) }
            case .open(let id):
                try SessionVetting.check(id: id)
                try open(id, for: caller)
            case .list: answer(caller, SessionReply(status: 0, ids: RunDirectory.names(in: directory)))
            }
        } catch { refuse(caller, error) }
    }

    private static let malformed = SessionVetting.Refusal(
        status: ExitStatus.usage, reason: "what was sent is no request for a session")

    /// Where the run directories of the sessions are.
    private var directory: String { RunDirectory.sessions(of: gateway.name, in: gateway.runtimeDirectory) }

    // MARK: Approvals

    private func ask(
        _ order: SessionOrder, for caller: SharedDescriptor, _ approvals: ApprovalDesk
    ) throws(SessionVetting.Refusal) {
        guard asking.count < Self.mostAsking else {
            throw .init(status: ExitStatus.refused, reason: "too many sessions wait for approval already")
        }
        lastQuestion += 1
        let session = AskedSession(
            profile: sessions.profile.name,
            directories: order.mounts.map { mount in
                let root = sessions.roots[mount.root].path
                let path = mount.below.isEmpty ? root : "\(root)/\(mount.below)"
                return "'\(path)' as '\(mount.target)'" + (mount.readOnly ? ", read-only" : "")
            }, secrets: order.secrets)
        guard approvals.ask(session: session, why: "the jail asks for session '\(order.id)'", waiter: lastQuestion)
        else {
            throw .init(status: ExitStatus.refused, reason: "it is nothing to be asked about")
        }
        asking[lastQuestion] = (caller, order)
    }

    /// What came of a question: only now the session is made, or is not.
    func answer(_ number: UInt64, _ answer: ApprovalAnswer) {
        // Whoever wanted it may be gone.
        guard let (caller, order) = asking.removeValue(forKey: number) else { return }
        do throws(SessionVetting.Refusal) {
            if case .denied(let denial) = answer {
                throw .init(
                    status: ExitStatus.refused, reason: "an approval was asked for, and not given: \(denial.text)")
            }
            try make(order, for: caller)
        } catch { refuse(caller, error) }
    }

    /// Who has hung up wants no session any more; nor does who says more than it was asked.
    private func dropGone(_ ready: System.PollResult) {
        for (number, asked) in asking where ready[asked.caller.borrowed] != nil {
            asking[number] = nil
            approvals?.withdraw(number, .sessions)
        }
    }

    private func make(_ order: SessionOrder, for caller: SharedDescriptor) throws(SessionVetting.Refusal) {
        lastNumber &+= 1
        let number = lastNumber
        let isSent: Bool
        do throws(SystemError) { isSent = hasMaker ? try maker.send(order, number: number) : false } catch {
            throw .init(status: ExitStatus.launchFailed, reason: "\(error.call.name): \(error.errno)")
        }
        guard isSent else {
            throw .init(status: ExitStatus.launchFailed, reason: "no session can be made: their maker is gone or busy")
        }
        waiting[number] = (caller, order.id)
    }

    /// The caller speaks to the session's supervisor from there on, as any caller outside would.
    private func open(_ id: String, for caller: SharedDescriptor) throws(SessionVetting.Refusal) {
        do throws(SystemError) {
            let state = try System.readFile("\(directory)/\(id)/\(RunDirectory.stateFile)")
            let connection = try RunDirectory.connect(to: "\(directory)/\(id)")
            let reply = SessionReply(status: 0, text: String(decoding: state, as: UTF8.self))
            try withExtendedLifetime(connection) { () throws(SystemError) in
                try System.send(connection.borrowed, ControlRequest.restrict.bytes)
                try System.send(caller.borrowed, reply.bytes ?? [], descriptors: [connection.borrowed])
            }
        } catch {
            switch error.errno {
            case .notFound: throw .init(status: ExitStatus.notThere, reason: "there is no session '\(id)'")
            case .connectionRefused:
                throw .init(status: ExitStatus.notRunning, reason: "session '\(id)' is not running")
            case .wouldBlock: throw .init(status: ExitStatus.launchFailed, reason: "session '\(id)' is busy")
            // Whoever asked is gone.
            case .brokenPipe, .connectionReset: return
            default: throw .init(status: ExitStatus.launchFailed, reason: "\(error.call.name): \(error.errno)")
            }
        }
    }

    private func answer(_ caller: SharedDescriptor, _ reply: SessionReply) {
        // One small packet always has room; whoever does not read it, or is gone, has no answer.
        try? System.send(caller.borrowed, reply.bytes ?? [])
    }

    private func refuse(_ caller: SharedDescriptor, _ refusal: SessionVetting.Refusal) {
        answer(caller, SessionReply(status: refusal.status, text: refusal.text.printable))
        tell(refusal)
    }

    private func tell(_ refusal: SessionVetting.Refusal, id: String? = nil) {
        var event: [(String, JSON)] = [
            ("event", "session"), ("verdict", "refused"), ("status", .number(refusal.status)),
            ("message", .string(refusal.text)),
        ]
        if let id { event.append(("id", .string(id))) }
        if let key = refusal.key { event.append(("key", .string(key))) }
        notices.append(.event(.object(event)))
        // Of what is simply not there nobody outside needs to read.
        guard ![ExitStatus.notThere, ExitStatus.notRunning].contains(refusal.status) else { return }
        tell("session refused: \(refusal.text)")
    }

    private func tell(_ line: String) {
        if let line = refusals.add(line, now: System.monotonicNanoseconds()) { notices.append(.note(line)) }
    }

    // MARK: The maker

    private func hearMaker() throws(SystemError) {
        for _ in 0..<Self.mostReports {
            guard let report = try maker.receive() else {
                if maker.hasEnded { makerEnded() }
                return
            }
            if case .note(let text) = report {
                tell(text)
                continue
            }
            guard case .made(let number, let status, let text) = report else { throw SystemError(.check, .invalid) }
            guard let (caller, id) = waiting.removeValue(forKey: number) else { throw SystemError(.check, .invalid) }
            if status == 0 {
                answer(caller, SessionReply(status: 0))
                notices.append(.event(["event": "session", "verdict": "made", "id": .string(id)]))
            } else {
                answer(caller, SessionReply(status: status, text: inside(text, id)))
                tell(.init(status: status, reason: text), id: id)
            }
        }
    }

    /// The jail goes on without: what it has is not what the maker has made for it.
    private func makerEnded() {
        hasMaker = false
        let text = "the maker of sessions ended, and every session with it; none can be made any more"
        for (number, asked) in asking {
            approvals?.withdraw(number, .sessions)
            answer(asked.caller, SessionReply(status: ExitStatus.launchFailed, text: text))
        }
        asking = [:]
        for (caller, _) in waiting.values { answer(caller, SessionReply(status: ExitStatus.launchFailed, text: text)) }
        waiting = [:]
        notices.append(.note(text))
        notices.append(.event(["event": "session", "verdict": "failed", "message": .string(text)]))
    }

    /// The jail knows its directories and its sessions by other names than the host.
    private func inside(_ text: String, _ id: String) -> String {
        sessions.roots.reduce(text) { $0.replacingAll($1.source, with: $1.mount) }
            .replacingAll("\(gateway.name)/\(id)", with: id)
    }
}

extension String {
    /// (The one of the standard library comes with regular expressions.)
    fileprivate func replacingAll(_ text: String, with other: String) -> String {
        let wanted = Array(text.utf8)
        guard !wanted.isEmpty else { return self }
        var rest = Array(utf8)[...]
        var result: [UInt8] = []
        while let first = rest.first {
            if rest.starts(with: wanted) {
                result += other.utf8
                rest = rest.dropFirst(wanted.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
