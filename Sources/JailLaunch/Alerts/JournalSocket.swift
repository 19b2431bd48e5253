internal import JailCore
internal import JailPolicy

/// Tells the host's log of an alert: systemd's journal in its own protocol, or where there is none syslog(3)'s socket.
/// Never waits.
final class JournalSocket {
    private let journal: String
    private let syslog: String
    private var socket: SharedDescriptor?

    /// systemd.io/JOURNAL_NATIVE_PROTOCOL and syslog(3).
    init(journal: String = "/run/systemd/journal/socket", syslog: String = "/dev/log") {
        self.journal = journal
        self.syslog = syslog
    }

    /// - Parameters:
    ///   - message: one line.
    ///   - fields: names of capital letters with values of one line.
    func send(_ message: String, severity: AlertSeverity, fields: [(String, String)]) throws(SystemError) {
        let socket = try open()
        let lines = [
            ("MESSAGE", message), ("PRIORITY", "\(severity.priority)"), ("SYSLOG_IDENTIFIER", "clawjail"),
            ("SYSLOG_FACILITY", "3"),
        ]
        let text = (lines + fields).map { "\($0.0)=\($0.1.printable)\n" }.joined()
        do throws(SystemError) {
            try System.sendDatagram(socket.borrowed, to: Array(journal.utf8), Array(text.utf8))
        } catch {
            guard [.notFound, .connectionRefused].contains(error.errno) else { throw error }
            // 3: what a daemon says.
            let line = "<\(3 << 3 | severity.priority)>clawjail[\(System.processID)]: \(message.printable)"
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

extension AlertSeverity {
    /// Of syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .info: 6
        case .warning: 4
        case .critical: 2
        }
    }
}
