import ArgumentParser
import AuditLog
import AuditViews
import JailCore
import JailLaunch
import JailPolicy

struct AuditSum: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "Say what a week came to: what was denied, what is new, which hours were unusual.")

    @Argument(help: "Names of jails; the default is all.")
    var jails: [String] = []

    @Option(help: ArgumentHelp("From this time on; what is older is compared with.", valueName: "time"))
    var since = "7d"

    @Flag(help: "As JSON.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            var summary = AuditSummary(since: try AuditFilter.time(since, now: System.realtimeMilliseconds()))
            for log in try AuditCommand.logs(jails) {
                try AuditReading.entries(of: log) { (entry) throws(JailError) in summary.add(entry) }
            }
            try Output.print(json ? summary.json.text() : summary.text())
        } catch { Output.fail(error) }
    }
}

struct AuditExporting: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print records in a form that other programs take in.",
        discussion: """
            loki: bodies for its push API; elasticsearch: for its bulk API, named as ECS has it; ocsf: Open Cybersecurity \
            Schema Framework; jsonl: as they are, with the jail's name. Pipe it to curl, for example.
            """)

    @OptionGroup var selection: AuditSelection

    @Option(help: "One of: \(AuditExport.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = "jsonl"

    mutating func run() {
        do throws(JailError) {
            guard let format = AuditExport(rawValue: format) else {
                throw JailError(
                    .usage, reason: "'\(format.printable)' is no format",
                    hint: "one of " + AuditExport.allCases.map(\.rawValue).joined(separator: ", "))
            }
            let lines = try selection.entries().flatMap(format.lines)
            try Output.print(lines.map { $0.text() + "\n" }.joined())
        } catch { Output.fail(error) }
    }
}

struct AuditPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove files of logs that are older than they are to be kept.",
        discussion: "Launches do it by themselves once a day. Jails that run are left alone.")

    @Option(help: ArgumentHelp("How long a file is kept after its last record.", valueName: "time"))
    var keep = "30d"

    mutating func run() {
        do throws(JailError) {
            let milliseconds: UInt64
            do throws(ValueError) { milliseconds = try TimeSpan.parse(keep) } catch {
                throw JailError(.usage, reason: "--keep \(error.reason)", hint: error.hint)
            }
            let count = AuditPruning.prune(
                try AuditCommand.base(), keep: milliseconds, runningIn: RunningJail.directory())
            try Output.print("removed \(count) files")
        } catch { Output.fail(error) }
    }
}
