package import JailCore

/// What a caller outside asks of a running jail's supervisor: one packet on a connection of its own to the socket in the
/// jail's run directory (SOCK_SEQPACKET). A byte that says what it is, and what belongs to it.
package enum ControlRequest {
    /// SIGTERM, the profile's grace, then SIGKILL. The connection stays open until the jail is gone.
    case stop
    case kill
    /// Execute a command: see ``ExecRequest``, which comes as a file in memory, followed by three standard streams unless
    /// it wants a terminal.
    case execute(SharedDescriptor, streams: [SharedDescriptor])
    /// Send a signal to everything that an exec has started, see ``ExecRequest/id``.
    case signal(id: String, signal: Int32)
    /// What the jail is doing, as JSON.
    case state
    /// Every process in the jail stands still until it is resumed.
    case pause
    case resume
    /// What the jail was made from, as JSON, in a file: see ``ControlReply/file``.
    case plan
    /// The file systems of the jail's own, to be copied: their paths as JSON, in ``ControlReply/state(_:)``, and as many
    /// descriptors of places, see O_PATH in open(2).
    case fileSystems
    /// Everybody stands still until the jail is killed, and the network is cut.
    case lockdown(LockdownOrder)
    /// Where the evidence of a locked-down jail is.
    case seal(LockdownSeal)
    /// Whoever gets this connection may execute, signal, ask and end, and nothing else: it is about to be handed into
    /// another jail.
    case restrict
    /// What came of verifying it, to be recorded.
    case verified(VerificationRecord)
    /// What has happened in it, in numbers, as JSON: see ``Figures``.
    case figures
    /// Its last events, as JSON: see ``RecentEvents``.
    case recent
    /// A snapshot was made of its data: see ``SnapshotNote``.
    case saved(SnapshotNote)
    /// A secret was changed outside: see ``SecretNote``. Answered once the jail has read it.
    case secret(SecretNote)
    /// What waits for approval, or what somebody says to it: see ``ApprovalOrder``. The queue comes as JSON, in a file, and
    /// what came of a decision as a text in ``ControlReply/state(_:)``.
    case approvals(ApprovalOrder)

    private enum Kind: UInt8 {
        case stop = 0x53
        case kill = 0x4B
        case execute = 0x45
        case signal = 0x49
        case state = 0x51
        case pause = 0x50
        case resume = 0x52
        case plan = 0x4C
        case fileSystems = 0x46
        case lockdown = 0x58
        case seal = 0x59
        case restrict = 0x4E
        case verified = 0x56
        case figures = 0x47
        case recent = 0x48
        case saved = 0x44
        case secret = 0x43
        case approvals = 0x41
    }

    /// Of the packet.
    static let sizeLimit = 8192
    static let mostDescriptors = 4

    /// - Parameter bytes: nothing that came with a request is trusted, whoever sent it.
    init?(_ bytes: [UInt8], _ descriptors: [SharedDescriptor]) {
        guard let kind = bytes.first.flatMap(Kind.init(rawValue:)) else { return nil }
        switch kind {
        case .stop where bytes.count == 1 && descriptors.isEmpty: self = .stop
        case .kill where bytes.count == 1 && descriptors.isEmpty: self = .kill
        case .state where bytes.count == 1 && descriptors.isEmpty: self = .state
        case .pause where bytes.count == 1 && descriptors.isEmpty: self = .pause
        case .resume where bytes.count == 1 && descriptors.isEmpty: self = .resume
        case .plan where bytes.count == 1 && descriptors.isEmpty: self = .plan
        case .fileSystems where bytes.count == 1 && descriptors.isEmpty: self = .fileSystems
        case .restrict where bytes.count == 1 && descriptors.isEmpty: self = .restrict
        case .lockdown where descriptors.isEmpty:
            guard let order = LockdownOrder(bytes: Array(bytes.dropFirst())) else { return nil }
            self = .lockdown(order)
        case .seal where descriptors.isEmpty:
            guard let seal = LockdownSeal(bytes: Array(bytes.dropFirst())) else { return nil }
            self = .seal(seal)
        case .verified where descriptors.isEmpty:
            guard let record = VerificationRecord(bytes: Array(bytes.dropFirst())) else { return nil }
            self = .verified(record)
        case .figures where bytes.count == 1 && descriptors.isEmpty: self = .figures
        case .recent where bytes.count == 1 && descriptors.isEmpty: self = .recent
        case .saved where descriptors.isEmpty:
            guard let note = SnapshotNote(bytes: Array(bytes.dropFirst())) else { return nil }
            self = .saved(note)
        case .secret where descriptors.isEmpty:
            guard let note = SecretNote(bytes: Array(bytes.dropFirst())) else { return nil }
            self = .secret(note)
        case .approvals where descriptors.isEmpty:
            guard let order = ApprovalOrder(bytes: Array(bytes.dropFirst())) else { return nil }
            self = .approvals(order)
        case .execute where bytes.count == 1 && (descriptors.count == 1 || descriptors.count == 4):
            self = .execute(descriptors[0], streams: Array(descriptors.dropFirst()))
        case .signal
        where bytes.count > 2 && bytes.count <= 2 + ExecRequest.longestID && descriptors.isEmpty
            && (1...64).contains(bytes[1]):
            let id = String(decoding: bytes.dropFirst(2), as: UTF8.self)
            guard ExecRequest.isValid(id: id) else { return nil }
            self = .signal(id: id, signal: Int32(bytes[1]))
        default: return nil
        }
    }

    package var bytes: [UInt8] {
        switch self {
        case .stop: [Kind.stop.rawValue]
        case .kill: [Kind.kill.rawValue]
        case .execute: [Kind.execute.rawValue]
        case .signal(let id, let signal): [Kind.signal.rawValue, UInt8(truncatingIfNeeded: signal)] + Array(id.utf8)
        case .state: [Kind.state.rawValue]
        case .pause: [Kind.pause.rawValue]
        case .resume: [Kind.resume.rawValue]
        case .plan: [Kind.plan.rawValue]
        case .fileSystems: [Kind.fileSystems.rawValue]
        case .restrict: [Kind.restrict.rawValue]
        case .lockdown(let order): [Kind.lockdown.rawValue] + order.bytes
        case .seal(let seal): [Kind.seal.rawValue] + seal.bytes
        case .verified(let record): [Kind.verified.rawValue] + record.bytes
        case .figures: [Kind.figures.rawValue]
        case .recent: [Kind.recent.rawValue]
        case .saved(let note): [Kind.saved.rawValue] + note.bytes
        case .secret(let note): [Kind.secret.rawValue] + note.bytes
        case .approvals(let order): [Kind.approvals.rawValue] + order.bytes
        }
    }

    /// Whether somebody inside another jail may ask it, through a connection that was handed in.
    var isForOtherJails: Bool {
        switch self {
        case .stop, .kill, .execute, .signal, .state: true
        case .pause, .resume, .plan, .fileSystems, .lockdown, .seal, .restrict, .verified, .figures, .recent, .saved,
            .secret, .approvals:
            false
        }
    }

    package var descriptors: [SharedDescriptor] {
        if case .execute(let file, let streams) = self { [file] + streams } else { [] }
    }
}

/// What the supervisor answers.
package enum ControlReply: Equatable {
    /// The command runs. Carries its terminal's master, if it asked for one.
    case started
    /// It has ended: 0–255, or 128+N.
    case ended(Int32)
    /// It was not done: the status to leave with, and why, on one line.
    case refused(Int32, String)
    case done
    /// What was asked for, as JSON.
    case state(String)
    /// Carries a sealed file in memory with the answer: more than a packet holds.
    case file

    private enum Kind: UInt8 { case started = 1, ended, refused, done, state, file }

    package static let sizeLimit = 8192
    /// Of the text that answers ``ControlRequest/recent``.
    package static let largestText = 1 << 16

    package init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first.flatMap(Kind.init(rawValue:)) else { return nil }
        let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
        switch kind {
        case .started: self = .started
        case .done: self = .done
        case .file: self = .file
        case .ended where bytes.count == 2: self = .ended(Int32(bytes[1]))
        case .refused where bytes.count > 2: self = .refused(Int32(bytes[1]), text)
        case .state where bytes.count > 2: self = .state(text)
        default: return nil
        }
    }

    package var bytes: [UInt8] {
        switch self {
        case .started: [Kind.started.rawValue]
        case .done: [Kind.done.rawValue]
        case .file: [Kind.file.rawValue]
        case .ended(let status): [Kind.ended.rawValue, UInt8(clamping: status)]
        case .refused(let status, let text): [Kind.refused.rawValue, UInt8(clamping: status)] + text.utf8.prefix(4096)
        case .state(let text): [Kind.state.rawValue, 0] + Array(text.utf8)
        }
    }
}

/// The supervisor's listener for ``ControlRequest``s.
struct ControlSocket {
    /// Callers that have said nothing yet; more wait in the listener's backlog.
    private static let mostSilent = 64
    /// Nanoseconds that one has to say what it wants.
    private static let patience: Int64 = 10_000_000_000

    private let listener: SharedDescriptor
    private var silent = SilentCallers(patience: patience)
    /// Those that wait for the end of the jail: closing is the answer.
    private var waiting: [SharedDescriptor] = []

    /// Of the silent ones, those in another jail's hands.
    private var restricted: [SharedDescriptor] = []

    init(_ listener: consuming OwnedDescriptor) { self.init(SharedDescriptor(listener)) }

    init(_ listener: SharedDescriptor) { self.listener = listener }

    var pollEntries: [System.PollEntry] {
        var entries = silent.pollEntries
        if silent.count < Self.mostSilent { entries.append(.init(listener.borrowed, System.PollEvents.readable)) }
        return entries
    }

    /// Monotonic nanoseconds at which somebody has been silent for too long.
    var due: Int64? { silent.due }

    /// Takes new callers and hears those that speak. Others than this user and root are sent away.
    mutating func handle(_ ready: System.PollResult) -> [(request: ControlRequest, caller: SharedDescriptor)] {
        var speaking = silent.takeSpeaking(ready)
        restricted.removeAll { caller in !silent.contains(caller) && !speaking.contains { $0 === caller } }
        if ready[listener.borrowed] != nil {
            speaking += silent.accept(listener, room: Self.mostSilent - silent.count, admitting: Self.mayCall)
        }
        var requests: [(request: ControlRequest, caller: SharedDescriptor)] = []
        for caller in speaking {
            // A caller that says something else, or that it is gone, is let go.
            let isRestricted = restricted.contains { $0 === caller }
            restricted.removeAll { $0 === caller }
            guard let request = Self.read(caller), !isRestricted || request.isForOtherJails else { continue }
            switch request {
            case .stop, .kill: waiting.append(caller)
            case .restrict:
                restricted.append(caller)
                silent.keep(caller)
                continue
            case .execute, .signal, .state, .pause, .resume, .figures, .recent, .plan, .fileSystems, .lockdown, .seal,
                .verified, .saved, .secret, .approvals:
                break
            }
            requests.append((request, caller))
        }
        return requests
    }

    private static func mayCall(_ caller: SharedDescriptor) -> Bool {
        guard let peer = try? System.peer(of: caller.borrowed) else { return false }
        return peer.uid == 0 || peer.uid == System.effectiveUserID
    }

    private static func read(_ caller: SharedDescriptor) -> ControlRequest? {
        guard
            let received = try? System.receive(
                caller.borrowed, most: ControlRequest.sizeLimit, descriptors: ControlRequest.mostDescriptors)
        else { return nil }
        return ControlRequest(received.bytes, received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) })
    }
}
