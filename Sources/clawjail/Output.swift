internal import Glibc
import JailCore

/// What the commands print. Results go to standard output, everything else to standard error.
enum Output {
    static func print(_ text: String) throws(JailError) {
        try write(Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
    }

    static func write(_ bytes: [UInt8]) throws(JailError) {
        do { try System.writeAll(.standardOutput, bytes) } catch {
            // A reader that has seen enough is no error.
            if error.errno == .brokenPipe { exit(0) }
            throw JailError(.usage, error, path: "standard output")
        }
    }

    /// Ends the process, without anything that a library might want to do at its end.
    static func leave(_ status: Int32) -> Never { System.exitNow(status) }

    /// A message for a person. Nothing can be done if standard error is closed.
    static func say(_ text: String) { try? System.writeAll(.standardError, "clawjail: \(text)\n") }

    /// Says what went wrong, and leaves with its status.
    static func fail(_ error: JailError) -> Never {
        say(error.description)
        exit(error.status)
    }
}
