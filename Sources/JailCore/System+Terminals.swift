internal import CLinux
internal import Glibc

package struct TerminalSize: Hashable, Sendable {
    package let rows: UInt16
    package let columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// The attributes of a terminal, to be put back as they were.
package struct TerminalState: Sendable {
    fileprivate var bytes: [UInt8]
}

package struct TerminalPair: ~Copyable {
    package var master: OwnedDescriptor
    package var slave: OwnedDescriptor

    /// Gives both numbers away.
    package consuming func release() -> (master: Int32, slave: Int32) { (master.release(), slave.release()) }
}

extension System {
    /// A new terminal of the devpts instance at /dev, see pty(7).
    package static func openTerminal() throws(SystemError) -> TerminalPair {
        var master: Int32 = -1
        var slave: Int32 = -1
        try check(.ioctl, unsafe cl_open_pty(&master, &slave))
        return TerminalPair(master: OwnedDescriptor(master), slave: OwnedDescriptor(slave))
    }

    package static func setControllingTerminal(_ descriptor: Descriptor) throws(SystemError) {
        try check(.ioctl, cl_tty_set_controlling(descriptor.number))
    }

    package static func terminalSize(_ descriptor: Descriptor) throws(SystemError) -> TerminalSize {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        try check(.ioctl, unsafe cl_tty_get_size(descriptor.number, &rows, &columns))
        return TerminalSize(rows: rows, columns: columns)
    }

    package static func setTerminalSize(_ descriptor: Descriptor, _ size: TerminalSize) throws(SystemError) {
        try check(.ioctl, cl_tty_set_size(descriptor.number, size.rows, size.columns))
    }

    package static func isTerminal(_ descriptor: Descriptor) throws(SystemError) -> Bool {
        try check(.ioctl, cl_isatty(descriptor.number)) == 1
    }

    /// Whether this process is in the foreground of a terminal; true for anything that has no foreground.
    package static func isForeground(_ descriptor: Descriptor) -> Bool { cl_is_foreground(descriptor.number) == 1 }

    /// Switches to raw mode, where every key goes to the program; returns what was before.
    package static func makeRaw(_ descriptor: Descriptor) throws(SystemError) -> TerminalState {
        var state = TerminalState(bytes: [UInt8](repeating: 0, count: Int(CL_TERMIOS_SIZE)))
        try check(.tcsetattr, unsafe cl_tty_make_raw(descriptor.number, &state.bytes))
        return state
    }

    package static func terminalState(_ descriptor: Descriptor) throws(SystemError) -> TerminalState {
        var state = TerminalState(bytes: [UInt8](repeating: 0, count: Int(CL_TERMIOS_SIZE)))
        try check(.ioctl, unsafe cl_tty_get_state(descriptor.number, &state.bytes))
        return state
    }

    /// Shows nothing of what is typed but the ends of lines, and forgets what was typed before; returns what was before.
    package static func hideTyping(_ descriptor: Descriptor) throws(SystemError) -> TerminalState {
        var state = TerminalState(bytes: [UInt8](repeating: 0, count: Int(CL_TERMIOS_SIZE)))
        try check(.tcsetattr, unsafe cl_tty_hide(descriptor.number, &state.bytes))
        return state
    }

    package static func restore(_ descriptor: Descriptor, _ state: TerminalState) throws(SystemError) {
        try check(.tcsetattr, unsafe cl_tty_restore(descriptor.number, state.bytes))
    }
}
