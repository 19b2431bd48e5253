/// Where in the launch something failed. The raw values cross the status pipe between init and supervisor.
package enum Stage: UInt8, CaseIterable, Sendable {
    case usage, profile, host, plan, runtime, cgroup, clone, session, clocks, apparmor, identity, network, mounts,
        pivot, terminal
    case limits, landlock, privileges, seccomp, exec, supervise
    /// The process of the way out, whatever it was doing.
    case egress
    /// A snapshot of a jail's data, and what is made of it.
    case data
    /// The log of what happens.
    case audit
    /// A jail that is stopped where it is, and what is kept of it.
    case lockdown
    /// What a jail's programs ask for, and its record.
    case learn
    /// What was changed in a workspace that is to be reviewed.
    case changes
    /// What a jail makes sure of by itself before its command starts.
    case selftest
    /// What a jail may use and not have.
    case secrets
}

/// The one error that people see: stage, operation, path, reason, and the one thing to do about it, on one line.
///
/// Wording: lower case, no full stop, the kernel's own names.
package struct JailError: Error, Sendable, CustomStringConvertible {
    package var stage: Stage
    /// The operation and its decisive argument, such as `mount(tmpfs)`; nil where no operation was tried.
    package var operation: String?
    package var path: String?
    package var reason: String
    package var hint: String?
    /// The exit status that goes with it, see ``ExitStatus``.
    package var status: Int32

    package init(
        _ stage: Stage, operation: String? = nil, path: String? = nil, reason: String, hint: String? = nil,
        status: Int32? = nil
    ) {
        self.stage = stage
        self.operation = operation
        self.path = path
        self.reason = reason
        self.hint = hint
        self.status = status ?? ExitStatus.standard(for: stage)
    }

    /// From a failed kernel call. The hint comes from the table of ``Hints`` unless one is given.
    package init(
        _ stage: Stage, _ error: SystemError, path: String? = nil, detail: String? = nil, hint: String? = nil,
        status: Int32? = nil
    ) {
        let operation = detail.map { "\(error.call.name)(\($0))" } ?? error.call.name
        self.init(
            stage, operation: operation, path: path, reason: error.errno.description,
            hint: hint ?? Hints.hint(stage: stage, call: error.call, errno: error.errno), status: status)
    }

    /// An error that another process of clawjail's has put into words already.
    package init(_ stage: Stage, said text: String, status: Int32) {
        self.init(stage, reason: text.printable, status: status)
        isWhole = true
    }

    /// ``reason`` is all there is to say.
    private var isWhole = false

    package var description: String {
        if isWhole { return reason }
        var text = "\(stage): "
        if let operation { text += operation }
        if let path { text += (operation == nil ? "" : " ") + "'\(path.printable)'" }
        if operation != nil || path != nil { text += ": " }
        text += reason
        if let hint { text += "; \(hint)" }
        return text
    }
}

/// Exit statuses, besides the command's own (0–255) and 128+N for a command ended by signal N.
package enum ExitStatus {
    /// Wrong usage (sysexits.h EX_USAGE).
    package static let usage: Int32 = 64
    /// Invalid profile or host set-up (sysexits.h EX_CONFIG; systemd's RestartPreventExitStatus).
    package static let configuration: Int32 = 78
    /// There is no jail, session or exec of that name.
    package static let notThere: Int32 = 120
    /// It is there, and does not run.
    package static let notRunning: Int32 = 121
    /// It is there, and is another one.
    package static let exists: Int32 = 122
    /// The caller may not have it.
    package static let refused: Int32 = 123
    /// The launch failed before the command ran.
    package static let launchFailed: Int32 = 125
    /// The command is there and cannot be executed.
    package static let notExecutable: Int32 = 126
    /// The command is not there.
    package static let notFound: Int32 = 127

    static func standard(for stage: Stage) -> Int32 {
        switch stage {
        case .usage: usage
        case .profile, .host, .plan, .secrets: configuration
        default: launchFailed
        }
    }
}

extension String {
    /// The text with control bytes escaped, so that a hostile name cannot write to the reader's terminal or forge a line.
    package var printable: String {
        // Nearly all of them, and this is asked for every event.
        if utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x0A: result += "\\n"
            case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Makes kernel calls on behalf of a stage: a failed one becomes the error that people see.
package func attempt<Result: ~Copyable>(
    _ stage: Stage, _ path: String? = nil, _ body: () throws(SystemError) -> Result
) throws(JailError) -> Result {
    do { return try body() } catch { throw JailError(stage, error, path: path) }
}
