internal import Glibc
internal import JailCore

/// A connection to a service manager's own socket, without a bus in between. Nothing waits beyond the deadline.
final class DBusConnection {
    enum Failure: Error {
        case system(SystemError)
        case format(DBusFormatError)
        /// It has closed the connection.
        case closed
        /// The deadline has passed.
        case late
        /// It belongs to somebody else, or does not know us.
        case refused(String)
    }

    private let socket: SharedDescriptor
    /// Monotonic nanoseconds.
    private let deadline: Int64
    private var unread: [UInt8] = []

    /// Connects, and says who we are.
    ///
    /// - Parameter deadline: monotonic nanoseconds, for everything that is done with the connection.
    init(path: String, deadline: Int64) throws(Failure) {
        self.deadline = deadline
        do throws(SystemError) {
            socket = SharedDescriptor(try System.makeUnixSocket(.stream))
            try System.setNonBlocking(socket.borrowed)
        } catch { throw .system(error) }
        try connect(path)
        try checkPeer()
        try authenticate()
    }

    /// Whoever listens there is to make a group for us: nobody else than this user, or root, may.
    private func checkPeer() throws(Failure) {
        let peer: PeerCredentials
        do { peer = try System.peer(of: socket.borrowed) } catch { throw .system(error) }
        guard peer.uid == 0 || peer.uid == System.effectiveUserID else {
            throw .refused("user \(peer.uid) listens there")
        }
    }

    private func connect(_ path: String) throws(Failure) {
        while true {
            do throws(SystemError) {
                try System.connect(socket.borrowed, path: path)
                return
            } catch {
                // Its backlog is full.
                guard error.errno == .wouldBlock else { throw .system(error) }
            }
            guard System.monotonicNanoseconds() < deadline else { throw .late }
            do { try System.pause(milliseconds: 5) } catch { throw .system(error) }
        }
    }

    /// SASL EXTERNAL: the kernel tells the peer our user id, and we say the same. See "Authentication Protocol" in the
    /// D-Bus specification.
    private func authenticate() throws(Failure) {
        let digits = "\(System.effectiveUserID)".utf8.map { String($0, radix: 16) }.joined()
        try send(Array("\0AUTH EXTERNAL \(digits)\r\nBEGIN\r\n".utf8))
        while true {
            if let end = unread.firstIndex(of: 0x0A) {
                let line = unread[...end]
                unread.removeFirst(end + 1)
                guard line.starts(with: Array("OK ".utf8)), line.dropLast().last == 0x0D else {
                    throw .refused("it does not accept this user")
                }
                return
            }
            guard unread.count < 512 else { throw .format(.tooLong) }
            try receive()
        }
    }

    func send(_ message: DBusMessage) throws(Failure) { try send(message.bytes) }

    private func send(_ bytes: [UInt8]) throws(Failure) {
        // Small, and on a socket that nothing else was written to: it fits, or the peer is none.
        do { try System.send(socket.borrowed, bytes) } catch {
            throw error.errno == .brokenPipe || error.errno == .connectionReset ? .closed : .system(error)
        }
    }

    /// The next message, whatever it is about.
    func next() throws(Failure) -> DBusMessage {
        while true {
            do throws(DBusFormatError) {
                if let length = try DBusMessage.length(of: unread[...]), length <= unread.count {
                    let message = try DBusMessage(unread[..<length])
                    unread.removeFirst(length)
                    return message
                }
            } catch { throw .format(error) }
            try receive()
        }
    }

    /// Waits for more bytes.
    private func receive() throws(Failure) {
        let left = deadline - System.monotonicNanoseconds()
        guard left > 0 else { throw .late }
        do throws(SystemError) {
            var entries = [System.PollEntry(socket.borrowed, System.PollEvents.readable)]
            try System.poll(&entries, milliseconds: Int32(clamping: left / 1_000_000 + 1))
            guard entries[0].returned != 0 else { return }
            let part = try System.read(socket.borrowed, most: 1 << 16)
            guard !part.isEmpty else { throw SystemError(.read, .connectionReset) }
            unread += part
        } catch {
            if error.errno == .wouldBlock { return }
            throw error.errno == .connectionReset ? .closed : .system(error)
        }
    }
}
