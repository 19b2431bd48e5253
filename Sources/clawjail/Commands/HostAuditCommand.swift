import ArgumentParser
internal import Glibc
import JailCore
import JailHostAudit

struct HostAuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host-audit",
        abstract: "Look how safely this host runs OpenClaw, in a jail or not, and say what mends it.",
        discussion: """
            Nothing is changed without --fix. Exit status 1: something worse than 'low' was found. What could not be looked at \
            is said; root sees most.
            """)

    @Flag(help: "Print everything as JSON.")
    var json = false

    @Flag(help: "Take permissions away from the caller's own files, asking for each.")
    var fix = false

    @Flag(help: "With --fix: ask nothing.")
    var yes = false

    @Flag(help: "Also show the checks that found nothing, and everything that was not looked at.")
    var all = false

    @Option(
        help: ArgumentHelp("A state directory beside those that are found.", valueName: "directory"),
        completion: .directory)
    var state: [String] = []

    mutating func run() {
        do throws(JailError) {
            guard fix || !yes else { throw JailError(.usage, reason: "--yes goes with --fix") }
            if fix, !yes, (try? System.isTerminal(.standardInput)) != true {
                throw JailError(
                    .usage, reason: "--fix asks, and standard input is no terminal", hint: "--yes asks nothing")
            }
            let view = try HostView()
            var report = try look(view)
            var mended: [String] = []
            if fix {
                mended = try HostMending(view: view, asks: !yes, isQuiet: json).mend(report.findings)
                // Looked at anew: what is left is what counts.
                report = try look(try HostView())
            }
            try Output.print(json ? report.json(mended: mended).text(pretty: true) : report.text(all: all))
            Output.leave(HostAudit.isGood(report.findings) ? 0 : 1)
        } catch { Output.fail(error) }
    }

    private func look(_ view: HostView) throws(JailError) -> HostReport {
        var request = AuditRequest(callerUID: System.effectiveUserID, now: System.realtimeSeconds())
        request.home = System.environmentValue("HOME")
        request.ownStateDirectory = try System.environmentValue("OPENCLAW_STATE_DIR").map { (path) throws(JailError) in
            try absolute(path)
        }
        request.directories = try state.map { (path) throws(JailError) in
            let path = try absolute(path)
            guard (try? System.status(path, followSymlink: true))?.isDirectory == true else {
                throw JailError(.usage, reason: "'\(path.printable)' is no directory")
            }
            return path
        }
        return HostReport(try HostPicture.gather(request, in: view))
    }

    /// As one path from `/`, in its one way of writing. `..` stays what it is in the kernel's eyes only without links: it is
    /// refused.
    private func absolute(_ path: String) throws(JailError) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else {
            throw JailError(.usage, reason: "'\(path.printable)' has .. in it", hint: "write it out")
        }
        let text = parts.joined(separator: "/")
        if path.hasPrefix("/") { return "/" + text }
        let directory = try attempt(.host, "/proc/self/cwd") { () throws(SystemError) in
            try System.readLink("/proc/self/cwd")
        }
        return text.isEmpty ? directory : "\(directory == "/" ? "" : directory)/\(text)"
    }
}
