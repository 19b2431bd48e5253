internal import Glibc
package import JailCore
internal import JailTerminal

/// The caller's side of a command executed in a running jail: hands over what the command gets, passes on bytes where the
/// command cannot have the caller's own descriptors, and signals, and waits for the end.
package struct ExecClient: ~Copyable {
    private var connection: SharedDescriptor
    private let signals: SharedDescriptor
    private var streams: StreamRelays?
    private var master: SharedDescriptor?
    private var terminal: Terminal?
    private var keyboard: Relay?
    private var screen: Relay?
    private var hasTerminal = false

    private static let handled = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH]

    /// Executes a command, and returns its status: 0–255, or 128+N.
    ///
    /// - Parameter connect: to the jail's supervisor, see ``ControlRequest``; called once everything is ready that is to be
    ///   said, so that the supervisor is woken only once.
    /// - Throws: what the supervisor refused, with its status; or the jail's end.
    package static func run(
        _ request: ExecRequest, connect: () throws(JailError) -> SharedDescriptor
    ) throws(JailError) -> Int32 {
        let signals = try attempt(.supervise) { () throws(SystemError) in
            // Descriptors in flight are counted for each user: a jail of this one must not be able to keep us from sending.
            try System.raiseLimit(.openFiles)
            try System.resetSignals()
            try System.block(handled + [SIGPIPE])
            return SharedDescriptor(try System.signalDescriptor(handled))
        }
        var client = ExecClient(signals: signals)
        do throws(JailError) {
            try client.ask(request, connect)
            let status = try client.wait()
            client.finish()
            return status
        } catch {
            client.finish()
            throw error
        }
    }

    private init(signals: SharedDescriptor) {
        connection = SharedDescriptor(OwnedDescriptor(-1))
        self.signals = signals
    }

    // MARK: Asking

    private mutating func ask(
        _ request: ExecRequest, _ connect: () throws(JailError) -> SharedDescriptor
    ) throws(JailError) {
        var request = request
        hasTerminal = request.terminal != nil
        if request.terminal != nil {
            request.terminal = (try? System.terminalSize(.standardInput)) ?? TerminalSize(rows: 0, columns: 0)
        }
        let bytes = request.bytes
        guard bytes.count <= ExecRequest.sizeLimit else {
            throw JailError(
                .exec, reason: "the arguments and the environment are too long", status: ExitStatus.notExecutable)
        }
        let file = try attempt(.exec) { () throws(SystemError) in
            SharedDescriptor(try System.makeMemoryFile("exec", bytes))
        }
        let given = request.terminal == nil ? try attempt(.exec) { () throws(SystemError) in try giveStreams() } : []
        let order = ControlRequest.execute(file, streams: given)
        connection = try connect()
        try attempt(.exec) { () throws(SystemError) in
            try withExtendedLifetime((file, given)) { () throws(SystemError) in
                try System.send(
                    connection.borrowed, order.bytes, descriptors: order.descriptors.map(\.borrowed))
            }
            try System.setNonBlocking(connection.borrowed)
        }
    }

    /// What the supervisor takes is handed over as it is; in the place of everything else there is a pipe.
    private mutating func giveStreams() throws(SystemError) -> [SharedDescriptor] {
        var relayed: [Int32] = []
        for number: Int32 in 0...2 where try !ExecStream.mayBeGiven(Descriptor(number)) { relayed.append(number) }
        let standard = try StandardStreams(relaying: relayed)
        streams = StreamRelays(standard)
        return try (Int32(0)...2).map { (number) throws(SystemError) in
            if let stream = standard.streams.first(where: { $0.number == number }) { return stream.inside }
            return SharedDescriptor(try System.duplicate(Descriptor(number), atLeast: 3))
        }
    }

    // MARK: Waiting

    private mutating func wait() throws(JailError) -> Int32 {
        while true {
            var entries = pollEntries
            let patience: Int32 = streams?.waitsForForeground == true ? 1000 : -1
            try attempt(.exec) { () throws(SystemError) in try System.poll(&entries, milliseconds: patience) }
            let ready = System.PollResult(entries)
            if ready[signals.borrowed] != nil {
                try attempt(.exec) { () throws(SystemError) in
                    while let signal = try System.nextSignal(signals.borrowed) { pass(signal) }
                }
            }
            if ready[connection.borrowed] != nil, let status = try hear() { return status }
            streams?.handle(ready)
            stepTerminal(ready)
        }
    }

    private var pollEntries: [System.PollEntry] {
        var entries = [
            System.PollEntry(connection.borrowed, System.PollEvents.readable),
            System.PollEntry(signals.borrowed, System.PollEvents.readable),
        ]
        if let streams { entries += streams.pollEntries }
        for relay in [keyboard, screen] {
            guard let relay else { continue }
            if relay.wantsToRead { entries.append(.init(relay.source, System.PollEvents.readable)) }
            if relay.wantsToWrite { entries.append(.init(relay.target, System.PollEvents.writable)) }
        }
        return entries
    }

    private func pass(_ signal: Int32) {
        if signal == SIGWINCH {
            terminal?.copySize()
            if master == nil { return }
        }
        // Lost where the supervisor is: then its end is seen next.
        try? System.send(connection.borrowed, [UInt8(signal)])
    }

    /// What the supervisor says; a status once the command has ended.
    private mutating func hear() throws(JailError) -> Int32? {
        let received: (bytes: [UInt8], descriptors: [Int32])
        do throws(SystemError) {
            received = try System.receive(connection.borrowed, most: ControlReply.sizeLimit, descriptors: 1)
        } catch {
            if error.errno == .wouldBlock { return nil }
            guard error.errno == .connectionReset else { throw JailError(.exec, error) }
            received = ([], [])
        }
        let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
        if received.bytes.isEmpty {
            throw JailError(.exec, reason: "the jail has ended, and the command with it", status: 128 + SIGKILL)
        }
        switch ControlReply(received.bytes) {
        case .started where hasTerminal && master == nil && descriptors.count == 1:
            try attempt(.terminal) { () throws(SystemError) in try open(descriptors[0]) }
            return nil
        case .ended(let status): return status
        case .refused(let status, let text): throw ControlReply.error(status, text)
        default: throw JailError(.exec, reason: "the jail's supervisor said what it never would")
        }
    }

    // MARK: Terminal

    private mutating func open(_ master: SharedDescriptor) throws(SystemError) {
        try System.setNonBlocking(master.borrowed)
        self.master = master
        if try System.isTerminal(.standardInput) { terminal = try Terminal(master: master.borrowed) }
        keyboard = Relay(from: .standardInput, to: master.borrowed)
        screen = Relay(from: master.borrowed, to: .standardOutput, mayBlock: true)
    }

    private mutating func stepTerminal(_ ready: System.PollResult) {
        keyboard?.step(ready)
        screen?.step(ready)
        guard let state = keyboard?.state, state == .done || state == .failed else { return }
        keyboard = nil
        // The end of a file is a key on a terminal, see VEOF in termios(3).
        if state == .done, terminal == nil, let master { _ = try? System.write(master.borrowed, [4]) }
    }

    private mutating func finish() {
        screen?.passOn()
        streams?.passOn()
        terminal?.restore()
        terminal = nil
    }
}

extension ControlReply {
    /// What a supervisor refused, as the error that people see.
    package static func error(_ status: Int32, _ text: String) -> JailError {
        JailError(.exec, said: text, status: status)
    }
}
