internal import JailCore

/// The terminal of a command that has one: what its caller types goes to the master, and what comes out there into a pipe, whose other
/// end is a ``CommandOutput``'s.
struct CommandTerminal {
    private let master: SharedDescriptor
    /// The caller's pipe, and one of our own between it and the master: from somebody else's pipe bytes are spliced, or another
    /// reader could take them away after poll(2) had seen them, and this process would wait.
    private let foreign: (source: SharedDescriptor, writing: SharedDescriptor)?
    /// Kept open for the relay.
    private let typing: SharedDescriptor
    private var keyboard: Relay?
    private var screen: Relay
    private var showing: SharedDescriptor?
    private var hasTypedAll = false

    private static let piece = 4096
    /// VEOF of termios(3), as a terminal has it that nobody has changed.
    private static let endOfFile: UInt8 = 4

    /// - Parameters:
    ///   - input: the caller's, as ``ExecStream`` lets it be.
    ///   - showing: the writing end of a pipe.
    init(
        master: SharedDescriptor, input: SharedDescriptor, showing: SharedDescriptor
    ) throws(SystemError) {
        try System.setNonBlocking(master.borrowed)
        try System.setNonBlocking(showing.borrowed)
        self.master = master
        self.showing = showing
        screen = Relay(from: master.borrowed, to: showing.borrowed)
        if try System.status(of: input.borrowed).kind == .fifo {
            let ends = try System.pipe().release()
            typing = SharedDescriptor(OwnedDescriptor(ends.readEnd))
            foreign = (input, SharedDescriptor(OwnedDescriptor(ends.writeEnd)))
            try System.setNonBlocking(typing.borrowed)
        } else {
            typing = input
            foreign = nil
        }
        keyboard = Relay(from: typing.borrowed, to: master.borrowed)
    }

    /// Nothing more comes out of it.
    var isShown: Bool { showing == nil }

    func resize(_ size: CommandCall.Size) throws(SystemError) {
        try System.setTerminalSize(master.borrowed, TerminalSize(rows: size.rows, columns: size.columns))
    }

    var pollEntries: [System.PollEntry] {
        var entries: [System.PollEntry] = []
        if let keyboard {
            if keyboard.wantsToWrite {
                entries.append(.init(master.borrowed, System.PollEvents.writable))
            } else if !hasTypedAll {
                entries.append(.init(foreign?.source.borrowed ?? typing.borrowed, System.PollEvents.readable))
            }
        }
        guard let showing else { return entries }
        if screen.wantsToRead { entries.append(.init(master.borrowed, System.PollEvents.readable)) }
        if screen.wantsToWrite { entries.append(.init(showing.borrowed, System.PollEvents.writable)) }
        return entries
    }

    /// - Parameter isLast: nobody is left who would write to it.
    mutating func step(_ ready: System.PollResult, isLast: Bool) {
        type(ready)
        guard showing != nil else { return }
        screen.step(readable: isLast || ready[master.borrowed] != nil)
        let isEmpty = isLast && screen.wantsToRead && !hasBytes
        if isEmpty || screen.state == .done || screen.state == .failed { showing = nil }
    }

    private mutating func type(_ ready: System.PollResult) {
        guard keyboard != nil else { return }
        if let foreign, ready[foreign.source.borrowed] != nil, !hasTypedAll, keyboard?.wantsToRead == true {
            do throws(SystemError) {
                hasTypedAll =
                    try System.splice(from: foreign.source.borrowed, to: foreign.writing.borrowed, most: Self.piece)
                    == 0
            } catch { hasTypedAll = error.errno != .wouldBlock }
        }
        keyboard?.step(readable: foreign != nil || ready[typing.borrowed] != nil)
        if foreign == nil, keyboard?.state != .open { hasTypedAll = true }
        guard hasTypedAll, keyboard?.wantsToWrite == false else { return }
        keyboard = nil
        // To a program that reads from a terminal this key is the end.
        _ = try? System.write(master.borrowed, [Self.endOfFile])
    }

    private var hasBytes: Bool {
        ((try? System.pollNow(master.borrowed, System.PollEvents.readable)) ?? 0) & System.PollEvents.readable != 0
    }
}
