internal import JailCore
internal import JailTerminal

/// What the command gets as its three streams.
enum StubStreams {
    /// Whether the command is to have a terminal of its own, which is shown on this one. In the background nothing is.
    static func isAtTerminal() throws(SystemError) -> Bool {
        guard try System.isTerminal(.standardInput), try System.isTerminal(.standardOutput) else { return false }
        return System.isForeground(.standardInput)
    }

    /// Before anything else is opened, which would be taken for a stream that is closed.
    static func fill() throws(SystemError) {
        while true {
            let null = try System.open("/dev/null", .readWrite)
            // The lowest number that is free.
            guard null.borrowed.number <= 2 else { return }
            _ = null.release()
        }
    }

    /// What would be taken as it is, is handed over as it is; in the place of everything else there is a pipe. What goes over
    /// a terminal is all in the first two.
    static func make(
        hasTerminal: Bool
    ) throws(SystemError) -> (relays: StreamRelays, given: [SharedDescriptor]) {
        var relayed: [Int32] = hasTerminal ? [0, 1] : []
        if !hasTerminal {
            for number: Int32 in 0...2 {
                if try !ExecStream.mayBeGiven(Descriptor(number)) { relayed.append(number) }
            }
        }
        let standard = try StandardStreams(relaying: relayed)
        let given = try (Int32(0)...2).map { (number) throws(SystemError) in
            if let stream = standard.streams.first(where: { $0.number == number }) { return stream.inside }
            if hasTerminal { return SharedDescriptor(try System.open("/dev/null", .readWrite)) }
            return SharedDescriptor(try System.duplicate(Descriptor(number), atLeast: 3))
        }
        return (StreamRelays(standard), given)
    }
}
