import JailCore
import Testing

struct `Errors` {
    @Test func `an error says stage, operation, path, reason and hint, on one line`() {
        let error = JailError(
            .mounts, SystemError(.fsmount, .notPermitted), path: "/proc", detail: "proc", hint: "do this")
        #expect(error.description == "mounts: fsmount(proc) '/proc': Operation not permitted (errno 1); do this")
    }

    @Test(arguments: [
        (JailError(.usage, reason: "r"), "usage: r"),
        (JailError(.plan, path: "/a", reason: "r"), "plan: '/a': r"),
        (JailError(.plan, operation: "o", reason: "r"), "plan: o: r"),
        (JailError(.exec, operation: "o", path: "/a", reason: "r", hint: "h"), "exec: o '/a': r; h"),
    ])
    func `parts that are missing leave no trace`(error: JailError, text: String) {
        #expect(error.description == text)
    }

    @Test func `a hostile path can neither write to a terminal nor forge a line`() {
        let hostile = "/a\nclawjail: fine\u{1B}[2J\u{7F}\u{9B}\u{202E}txt\u{2066}\u{200F}\r\u{0}"
        let text = JailError(.host, path: hostile, reason: "r").description
        #expect(
            text
                == "host: '/a\\nclawjail: fine\\u{1b}[2J\\u{7f}\\u{9b}\\u{202e}txt\\u{2066}\\u{200f}\\u{d}\\u{0}': r")
    }

    @Test func `every control and bidi character is escaped, and nothing else is`() {
        let ranges: [ClosedRange<UInt32>] = [0...0x1F, 0x7F...0x9F, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069]
        for value in UInt32(0)...0x2100 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            #expect((text.printable != text) == ranges.contains { $0.contains(value) }, "U+\(String(value, radix: 16))")
        }
        #expect("naïve 日本 🦞".printable == "naïve 日本 🦞")
    }

    @Test(arguments: Stage.allCases)
    func `usage and configuration have statuses of their own, all else is a failed launch`(stage: Stage) {
        let expected: Int32 =
            switch stage {
            case .usage: 64
            case .profile, .host, .plan, .secrets: 78
            default: 125
            }
        #expect(JailError(stage, reason: "r").status == expected)
        #expect(JailError(stage, SystemError(.read, .inputOutput)).status == expected)
    }

    @Test func `a status that is given is kept`() {
        #expect(JailError(.exec, reason: "r", status: ExitStatus.notFound).status == 127)
        #expect(JailError(.exec, SystemError(.execve, .accessDenied), status: ExitStatus.notExecutable).status == 126)
    }

    @Test func `attempt turns a failed call into the error of its stage`() {
        let error = #expect(throws: JailError.self) {
            try attempt(.runtime, "/x") { () throws(SystemError) in throw SystemError(.openat2, .noSpace) }
        }
        #expect(error?.stage == .runtime && error?.path == "/x" && error?.operation == "openat2")
        #expect(error?.reason == "No space left on device (errno 28)")
        #expect(error?.hint == "the disk is full")
    }

    @Test func `kernel calls are called as the manual calls them`() {
        #expect(KernelCall.closeRange.name == "close_range")
        #expect(KernelCall.landlockRestrictSelf.name == "landlock_restrict_self")
        #expect(KernelCall.openat2.name == "openat2")
        // Names of system calls have no capitals: one that is missing from the table shows itself.
        for call in KernelCall.allCases { #expect(call.name == call.name.lowercased(), "\(call)") }
        #expect(Set(KernelCall.allCases.map(\.name)).count == KernelCall.allCases.count)
    }

    @Test(arguments: [
        (Termination.exited(0), Int32(0)), (.exited(255), 255), (.signalled(9), 137), (.signalled(15), 143),
    ])
    func `a signal ends a command with 128 and its number`(ended: Termination, status: Int32) {
        #expect(ended.status == status)
    }
}
