internal import CommandWire
internal import Glibc
internal import JailCore
internal import JailTerminal

/// One call: hands over the words and the streams, passes on bytes where the command cannot have the caller's own descriptors,
/// and signals, and waits for the end.
final class StubCall {
    private let connection: SharedDescriptor
    private let signals: SharedDescriptor
    private let hasTerminal: Bool
    private var streams: StreamRelays?
    private var terminal: Terminal?
    private var isAccepted = false

    init(_ words: [[UInt8]]) throws(StubFailure) {
        guard CommandRequest(words: words).bytes != nil else { throw Self.tooMuch(words) }
        connection = try Self.connect()
        // What whoever calls ignores stays ignored.
        let handled = ([SIGWINCH] + CommandFollowUp.signals.map(Int32.init)).filter { !System.isIgnored($0) }
        signals = try attempt { () throws(SystemError) in
            try System.block(handled + [SIGPIPE])
            return SharedDescriptor(try System.signalDescriptor(handled))
        }
        hasTerminal = try attempt { () throws(SystemError) in try StubStreams.isAtTerminal() }
        var request = CommandRequest(words: words)
        if hasTerminal { request.terminal = Self.size }
        guard let bytes = request.bytes else { throw Self.tooMuch(words) }
        try attempt { () throws(SystemError) in
            let (relays, given) = try StubStreams.make(hasTerminal: hasTerminal)
            streams = relays
            try withExtendedLifetime(given) { () throws(SystemError) in
                try System.send(connection.borrowed, bytes, descriptors: given.map(\.borrowed))
            }
            try System.setNonBlocking(connection.borrowed)
        }
    }

    private static func connect() throws(StubFailure) -> SharedDescriptor {
        do throws(SystemError) {
            let socket = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
            try System.connect(socket.borrowed, path: CommandSocket.path)
            return socket
        } catch {
            guard [.notFound, .connectionRefused].contains(error.errno) else { throw .failed(error) }
            throw .notPermitted("no commands here: nobody waits at \(CommandSocket.path)")
        }
    }

    /// Of a terminal that has none it is unknown.
    private static var size: TerminalSize {
        (try? System.terminalSize(.standardInput)) ?? TerminalSize(rows: 0, columns: 0)
    }

    private static func tooMuch(_ words: [[UInt8]]) -> StubFailure {
        let bytes = words.reduce(0) { $0 + $1.count }
        return .notPermitted(
            "a command has at most 256 words and 65536 bytes, and this one has \(words.count) words and \(bytes) bytes")
    }

    // MARK: Waiting

    /// - Returns: the exit status, and what is to be read besides.
    func run() throws(StubFailure) -> (status: Int32, note: String?) {
        defer { restore() }
        while true {
            var entries = [
                System.PollEntry(connection.borrowed, System.PollEvents.readable),
                System.PollEntry(signals.borrowed, System.PollEvents.readable),
            ]
            // Until it has begun what is typed may be for whoever comes after.
            if isAccepted, let streams { entries += streams.pollEntries }
            let patience: Int32 = isAccepted && streams?.waitsForForeground == true ? 1000 : -1
            try attempt { () throws(SystemError) in try System.poll(&entries, milliseconds: patience) }
            let ready = System.PollResult(entries)
            if ready[signals.borrowed] != nil {
                try attempt { () throws(SystemError) in
                    while let signal = try System.nextSignal(signals.borrowed) { try pass(signal) }
                }
            }
            if ready[connection.borrowed] != nil, let end = try hear() { return end }
            if isAccepted { streams?.handle(ready) }
        }
    }

    private func pass(_ signal: Int32) throws(SystemError) {
        if signal == SIGWINCH {
            if hasTerminal { tell(.size(Self.size)) }
            return
        }
        tell(.signal(UInt8(truncatingIfNeeded: signal)))
        // Whoever has stopped this has stopped the command, and waits for both.
        if signal == SIGTSTP { try System.kill(System.processID, SIGSTOP) }
    }

    /// Lost where nobody hears it: then the end is heard of next.
    private func tell(_ word: CommandFollowUp) { try? System.send(connection.borrowed, word.bytes) }

    /// What is answered; the end, once it is there.
    private func hear() throws(StubFailure) -> (status: Int32, note: String?)? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.receiveUpToEnd(connection.borrowed, most: CommandAnswer.sizeLimit).bytes
        } catch {
            if error.errno == .wouldBlock { return nil }
            throw .failed(error)
        }
        switch CommandAnswer(bytes: bytes) {
        case .accepted? where !isAccepted:
            isAccepted = true
            if hasTerminal { try attempt { () throws(SystemError) in terminal = try Terminal(master: nil) } }
            return nil
        case .ended(let status, let note)?:
            streams?.passOn()
            return (Int32(status), note)
        case .refused(let status, let reason, let remedy)?:
            throw Int32(status) == ExitStatus.notExecutable
                ? .notPermitted(reason, remedy: remedy) : StubFailure(status: Int32(status), text: reason)
        default:
            throw StubFailure(
                status: ExitStatus.launchFailed,
                text: bytes.isEmpty ? "the jail ends, or the command was given up" : "an answer that makes no sense")
        }
    }

    private func restore() {
        terminal?.restore()
        terminal = nil
    }
}

private func attempt<Result>(_ body: () throws(SystemError) -> Result) throws(StubFailure) -> Result {
    do throws(SystemError) { return try body() } catch { throw .failed(error) }
}
