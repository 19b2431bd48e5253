internal import Glibc
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

/// A supervisor that goes on without a terminal; the process that was started waits until its jail runs.
enum Background {
    /// Runs `body` in a background process, which ends with the status that `body` returns.
    ///
    /// - Returns: in the foreground process only: 0 once the jail runs, otherwise the status and the text of what failed.
    static func start(
        statusDescriptor: Int32? = nil, _ body: (inout Reporter) throws(JailError) -> Int32
    ) throws(JailError) -> (status: Int32, message: String) {
        var reporter = try Reporter(statusDescriptor: statusDescriptor)
        let ends = try attempt(.supervise) { () throws(SystemError) in try System.pipe().release() }
        let pid = try attempt(.supervise) { () throws(SystemError) in try System.fork() }
        if pid != 0 {
            System.close(ends.writeEnd)
            return waitForStart(OwnedDescriptor(ends.readEnd))
        }
        System.close(ends.readEnd)
        reporter.waiting = SharedDescriptor(OwnedDescriptor(ends.writeEnd))
        do throws(SystemError) { try closeOthers(than: [ends.writeEnd] + (statusDescriptor.map { [$0] } ?? [])) } catch
        {
            reporter.failed(JailError(.supervise, error))
            Output.leave(ExitStatus.launchFailed)
        }
        do throws(JailError) {
            try attempt(.supervise) { () throws(SystemError) in
                try System.newSession()
                let null = try System.open("/dev/null", .readOnly)
                try System.duplicate(null.borrowed, to: 0, closeOnExec: false)
            }
            Output.leave(try body(&reporter))
        } catch {
            reporter.failed(error)
            Output.leave(error.status)
        }
    }

    /// Nothing else of the caller's stays open as long as the jail runs: the other end of a pipe would never see its end.
    private static func closeOthers(than kept: [Int32]) throws(SystemError) {
        var next: UInt32 = 3
        for number in kept.sorted() where number >= 3 {
            if UInt32(number) > next { try System.closeRange(next, UInt32(number) - 1) }
            next = UInt32(number) + 1
        }
        try System.closeRange(next, .max)
    }

    private static func waitForStart(_ report: consuming OwnedDescriptor) -> (status: Int32, message: String) {
        guard let bytes = try? System.readAll(report.borrowed), !bytes.isEmpty else {
            return (ExitStatus.launchFailed, "the background process ended before the jail ran")
        }
        let text = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        if text == "started" { return (0, "") }
        let words = text.split(separator: " ", maxSplits: 1)
        return (
            words.first.flatMap { Int32($0) } ?? ExitStatus.launchFailed, words.count == 2 ? String(words[1]) : text
        )
    }

    /// Everything that the jail prints goes to `logs/NAME.log` in clawjail's state directory, of a session to
    /// `logs/sessions/ID.log`.
    static func openLog(_ plan: LaunchPlan) throws(JailError) -> OutputLog {
        try OutputLog(logPlace(plan), separatesErrors: plan.alerts?.watches(.stderr) == true)
    }

    static func logPlace(_ plan: LaunchPlan) -> OutputLog.Place {
        OutputLog.Place(
            directory: plan.session == nil ? plan.logDirectory : plan.logDirectory + "/sessions", name: plan.name,
            secrets: plan.audit.rules.redact)
    }

    /// Of a session that is gone for good.
    static func removeLog(ofSession id: String) throws(JailError) {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        let logs = request.stateDirectory(try CallerFacts.current()) + "/logs"
        try OutputLog.remove(directory: logs + "/sessions", name: id)
    }
}

extension LaunchPlan {
    fileprivate var logDirectory: String { stateDirectory + "/logs" }
}
