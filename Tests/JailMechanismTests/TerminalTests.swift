import CLinux
import JailTerminal
import TestSupport
import Testing

@testable import JailCore

@Suite(.timeLimit(.minutes(1)))
struct `The caller's terminal` {
    /// Whether a key without a newline reaches the program, in raw mode; otherwise the terminal echoes it.
    static func passes(_ key: UInt8, _ pair: (master: Int32, slave: Int32)) throws -> Bool {
        try System.writeAll(Descriptor(pair.master), [key])
        while true {
            var entries = [pair.slave, pair.master].map { System.PollEntry(Descriptor($0), System.PollEvents.readable) }
            try System.poll(&entries, milliseconds: 30_000)
            let isRaw = entries[0].returned != 0
            // What was typed before the mode changed may come first.
            if try System.read(Descriptor(isRaw ? pair.slave : pair.master), most: 16).contains(key) { return isRaw }
        }
    }

    @Test func `is raw while the jail runs, and afterwards as it was`() async {
        await #expect(processExitsWith: .success) {
            let callers = try System.openTerminal().release()
            let jails = try System.openTerminal().release()
            try System.duplicate(Descriptor(callers.slave), to: 0, closeOnExec: false)
            try System.setTerminalSize(Descriptor(callers.slave), TerminalSize(rows: 33, columns: 77))
            #expect(try !Self.passes(0x61, callers))
            let terminal = try Terminal(master: Descriptor(jails.master))
            #expect(try System.terminalSize(Descriptor(jails.slave)) == TerminalSize(rows: 33, columns: 77))
            #expect(try Self.passes(0x62, callers))
            try System.setTerminalSize(Descriptor(callers.slave), TerminalSize(rows: 5, columns: 6))
            terminal.copySize()
            #expect(try System.terminalSize(Descriptor(jails.slave)) == TerminalSize(rows: 5, columns: 6))
            terminal.restore()
            #expect(try !Self.passes(0x63, callers))
        }
    }

    @Test func `that is none is refused`() async {
        await #expect(processExitsWith: .success) {
            let null = try System.open("/dev/null", .readOnly)
            try System.duplicate(null.borrowed, to: 0, closeOnExec: false)
            #expect(try !System.isTerminal(.standardInput))
            #expect(
                errno { () throws(SystemError) in _ = try Terminal(master: Descriptor(1)) } == .notATerminal)
        }
    }
}
