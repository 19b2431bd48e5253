package import JailCore

/// The caller's terminal in raw mode, and the jail's beside it. The bytes between the two go through ``Relay``.
package struct Terminal: ~Copyable {
    private let saved: TerminalState
    package let master: Descriptor?

    /// - Parameter master: of the jail's terminal; its owner keeps it. nil: somebody else has it, and is told of sizes.
    package init(master: Descriptor?) throws(SystemError) {
        self.master = master
        saved = try System.makeRaw(.standardInput)
        copySize()
    }

    /// After SIGWINCH: the jail's terminal gets the size of the caller's.
    package func copySize() {
        // A terminal of unknown size stays at its default; nothing depends on it.
        guard let master, let size = try? System.terminalSize(.standardInput) else { return }
        try? System.setTerminalSize(master, size)
    }

    /// The caller's terminal as it was. Left as it is if it has gone away.
    package func restore() { try? System.restore(.standardInput, saved) }
}
