/// Lines to the host's log: systemd's journal in its own protocol, or where there is none syslog(3)'s socket. Never waits.
package final class JournalSocket {
    /// Of syslog(3).
    package enum Facility: Int, Sendable {
        case daemon = 3
        /// Security and authorization, for what only the administrator reads.
        case authorization = 10
    }

    private let identifier: String
    private let facility: Facility
    private let journal: String
    private let syslog: String
    private var socket: SharedDescriptor?

    /// systemd.io/JOURNAL_NATIVE_PROTOCOL and syslog(3).
    package init(
        identifier: String, facility: Facility, journal: String = "/run/systemd/journal/socket",
        syslog: String = "/dev/log"
    ) {
        self.identifier = identifier
        self.facility = facility
        self.journal = journal
        self.syslog = syslog
    }

    /// - Parameters:
    ///   - message: one line.
    ///   - priority: of syslog(3), 0 to 7.
    ///   - fields: names of capital letters with values of one line; for the journal alone.
    /// - Throws: ENOENT: this host has neither.
    package func send(_ message: String, priority: Int, fields: [(String, String)]) throws(SystemError) {
        let socket = try open()
        let lines = [
            ("MESSAGE", message), ("PRIORITY", "\(priority)"), ("SYSLOG_IDENTIFIER", identifier),
            ("SYSLOG_FACILITY", "\(facility.rawValue)"),
        ]
        let text = (lines + fields).map { "\($0.0)=\($0.1.printable)\n" }.joined()
        do throws(SystemError) {
            try System.sendDatagram(socket.borrowed, to: Array(journal.utf8), Array(text.utf8))
        } catch {
            guard [.notFound, .connectionRefused].contains(error.errno) else { throw error }
            let line =
                "<\(facility.rawValue << 3 | priority)>\(identifier)[\(System.processID)]: \(message.printable)"
            try System.sendDatagram(socket.borrowed, to: Array(syslog.utf8), Array(line.utf8))
        }
    }

    private func open() throws(SystemError) -> SharedDescriptor {
        if let socket { return socket }
        let made = SharedDescriptor(try System.makeUnixSocket(.datagram))
        socket = made
        return made
    }
}
