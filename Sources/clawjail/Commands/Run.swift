import ArgumentParser
internal import Glibc
import JailCore
import JailLaunch
import JailPlan
import JailPolicy

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a jail.",
        discussion: """
            The command's own exit status is passed through, 128+N for a signal. 125: the launch failed; 126, 127: the \
            command cannot be executed, or is not there; 78: invalid profile or host set-up; 64: wrong usage.
            """)

    @OptionGroup var options: LaunchOptions

    @Flag(name: [.short, .long], help: "Go on in the background; 'clawjail ps' and 'clawjail stop' find it.")
    var detach = false

    @Option(
        help: ArgumentHelp(
            "Write what happens to this descriptor, as JSON, one event on a line.", valueName: "descriptor"))
    var statusFd: Int32?

    mutating func run() { Self.run(options.invocation, detach: detach, statusDescriptor: statusFd) }

    static func run(_ invocation: Invocation, detach: Bool, statusDescriptor: Int32?) -> Never {
        do throws(JailError) {
            if detach {
                let (status, message) = try Background.start(statusDescriptor: statusDescriptor) {
                    (reporter) throws(JailError) -> Int32 in
                    let plan = try invocation.makePlan(isBackground: true)
                    if plan.restart != nil {
                        return try GuardedRun(invocation: invocation, plan: plan, isBackground: true).run(&reporter)
                    }
                    let output = try Background.openLog(plan)
                    reporter.log = output
                    return try launch(plan, output: output, &reporter)
                }
                if status != 0 { Output.say(message) }
                Output.leave(status)
            }
            var reporter = try Reporter(statusDescriptor: statusDescriptor)
            do throws(JailError) {
                let plan = try invocation.makePlan()
                if plan.restart != nil, isGuarded(&reporter) {
                    Output.leave(
                        try GuardedRun(invocation: invocation, plan: plan, isBackground: false).run(&reporter))
                }
                let service = service(&reporter)
                Output.leave(try launch(plan, output: nil, service: service, &reporter))
            } catch {
                reporter.failed(error)
                Output.leave(error.status)
            }
        } catch {
            Output.fail(error)
        }
    }

    /// Of the process that a service manager has started, in the foreground: one in the background is another. A manager
    /// that cannot be told is no reason to end.
    private static func service(_ reporter: inout Reporter) -> ServiceNotifier? {
        do throws(JailError) { return try ServiceNotifier() } catch {
            reporter.note(error.description)
            return nil
        }
    }

    /// Two who start it again would be one too many.
    private static func isGuarded(_ reporter: inout Reporter) -> Bool {
        guard ServiceNotifier.isWanted else { return true }
        reporter.note("note: restart is left to the service manager that has started this; see docs/systemd.md")
        return false
    }

    static func launch(
        _ plan: LaunchPlan, output: OutputLog?, service: ServiceNotifier? = nil, guardian: GuardianLink? = nil,
        _ reporter: inout Reporter
    ) throws(JailError) -> Int32 {
        for entry in plan.leftOut {
            reporter.note("left out, as the profile allows: \(entry.protection.rawValue): \(entry.reason)")
        }
        // What else there is to know about a jail, `plan` says; rules that are wider than they look, or see nothing, everybody.
        for note in plan.notes where note.hasPrefix("network.") || note.hasPrefix("alerts.") {
            reporter.note("note: \(note)")
        }
        return try Supervisor.run(
            plan, output: output, sessions: GatewaySessions(), service: service, guardian: guardian,
            reporter: &reporter)
    }
}

/// Tells people on standard error (or in the log of a detached jail), and programs on `--status-fd`.
struct Reporter: LaunchReporter {
    private let descriptor: Descriptor?
    /// Where a waiting foreground process learns how the start went.
    var waiting: SharedDescriptor?
    var log: OutputLog?
    /// Where that is written, while nobody has it open.
    var logPlace: OutputLog.Place?

    /// Notes go where the start was told: of a session, to the jail's supervisor that it was made for.
    var isRelayed = false

    init() { descriptor = nil }

    init(statusDescriptor: Int32?) throws(JailError) {
        guard let number = statusDescriptor else {
            descriptor = nil
            return
        }
        guard number > 2, System.isOpen(number) else {
            throw JailError(
                .usage, reason: "--status-fd \(number) is not an open descriptor above 2",
                hint: "0, 1 and 2 are the command's")
        }
        // Init closes it for itself, and execve for everything that the supervisor might ever execute.
        descriptor = Descriptor(number)
        try attempt(.usage) { () throws(SystemError) in try System.setCloseOnExec(Descriptor(number)) }
    }

    mutating func note(_ text: String) {
        if isRelayed {
            tellWaiting("note \(text.printable)\n")
        } else if let log {
            log.note("clawjail: \(text)")
        } else if let logPlace {
            // As a full disk does: it costs the log.
            try? logPlace.note("clawjail: \(text)")
        } else {
            Output.say(text)
        }
    }

    mutating func event(_ event: JSON) {
        if case .object(let members) = event, members.contains(where: { $0.0 == "event" && $0.1.isStarted }) {
            started()
        }
        // A reader that has gone away does not end the jail.
        if let descriptor { try? System.writeAll(descriptor, event.text() + "\n") }
    }

    mutating func started() { tellWaiting("started\n") }

    mutating func failed(_ error: JailError) {
        event(["event": "failed", "status": .number(error.status), "message": .string(error.description)])
        if waiting != nil { tellWaiting("\(error.status) \(error.description)\n") } else { note(error.description) }
    }

    private mutating func tellWaiting(_ text: String) {
        guard let waiting else { return }
        try? System.writeAll(waiting.borrowed, text)
        if !isRelayed { self.waiting = nil }
    }
}

extension JSON {
    fileprivate var isStarted: Bool { if case .string("started") = self { true } else { false } }
}
