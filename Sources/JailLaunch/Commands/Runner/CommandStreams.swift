internal import Glibc
internal import JailCore
internal import JailPlan

/// What goes between a caller and its command: through pipes of the keeper's, or a terminal, so that what the caller does with
/// its own streams is felt by nobody else, and what is said can be counted.
struct CommandStreams {
    /// What the command may still say.
    private final class Count {
        var left: UInt64
        var isExceeded = false
        init(_ left: UInt64) { self.left = left }

        /// What of it goes on.
        func take(_ bytes: [UInt8]) -> [UInt8] {
            let room = min(left, UInt64(bytes.count))
            left -= room
            if room < UInt64(bytes.count) { isExceeded = true }
            return room == UInt64(bytes.count) ? bytes : Array(bytes.prefix(Int(room)))
        }
    }

    private struct Way {
        var relay: Relay
        /// This process's end of what the command has.
        var own: SharedDescriptor?
        let callers: SharedDescriptor
        var isOver: Bool { [.done, .failed].contains(relay.state) }
    }

    private var input: Way?
    private var outputs: [Way] = []
    private let count: Count
    private let master: SharedDescriptor?
    /// What becomes the command's standard descriptors; empty once it has begun.
    private(set) var commands: [SharedDescriptor] = []

    /// - Parameters:
    ///   - callers: three.
    ///   - owner: of the terminal.
    ///   - most: bytes of all output together.
    init(
        _ callers: [Descriptor], terminal: CommandCall.Size?, owner: HostIdentity?, most: UInt64
    ) throws(SystemError) {
        count = Count(most)
        let flags: [OpenFlags] = [.readOnly, .writeOnly, .writeOnly]
        var opened: [(stream: SharedDescriptor, mayBlock: Bool)] = []
        for (caller, flags) in zip(callers, flags) { opened.append(try Self.reopen(caller, flags)) }
        guard opened.count == 3 else { throw SystemError(.check, .invalid) }
        if let terminal {
            let pair = try System.openTerminal().release()
            let master = SharedDescriptor(OwnedDescriptor(pair.master))
            let slave = SharedDescriptor(OwnedDescriptor(pair.slave))
            try System.setNonBlocking(master.borrowed)
            try System.setTerminalSize(
                master.borrowed, TerminalSize(rows: terminal.rows, columns: terminal.columns))
            if let owner {
                try System.changeOwner(slave.borrowed, uid: owner.uid, gid: try System.status(of: slave.borrowed).gid)
            }
            self.master = master
            commands = [slave, slave, slave]
            input = Way(
                relay: Relay(from: opened[0].stream.borrowed, to: master.borrowed), own: nil,
                callers: opened[0].stream)
            outputs = [
                Way(
                    relay: Relay(
                        from: master.borrowed, to: opened[1].stream.borrowed, mayBlock: opened[1].mayBlock),
                    own: nil, callers: opened[1].stream)
            ]
            return
        }
        master = nil
        for index in 0..<3 {
            let (reading, writing) = try System.pipe().release()
            let ends = [reading, writing].map { SharedDescriptor(OwnedDescriptor($0)) }
            let (own, command) = index == 0 ? (ends[1], ends[0]) : (ends[0], ends[1])
            try System.setNonBlocking(own.borrowed)
            commands.append(command)
            let (stream, mayBlock) = opened[index]
            if index == 0 {
                input = Way(relay: Relay(from: stream.borrowed, to: own.borrowed), own: own, callers: stream)
            } else {
                outputs.append(
                    Way(
                        relay: Relay(from: own.borrowed, to: stream.borrowed, mayBlock: mayBlock), own: own,
                        callers: stream))
            }
        }
    }

    /// A pipe is opened anew: whether that one blocks is then nobody else's choice. One that this process may not open is used
    /// as it is, in steps that poll(2) has found possible; whoever makes it block even so waits for itself alone.
    private static func reopen(
        _ stream: Descriptor, _ flags: OpenFlags
    ) throws(SystemError) -> (stream: SharedDescriptor, mayBlock: Bool) {
        let copy = SharedDescriptor(try System.duplicate(stream, atLeast: 3))
        guard try System.status(of: stream).kind == .fifo else { return (copy, false) }
        let path = "/proc/self/fd/\(stream.number)"
        do throws(SystemError) {
            return (SharedDescriptor(try System.open(path, [flags, .nonBlocking])), false)
        } catch {
            // ENXIO: nobody reads it any more, which is seen when it is written to.
            return (copy, true)
        }
    }

    mutating func commandHasBegun() { commands = [] }

    /// Nothing more is read for it.
    mutating func endInput() { input = nil }

    var isExceeded: Bool { count.isExceeded }
    /// Everything that was said has been passed on, or nobody takes it.
    var isDone: Bool { outputs.allSatisfy(\.isOver) }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        ((input.map { [$0] } ?? []) + outputs).filter { !$0.isOver }.map { way in
            way.relay.wantsToWrite
                ? System.PollEntry(way.relay.target, System.PollEvents.writable)
                : System.PollEntry(way.relay.source, System.PollEvents.readable)
        }
    }

    mutating func handle(_ ready: System.PollResult) {
        if var way = input {
            way.relay.step(ready)
            // A pipe ends with that; of a terminal the caller sends the key that says so.
            input = way.isOver ? nil : way
        }
        let count = count
        for index in outputs.indices where !outputs[index].isOver {
            let relay = outputs[index].relay
            outputs[index].relay.step(
                readable: ready[relay.source] != nil, writable: ready[relay.target] != nil, through: count.take)
            // Who writes to it hears that nobody takes it.
            if outputs[index].isOver { outputs[index].own = nil }
        }
    }

    func resize(_ size: CommandCall.Size) throws(SystemError) {
        guard let master else { return }
        try System.setTerminalSize(master.borrowed, TerminalSize(rows: size.rows, columns: size.columns))
    }
}
