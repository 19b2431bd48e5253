import ArgumentParser
import AuditLog
import AuditViews
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read the logs of what happened in jails, and verify that nobody has changed them.",
        subcommands: [
            AuditShow.self, AuditTail.self, AuditVerify.self, AuditSum.self, AuditExporting.self, AuditPrune.self,
        ])

    /// Where this user's logs lie.
    static func base() throws(JailError) -> String {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        return request.stateDirectory(try CallerFacts.current()) + "/audit"
    }

    /// The logs of these jails, or of all.
    static func logs(_ jails: [String]) throws(JailError) -> [AuditLogs.Log] {
        let base = try base()
        guard !jails.isEmpty else { return AuditLogs.all(below: base) }
        var logs: [AuditLogs.Log] = []
        for jail in jails {
            // Any other text would lead to another directory.
            let log = AuditLogs.log(of: try JailAddress(jail).shown, below: base)
            guard (try? log.directory.segments())?.isEmpty == false else {
                throw JailError(
                    .audit, reason: "there is no log of a jail '\(jail.printable)'",
                    hint: "'clawjail audit show' without a name shows those of all", status: ExitStatus.notThere)
            }
            logs.append(log)
        }
        return logs
    }
}

/// Which records are meant.
struct AuditSelection: ParsableArguments {
    @Argument(help: "Names of jails, GATEWAY/ID for a session that a jail has had made; the default is all.")
    var jails: [String] = []

    @Option(help: ArgumentHelp("Only these events, such as network or limit.", valueName: "event"))
    var event: [String] = []

    @Option(help: ArgumentHelp("Only what was allowed, denied or failed.", valueName: "verdict"))
    var verdict: String?

    @Option(help: ArgumentHelp("Only what was about this host, or with '*.' about those below it.", valueName: "host"))
    var host: String?

    @Option(
        help: ArgumentHelp(
            "From this time on: 2026-03-01, 2026-03-01T09:30:00Z, or 2h for two hours ago.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Before this time.", valueName: "time"))
    var until: String?

    @Flag(help: "Also what the log writes about itself: segments and checkpoints.")
    var chain = false

    func filter() throws(JailError) -> AuditFilter {
        let now = System.realtimeMilliseconds()
        var filter = AuditFilter()
        filter.events = Set(event)
        filter.verdict = verdict
        filter.host = host
        filter.showsChain = chain
        if let since { filter.since = try AuditFilter.time(since, now: now) }
        if let until { filter.until = try AuditFilter.time(until, now: now) }
        return filter
    }

    /// Those that pass, of all logs, in the order of time.
    func entries() throws(JailError) -> [AuditEntry] {
        let filter = try filter()
        var entries: [AuditEntry] = []
        let logs = try AuditCommand.logs(jails)
        for log in logs {
            try AuditReading.entries(of: log) { (entry) throws(JailError) in
                if filter.takes(entry) { entries.append(entry) }
            }
        }
        // Within a log its own order counts, whatever the clock did.
        return logs.count == 1
            ? entries
            : entries.enumerated().sorted { one, other in
                one.element.time != other.element.time
                    ? one.element.time < other.element.time : one.offset < other.offset
            }.map(\.element)
    }
}
