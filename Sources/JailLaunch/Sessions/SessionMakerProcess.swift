internal import Glibc
internal import JailCore
internal import JailPlan

/// The maker of sessions, as the supervisor holds it.
final class SessionMakerProcess {
    private let pid: Int32
    let pidfd: SharedDescriptor
    /// Non-blocking.
    let channel: SharedDescriptor
    private var isEnded = false

    /// Milliseconds that it has to open what it needs.
    private static let patience: Int32 = 10_000
    /// Milliseconds that it has to end its sessions.
    private static let endPatience: Int32 = 15_000

    /// Forks. Before the clone of init, so that nothing of that is in it.
    init(
        _ gateway: LaunchPlan, _ sessions: SessionsPlan, _ starter: any SessionStarter
    ) throws(JailError) {
        let (ours, theirs) = try attempt(.session) { () throws(SystemError) in
            try System.makeSocketPair(.sequencedPacket).release()
        }
        let channel = SharedDescriptor(OwnedDescriptor(ours))
        let pid = try attempt(.session) { () throws(SystemError) in try System.fork() }
        if pid == 0 {
            // Whoever holds both ends of a socket never sees it end.
            System.close(channel.take().release())
            SessionMaker.run(gateway, sessions, starter, control: theirs)
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

    /// Waits until it has opened what it will need.
    func awaitReady() throws(JailError) {
        var entries = [System.PollEntry(channel.borrowed, System.PollEvents.readable)]
        let report = try attempt(.session) { () throws(SystemError) in
            try System.poll(&entries, milliseconds: Self.patience)
            return try receive()
        }
        switch report {
        case .ready: return
        case .failed(let text):
            throw JailError(
                .session, reason: "the maker of sessions did not start: \(text)",
                hint: "start again: what sessions.workspaces names was replaced meanwhile")
        default: throw JailError(.session, reason: "the maker of sessions did not start")
        }
    }

    /// False if it takes no more now, or is gone.
    func send(_ order: SessionOrder, number: UInt32) throws(SystemError) -> Bool {
        guard let bytes = order.bytes(number: number) else { return false }
        do throws(SystemError) {
            try System.send(channel.borrowed, bytes)
            return true
        } catch {
            guard error.errno.isShortage || [.brokenPipe, .connectionReset].contains(error.errno) else { throw error }
            return false
        }
    }

    /// What it says next; nil: nothing now, see ``hasEnded``. What makes no sense throws.
    func receive() throws(SystemError) -> SessionMakerReport? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receive(channel.borrowed, most: SessionFields.sizeLimit).bytes
        } catch {
            if error.errno == .wouldBlock { return nil }
            guard error.errno == .connectionReset else { throw error }
            hasEnded = true
            return nil
        }
        if bytes.isEmpty {
            hasEnded = true
            return nil
        }
        guard let report = SessionMakerReport(bytes) else { throw SystemError(.check, .invalid) }
        return report
    }
    private(set) var hasEnded = false

    /// Ends it and every session, and waits for that. A second time does nothing.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        // What it reads next is the end.
        try? System.shutdownWriting(channel.borrowed)
        var entries = [System.PollEntry(pidfd.borrowed, System.PollEvents.readable)]
        let waited: Void? = try? System.poll(&entries, milliseconds: Self.endPatience)
        if waited == nil || entries[0].returned == 0 { try? System.kill(pid, SIGKILL) }
        _ = try? System.wait(forChild: pid)
    }

    deinit { end() }
}
