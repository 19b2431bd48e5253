import JailCore
import JailView

/// A terminal that is drawn on as a whole, and is as it was before when this is left. See ECMA-48 and xterm's ctlseqs.
final class Screen {
    private var saved: TerminalState?

    /// Raw input; the other buffer, no cursor, no line that goes on in the next one.
    func enter() throws(SystemError) {
        if saved == nil { saved = try System.makeRaw(.standardInput) }
        try System.writeAll(.standardOutput, "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
    }

    /// A terminal that is gone has nothing to be put back.
    func leave() {
        guard let saved else { return }
        self.saved = nil
        try? System.writeAll(.standardOutput, "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        try? System.restore(.standardInput, saved)
    }

    deinit { leave() }

    /// A terminal that does not know its size has the one that all had once.
    var size: (rows: Int, columns: Int) {
        guard let size = try? System.terminalSize(.standardOutput), size.rows > 0, size.columns > 0 else {
            return (24, 80)
        }
        return (Int(size.rows), Int(size.columns))
    }

    /// In one write: what is drawn over is never seen empty. Lines are as wide as the window, so that nothing has to be erased
    /// at their ends: there the cursor stays on the last character.
    func draw(_ lines: [Line], colours: Bool) throws(SystemError) {
        let text = lines.map { $0.text(colours: colours) }.joined(separator: "\r\n")
        try System.writeAll(.standardOutput, "\u{1B}[H" + text + "\u{1B}[J")
    }
}
