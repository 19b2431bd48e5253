import JailCore
import JailLaunch
import JailPlan
import JailView

/// Prints a log, and what is added to it, across the places where it is put aside.
struct LogReader {
    private let log: LogFile
    private let isRaw: Bool
    private var text = LogText()
    private var part: LogPart?

    /// Milliseconds between two looks at a log that is followed.
    private static let pause: Int32 = 200

    /// - Parameter isRaw: the bytes as they are.
    init(_ log: LogFile, isRaw: Bool) {
        self.log = log
        self.isRaw = isRaw
    }

    /// - Parameter lines: the last so many; nil: all that there are.
    mutating func printLast(_ lines: Int?) throws(JailError) {
        // The newer one first: if it is put aside meanwhile, the other one is still what was before it.
        var newer = try log.open()
        var older = try log.openAside()
        if newer?.identity == older?.identity { older = nil }
        if let lines {
            let ended = try begin(&newer, last: lines)
            if try begin(&older, last: lines - ended) == 0 { older = nil }
        }
        part = older
        try drain()
        part = newer
        try drain()
    }

    /// - Returns: how many lines there are from where it begins now.
    private func begin(_ part: inout LogPart?, last lines: Int) throws(JailError) -> Int {
        guard let found = part else { return 0 }
        let beginning = try attempt(.runtime, log.path) { () throws(SystemError) in
            try found.beginning(ofLast: lines)
        }
        part?.offset = beginning.offset
        return beginning.lines
    }

    /// Until the jail has ended and everything is printed.
    mutating func follow(_ name: String) throws(JailError) {
        while true {
            // Asked before the file is read: what it said at its end is there by then.
            let isRunning = if case .running = try JailAddress(name).presence { true } else { false }
            try drain()
            try changeOver()
            guard isRunning else { return }
            do throws(SystemError) { try System.pause(milliseconds: Self.pause) } catch {
                throw JailError(.runtime, error)
            }
        }
    }

    /// Goes on in the new file, if the one that was read is put aside: the rest of that one comes first.
    private mutating func changeOver() throws(JailError) {
        guard let next = try log.open(), next.identity != part?.identity else { return }
        try drain()
        let aside = try log.openAside()
        // It may have been put aside twice since the last look. Even more often, and something is missing.
        if let aside, aside.identity != part?.identity, aside.identity != next.identity {
            if part != nil {
                Output.say("note: the log has grown faster than it was read: something may be missing here")
            }
            part = aside
            try drain()
        }
        part = next
        try drain()
    }

    private mutating func drain() throws(JailError) {
        while true {
            let bytes = try attempt(.runtime, log.path) { () throws(SystemError) in try part?.read() ?? [] }
            if bytes.isEmpty { return }
            try write(bytes)
        }
    }

    private mutating func write(_ bytes: [UInt8]) throws(JailError) {
        try Output.write(isRaw ? bytes : Array(text.escape(bytes).utf8))
    }

    /// What was held back as the beginning of a character.
    mutating func finish() throws(JailError) {
        if !isRaw { try Output.write(Array(text.escape([], isLast: true).utf8)) }
    }
}
