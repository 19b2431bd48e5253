import Foundation
import Glibc
import JailCore

/// A jail whose caller sits at a terminal: this process types and reads.
final class TerminalSession: @unchecked Sendable {
    let running: Running
    private let master: Int32
    private(set) var seen = Data()

    convenience init(
        _ jail: Jail, options: [String], command: [String], rows: UInt16 = 24, columns: UInt16 = 80
    ) throws {
        try self.init(jail, rows: rows, columns: columns) { try $0.start(options, command: command) }
    }

    /// `clawjail WORDS`.
    convenience init(_ jail: Jail, words: [String]) throws { try self.init(jail) { try $0.start(words: words) } }

    private init(
        _ jail: Jail, rows: UInt16 = 24, columns: UInt16 = 80, _ start: (Jail) throws -> Running
    ) throws {
        let slave: Int32
        (master, slave) = try System.openTerminal().release()
        // The jail's side has it open by its name; held here until then, so that it does not count as hung up.
        defer { close(slave) }
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(slave)")
        unsafe chmod(path, 0o666)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        var copy = jail
        copy.terminal = path
        Self.setSize(master, rows, columns)
        running = try start(copy)
    }

    deinit {
        running.signal(SIGKILL)
        close(master)
    }

    private static func setSize(_ terminal: Int32, _ rows: UInt16, _ columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// As a window is resized: the kernel signals the foreground process group of the terminal.
    func resize(_ rows: UInt16, _ columns: UInt16) { Self.setSize(master, rows, columns) }

    /// What stty(1) would show, as raw flags.
    var attributes: [UInt32] {
        var state = termios()
        _ = unsafe tcgetattr(master, &state)
        return [state.c_iflag, state.c_oflag, state.c_lflag]
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(master, bytes, bytes.count)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe Glibc.read(master, &buffer, buffer.count)
            guard count > 0 else { return }
            seen.append(contentsOf: buffer[..<count])
        }
    }

    var text: String { String(decoding: seen, as: UTF8.self) }

    /// Waits for a text, and forgets what was before and including it.
    func expect(_ wanted: String, _ seconds: Double = 10) throws {
        var found: Range<Data.Index>?
        _ = eventually(seconds) {
            read()
            found = seen.range(of: Data(wanted.utf8))
            return found != nil || running.status != nil
        }
        read()
        found = found ?? seen.range(of: Data(wanted.utf8))
        guard let found else {
            throw HarnessError(
                "'\(wanted)' never came (status \(running.status ?? -1)); there was: \(text) \(running.errorText)")
        }
        seen.removeSubrange(seen.startIndex..<found.upperBound)
    }

    /// Waits for the end.
    func finish(_ seconds: Double = 15) throws -> Finished {
        _ = eventually(seconds) {
            read()
            return running.status != nil
        }
        read()
        var finished = try running.wait(1)
        finished.output = seen
        return finished
    }
}
