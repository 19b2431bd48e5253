package import JailCore

/// Lines to the host's journal in its own protocol (systemd's "Journal Native Protocol"), or to syslog (RFC 3164) where there
/// is none. Nobody is waited for.
package struct JournalSocket {
    private static let journal = "/run/systemd/journal/socket"
    private static let syslog = "/dev/log"

    private let socket: SharedDescriptor
    private let path: String
    private let identifier: String

    /// nil: this host has neither.
    package init?(identifier: String) {
        guard let socket = try? System.makeUnixSocket(.datagram) else { return nil }
        self.socket = SharedDescriptor(socket)
        self.identifier = identifier
        for path in [Self.journal, Self.syslog] {
            guard (try? System.connect(self.socket.borrowed, path: path)) != nil else { continue }
            self.path = path
            try? System.setNonBlocking(self.socket.borrowed)
            return
        }
        return nil
    }

    /// - Parameters:
    ///   - priority: of syslog(3); 5 is "notice".
    ///   - fields: for the journal alone. Their values have no line feeds.
    package func send(
        _ text: String, _ fields: [(String, String)] = [], priority: Int = 5
    ) throws(SystemError) {
        let message: String
        if path == Self.journal {
            let all = [("MESSAGE", text), ("PRIORITY", "\(priority)"), ("SYSLOG_IDENTIFIER", identifier)] + fields
            message = all.map { "\($0)=\($1.printable)\n" }.joined()
        } else {
            // Facility 10: security and authorization.
            message = "<\(80 + priority)>\(identifier): \(text.printable)"
        }
        do throws(SystemError) { try System.send(socket.borrowed, Array(message.utf8)) } catch {
            // The journal was started anew meanwhile.
            guard [.connectionRefused, .notFound, .connectionReset].contains(error.errno) else { throw error }
            try System.connect(socket.borrowed, path: path)
            try System.send(socket.borrowed, Array(message.utf8))
        }
    }
}
