package import JailCore

/// What a program of a jail asks for where ``CommandSocket`` is: one connection, one packet, three standard streams beside it.
///
/// The words are bytes of which nothing is known, not even that a program could be given them: whoever decides says what
/// is wrong with them. Here they are only counted.
package struct CommandRequest: Equatable, Sendable {
    /// What is called first, by its name; then its arguments.
    package var words: [[UInt8]]
    /// Of the terminal that the first two streams are relayed from; nil: there is none, and the streams are what they are.
    package var terminal: TerminalSize?

    package init(words: [[UInt8]], terminal: TerminalSize? = nil) {
        self.words = words
        self.terminal = terminal
    }

    /// A few more than any rule is about, so that what is too much is said by whoever decides; see `CommandVector`.
    package static let mostWords = 256 + 16
    /// Bytes of all words.
    package static let mostBytes = 65_536 + 4096
    /// Bytes of a packet.
    package static let sizeLimit = 4 + 4 + 4 + 4 * mostWords + mostBytes
    /// Standard input, output and error.
    package static let streams = 3

    private static let mark: UInt32 = 0x3164_6D63
    /// No terminal has 65,535 rows and columns.
    private static let noTerminal = UInt32.max

    /// nil: there is nothing in it, or more than is ever read.
    package var bytes: [UInt8]? {
        guard Self.isReadable(words.count, words.reduce(0) { $0 + $1.count }) else { return nil }
        var writer = WireWriter()
        writer.number(Self.mark)
        writer.number(terminal.map { UInt32($0.rows) << 16 | UInt32($0.columns) } ?? Self.noTerminal)
        writer.number(UInt32(words.count))
        for word in words { writer.text(word) }
        return writer.bytes
    }

    /// nil unless it is a request in every part.
    package init?(bytes: [UInt8]) {
        var reader = WireReader(bytes)
        guard bytes.count <= Self.sizeLimit, reader.number() == Self.mark, let terminal = reader.number(),
            let count = reader.number(), count <= Self.mostWords
        else { return nil }
        var words: [[UInt8]] = []
        for _ in 0..<count {
            guard let word = reader.text() else { return nil }
            words.append(word)
        }
        guard reader.isAtEnd, Self.isReadable(words.count, words.reduce(0) { $0 + $1.count }) else { return nil }
        self.init(words: words)
        guard terminal != Self.noTerminal else { return }
        self.terminal = TerminalSize(rows: UInt16(terminal >> 16), columns: UInt16(truncatingIfNeeded: terminal))
    }

    private static func isReadable(_ count: Int, _ bytes: Int) -> Bool {
        (1...mostWords).contains(count) && bytes <= mostBytes
    }
}

/// Where commands are asked for, inside a jail.
package enum CommandSocket {
    package static let path = "/run/clawjail/commands.sock"
}
