internal import JailCore

/// The guardian, as a supervisor below it sees it: what it has inherited from there, and a channel, which is its lifeline.
package final class GuardianLink {
    /// For the state file.
    let guardian: Int32
    /// How often the jail was started before.
    let restarts: Int
    /// Non-blocking; hangs up when the guardian has ended.
    let channel: SharedDescriptor
    private let directory: RunDirectory
    private let listener: SharedDescriptor
    /// What did not fit yet, in order.
    private var unsent: [(word: GuardianWord, caller: SharedDescriptor?)] = []

    init(
        guardian: Int32, restarts: Int, channel: SharedDescriptor, directory: consuming RunDirectory,
        listener: SharedDescriptor
    ) {
        self.guardian = guardian
        self.restarts = restarts
        self.channel = channel
        self.directory = directory
        self.listener = listener
    }

    /// The name, which the guardian has claimed, and whose lock both hold.
    func openDirectory() throws(JailError) -> RunDirectory { try directory.duplicate() }

    /// The socket of the run directory. Whoever connects from now on hears that this process is behind it.
    func takeListener() throws(JailError) -> OwnedDescriptor {
        try attempt(.runtime, RunDirectory.socketFile) { () throws(SystemError) in
            try System.listen(listener.borrowed)
            return listener.take()
        }
    }

    /// Whether there is one still.
    var isThere: Bool {
        guard let events = try? System.pollNow(channel.borrowed) else { return false }
        return events & System.PollEvents.hangUp == 0
    }

    /// Told already, and never taken back.
    private var isFinal = false

    func tell(_ word: GuardianWord, _ caller: SharedDescriptor? = nil) {
        if word == .final {
            if isFinal, caller == nil { return }
            isFinal = true
        }
        unsent.append((word, caller))
        flush()
    }

    /// Says what is left to say. A guardian that is gone needs no telling.
    func flush() {
        while let (word, caller) = unsent.first {
            do throws(SystemError) {
                try withExtendedLifetime(caller) { () throws(SystemError) in
                    try System.send(channel.borrowed, word.bytes, descriptors: caller.map { [$0.borrowed] } ?? [])
                }
            } catch {
                if error.errno.isShortage { return }
            }
            unsent.removeFirst()
        }
    }

    /// What the guardian wants; nil: nothing more now. ``SystemError`` EPIPE: it is gone.
    func hear() throws(SystemError) -> GuardianOrder? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receiveUpToEnd(channel.borrowed, most: GuardianOrder.size).bytes
        } catch {
            if error.errno == .wouldBlock { return nil }
            throw error
        }
        guard !bytes.isEmpty else { throw SystemError(.recvmsg, .brokenPipe) }
        guard let order = GuardianOrder(bytes) else { throw SystemError(.check, .invalid) }
        return order
    }
}
