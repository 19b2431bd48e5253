internal import JailCore
internal import JailPlan

/// Where anybody of this host reaches the supervisor of a jail that root has started, whose run directory is root's alone. Nothing
/// but approvals' orders is heard here, and who may give them is for ``AccessDesk``.
///
/// Whoever calls is a stranger until that has looked: callers, their requests and their time are bounded, for each user and for
/// all, so that one cannot keep the others out.
struct DeciderSocket {
    /// Callers that have said nothing yet; more wait in the listener's backlog.
    static let mostSilent = 32
    static let mostOfOne = 8
    /// Nanoseconds that one has to say what it wants.
    private static let patience: Int64 = 5_000_000_000

    private let listener: SharedDescriptor
    private var silent = SilentCallers(patience: patience)
    private var rates = CallerRates()

    init(_ listener: consuming OwnedDescriptor) { self.listener = SharedDescriptor(listener) }

    var pollEntries: [System.PollEntry] {
        var entries = silent.pollEntries
        if silent.count < Self.mostSilent { entries.append(.init(listener.borrowed, System.PollEvents.readable)) }
        return entries
    }

    /// Monotonic nanoseconds at which somebody has been silent for too long.
    var due: Int64? { silent.due }

    mutating func handle(
        _ ready: System.PollResult, now: Int64 = System.monotonicNanoseconds()
    ) -> [(order: ApprovalOrder, caller: SharedDescriptor)] {
        var speaking = silent.takeSpeaking(ready)
        if ready[listener.borrowed] != nil {
            var rates = rates
            var counts: [UInt32: Int] = [:]
            for uid in silent.callers.compactMap(Self.uid) { counts[uid, default: 0] += 1 }
            speaking += silent.accept(listener, room: Self.mostSilent - silent.count) { caller in
                guard let uid = Self.uid(caller), rates.take(uid, now: now), counts[uid, default: 0] < Self.mostOfOne
                else { return false }
                counts[uid, default: 0] += 1
                return true
            }
            self.rates = rates
        }
        return speaking.compactMap { caller in Self.read(caller).map { ($0, caller) } }
    }

    private static func uid(_ caller: SharedDescriptor) -> UInt32? {
        withExtendedLifetime(caller) { (try? System.peer(of: caller.borrowed))?.uid }
    }

    /// nil: something else than an order, and whoever has said it is let go.
    private static func read(_ caller: SharedDescriptor) -> ApprovalOrder? {
        guard
            let received = try? System.receive(
                caller.borrowed, most: ControlRequest.sizeLimit, descriptors: ControlRequest.mostDescriptors)
        else { return nil }
        let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
        guard case .approvals(let order)? = ControlRequest(received.bytes, descriptors) else { return nil }
        return order
    }
}

/// How often each user may call.
struct CallerRates {
    /// At once.
    static let most: Int64 = 20
    /// Nanoseconds until one more may come.
    static let interval: Int64 = 100_000_000
    /// Users whose calls are counted at the same time; the root of this host always finds room.
    static let mostUsers = 256

    private var users: [UInt32: (left: Int64, since: Int64)] = [:]

    /// Whether one may come now; it is counted then.
    mutating func take(_ uid: UInt32, now: Int64) -> Bool {
        for (uid, user) in users {
            let gained = max(0, now - user.since) / Self.interval
            guard user.left + gained < Self.most else {
                users[uid] = nil
                continue
            }
            users[uid] = (user.left + gained, user.since + gained * Self.interval)
        }
        guard users[uid] != nil || users.count < Self.mostUsers || uid == 0 else { return false }
        let (left, since) = users[uid] ?? (Self.most, now)
        guard left > 0 else { return false }
        users[uid] = (left - 1, since)
        return true
    }
}

extension RunDirectory {
    /// A socket for deciders, under a name that says nothing of the jail. The run directory remembers it: whoever clears that away
    /// removes it as well.
    ///
    /// - Parameter base: the directory of these sockets; made if it is not there, refused if it is not root's.
    func makeDeciderSocket(in base: String = ApprovalsPlan.socketDirectory) throws(JailError) -> OwnedDescriptor {
        try Self.prepareDeciders(base)
        removeDeciderSocket()
        let name: String
        do { name = Self.hexadecimal(try System.randomBytes(16)) + ".sock" } catch {
            throw JailError(.runtime, error, path: base)
        }
        let path = "\(base)/\(name)"
        try write(path, to: Self.decidersFile)
        return try attempt(.runtime, path) { () throws(SystemError) in
            let socket = try System.makeUnixSocket(.sequencedPacket)
            try System.bind(socket.borrowed, path: path)
            // Connecting is writing. Until it listens nobody is let in.
            try System.changeMode(path, 0o666)
            try System.listen(socket.borrowed, backlog: 64)
            try System.setNonBlocking(socket.borrowed)
            return socket
        }
    }

    /// Everybody may enter it, and nobody but root may put something there.
    private static func prepareDeciders(_ base: String) throws(JailError) {
        let status: FileStatus
        do {
            do {
                try System.makeDirectory(base, mode: 0o755)
                try System.changeMode(base, 0o755)
            } catch  where error.errno == .exists {}
            status = try System.status(base)
        } catch { throw JailError(.runtime, error, path: base) }
        guard status.isDirectory, status.uid == System.effectiveUserID, status.permissions == 0o755 else {
            throw JailError(
                .runtime, path: base, reason: "it must be a directory of root's with mode 0755", hint: "remove it")
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return bytes.map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }.joined()
    }
}
