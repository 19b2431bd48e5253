internal import Glibc
import JailCore
import SecretStore

/// Where a value comes from: standard input, or where that is a terminal a prompt that shows nothing, twice.
struct SecretInput {
    var isMultiline: Bool

    /// A line of a terminal has no more, with its end, see termios(3).
    private static let mostTyped = 4095

    func read(of name: String) throws(JailError) -> SecretBytes {
        guard (try? System.isTerminal(.standardInput)) == true else { return try piped() }
        guard !isMultiline else {
            throw JailError(
                .secrets, reason: "more than one line cannot be typed",
                hint: "clawjail secret set \(name) --multiline < FILE", status: ExitStatus.usage)
        }
        let typed = try Prompt().ask("value of '\(name)': ", "once more: ", most: Self.mostTyped)
        return try SecretValue.taken(typed.bytes, multiline: false)
    }

    private func piped() throws(JailError) -> SecretBytes {
        let given: KeptSecret
        do throws(SystemError) {
            given = KeptSecret(try System.readSecret(.standardInput, limit: SecretValue.mostBytes + 2))
        } catch {
            if error.errno == .tooLarge { throw SecretValue.tooLong }
            throw JailError(.secrets, error, path: "standard input")
        }
        return try SecretValue.taken(given.bytes, multiline: isMultiline)
    }
}

/// A terminal on which what is typed is not shown. It is as it was again whatever happens, but for SIGKILL.
private struct Prompt {
    private let signals: SharedDescriptor
    private let before: TerminalState

    private static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    init() throws(JailError) {
        do throws(SystemError) {
            // Nor is it stopped half-way, which would leave the terminal to the shell as it is.
            try System.block(Self.ending + [SIGTSTP])
            signals = SharedDescriptor(try System.signalDescriptor(Self.ending))
            before = try System.hideTyping(.standardInput)
        } catch { throw JailError(.secrets, error, path: "the terminal") }
    }

    private func restore() { try? System.restore(.standardInput, before) }

    func ask(_ question: String, _ again: String, most: Int) throws(JailError) -> KeptSecret {
        defer { restore() }
        let first = try line(question, most)
        let second = try line(again, most)
        guard first.bytes.isSame(as: second.bytes) else {
            throw JailError(
                .secrets, reason: "the two are not the same; nothing was changed", status: ExitStatus.usage)
        }
        return first
    }

    private func line(_ question: String, _ most: Int) throws(JailError) -> KeptSecret {
        do throws(SystemError) {
            try System.writeAll(.standardError, question)
            var buffer = try SecretBytes(count: most + 1)
            var filled = 0
            while filled <= most {
                try wait()
                let count = try System.read(.standardInput, into: &buffer, at: filled)
                filled += count
                let isWhole = unsafe buffer.withBytes { bytes in filled > 0 && (unsafe bytes[filled - 1] == 0x0A) }
                // The kernel has thrown away what came after a full line, and says nothing.
                if isWhole, filled > most { throw SystemError(.read, .tooLarge) }
                if isWhole { return KeptSecret(try buffer.part(0..<(filled - 1))) }
                guard count > 0 else { throw SystemError(.read, Errno(ECANCELED)) }
            }
            throw SystemError(.read, .tooLarge)
        } catch {
            switch error.errno.rawValue {
            case ECANCELED: throw refusal("nothing was typed to the end; nothing was changed")
            case Errno.tooLarge.rawValue:
                throw refusal(
                    "a line of a terminal has \(most - 1) bytes at most; longer values come on standard input")
            default: throw JailError(.secrets, error, path: "the terminal")
            }
        }
    }

    private func refusal(_ reason: String) -> JailError {
        JailError(.secrets, reason: reason, status: ExitStatus.usage)
    }

    /// Until there is something to read. A signal that would have ended this process does, with the terminal as it was.
    private func wait() throws(SystemError) {
        while true {
            var entries = [
                System.PollEntry(.standardInput, System.PollEvents.readable),
                System.PollEntry(signals.borrowed, System.PollEvents.readable),
            ]
            try System.poll(&entries, milliseconds: -1)
            if let signal = try System.nextSignal(signals.borrowed) {
                restore()
                Output.leave(128 + signal)
            }
            if System.PollResult(entries)[.standardInput] != nil { return }
        }
    }
}
