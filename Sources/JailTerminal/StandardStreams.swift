package import JailCore

/// Standard input, output and error of a command without a terminal of its own.
///
/// A terminal is never handed in: its open file is shared with the caller's shell. What a jail reads there the user has
/// typed for somebody else (in a session of its own, job control does not stop it), and what it sets there (O_ASYNC with
/// a signal, O_NONBLOCK, the line settings) outlives it. So in the place of each that is a terminal the command gets a
/// pipe, and the supervisor, which is in the caller's session and subject to its job control, passes the bytes on.
package struct StandardStreams {
    package struct Stream {
        /// 0, 1 or 2.
        package let number: Int32
        /// The command's end, until init has it.
        package let inside: SharedDescriptor
        package let outside: SharedDescriptor
    }

    package private(set) var streams: [Stream] = []

    /// Before the clone. With a terminal of its own the command has none of the caller's streams.
    ///
    /// - Parameters:
    ///   - confined: by an AppArmor profile. Files of the host have no name in the jail, and so fstat(2) of them fails there;
    ///     pipes and sockets need none.
    ///   - watchesErrors: standard error passes through the supervisor, whatever it is.
    ///   - watchesOutput: standard output as well.
    package init(
        ownTerminal: Bool, confined: Bool = false, watchesErrors: Bool = false, watchesOutput: Bool = false
    ) throws(SystemError) {
        var relayed: [Int32] = []
        if !ownTerminal {
            for number: Int32 in 0...2 {
                if try System.isTerminal(Descriptor(number)) || (watchesErrors && number == 2)
                    || (watchesOutput && number != 0)
                {
                    relayed.append(number)
                } else if confined {
                    let kind = try System.status(of: Descriptor(number)).kind
                    if kind != .fifo, kind != .socket { relayed.append(number) }
                }
            }
        }
        try self.init(relaying: relayed)
    }

    /// A pipe in the place of each of these.
    package init(relaying numbers: [Int32]) throws(SystemError) {
        for number in numbers {
            let (read, write) = try System.pipe().release()
            let ends = (SharedDescriptor(OwnedDescriptor(read)), SharedDescriptor(OwnedDescriptor(write)))
            let isInput = number == 0
            streams.append(
                Stream(number: number, inside: isInput ? ends.0 : ends.1, outside: isInput ? ends.1 : ends.0))
            try System.setNonBlocking(streams[streams.count - 1].outside.borrowed)
        }
    }

    /// Init: the command's ends take their places.
    package func enter() throws(SystemError) {
        for stream in streams {
            try System.duplicate(stream.inside.borrowed, to: stream.number, closeOnExec: false)
        }
    }
}

/// The supervisor's side of the streams: one relay each. One object, whoever knows of it: the command sees the end of its
/// input only when nobody holds the pipe any more.
package final class StreamRelays {
    /// Kept open as long as their relay; the input's is closed at its end, so that the command sees it.
    private var input: (relay: Relay, pipe: SharedDescriptor)?
    private var outputs: [(relay: Relay, pipe: SharedDescriptor)] = []
    /// Bytes that came on standard error since the last time.
    private var errorBytes = 0
    /// Looks through what the command writes to standard output and to standard error, for canaries.
    package var looks: (output: Relay.Look, error: Relay.Look)?

    /// After the clone: the command's ends are init's alone then.
    package init(_ streams: StandardStreams) {
        for stream in streams.streams {
            let pipe = stream.outside
            if stream.number == 0 {
                input = (Relay(from: .standardInput, to: pipe.borrowed), pipe)
            } else {
                outputs.append((Relay(from: pipe.borrowed, to: Descriptor(stream.number), mayBlock: true), pipe))
            }
        }
    }

    /// In the background the terminal's input is the shell's: reading it would stop this process.
    private var mayRead: Bool { System.isForeground(.standardInput) }

    /// Whether the terminal should be looked at again soon, because nothing else will say that it is ours once more.
    package var waitsForForeground: Bool { input?.relay.wantsToRead == true && !mayRead }

    package var pollEntries: [System.PollEntry] {
        var entries: [System.PollEntry] = []
        if let relay = input?.relay {
            if relay.wantsToRead, mayRead { entries.append(.init(relay.source, System.PollEvents.readable)) }
            if relay.wantsToWrite { entries.append(.init(relay.target, System.PollEvents.writable)) }
        }
        for (relay, _) in outputs {
            if relay.wantsToRead { entries.append(.init(relay.source, System.PollEvents.readable)) }
            if relay.wantsToWrite { entries.append(.init(relay.target, System.PollEvents.writable)) }
        }
        return entries
    }

    package func handle(_ ready: System.PollResult) {
        if input != nil { input?.relay.step(ready) }
        if let state = input?.relay.state, state == .done || state == .failed { input = nil }
        for index in outputs.indices {
            let received = outputs[index].relay.step(ready, look: look(index))
            if outputs[index].relay.target == .standardError { errorBytes += received }
        }
        outputs.removeAll { $0.relay.state == .done || $0.relay.state == .failed }
    }

    /// Bytes that were written to standard error since the last time.
    package func takeErrorBytes() -> Int {
        defer { errorBytes = 0 }
        return errorBytes
    }

    /// What has been written up to now. There may be others who go on writing.
    package func passOn() {
        for index in outputs.indices { outputs[index].relay.passOn(look: look(index)) }
    }

    /// What the command wrote last, after its end.
    package func drain() {
        for index in outputs.indices { outputs[index].relay.drainCompletely(look: look(index)) }
    }

    private func look(_ index: Int) -> Relay.Look? {
        outputs[index].relay.target == .standardError ? looks?.error : looks?.output
    }
}
