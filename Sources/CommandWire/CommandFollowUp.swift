package import JailCore

/// What may come over the connection after the request. Anything else is the end of it, a second request as well.
package enum CommandFollowUp: Equatable, Sendable {
    /// For the command, and as a terminal would send it: one of ``signals``.
    case signal(UInt8)
    /// The terminal has another size now.
    case size(TerminalSize)

    /// Bytes of a packet.
    package static let size = 5

    /// SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT and SIGTSTP. Nobody is to be killed: whoever wants that
    /// hangs up.
    package static let signals: [UInt8] = [1, 2, 3, 10, 12, 15, 18, 20]

    /// Those of them that mean that nobody wants to wait any longer: SIGHUP, SIGINT, SIGQUIT and SIGTERM.
    package static let ending: [UInt8] = [1, 2, 3, 15]

    package var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .signal(let signal):
            writer.byte(1)
            writer.number(UInt32(signal))
        case .size(let size):
            writer.byte(2)
            writer.number(UInt32(size.rows) << 16 | UInt32(size.columns))
        }
        return writer.bytes
    }

    package init?(bytes: [UInt8]) {
        var reader = WireReader(bytes)
        guard let kind = reader.byte(), let value = reader.number(), reader.isAtEnd else { return nil }
        switch kind {
        case 1:
            guard let signal = UInt8(exactly: value), Self.signals.contains(signal) else { return nil }
            self = .signal(signal)
        case 2: self = .size(TerminalSize(rows: UInt16(value >> 16), columns: UInt16(truncatingIfNeeded: value)))
        default: return nil
        }
    }
}
