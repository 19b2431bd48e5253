import AuditLog
import AuditViews
import JailCore
import JailLearning
import JailPolicy

/// Permissions that a profile has, and nobody has used for some time.
struct UnusedReport {
    private let profile: Profile
    private let days: Int
    private let found: UnusedPermissions

    /// - Parameter text: as ``SuggestSource/find(_:)`` takes it.
    init(_ text: String, days: Int) throws(JailError) {
        let source = try SuggestSource.find(text)
        profile = try source.load(try Invocation.loader())
        self.days = days
        let since = System.realtimeMilliseconds() - Int64(days) * 86_400_000
        var watched = UnusedPermissions.Watched()
        try Self.readLog(source.jail, profile, since, into: &watched)
        try Self.readRecords(profile, since, into: &watched)
        found = UnusedPermissions.find(in: profile, watched)
    }

    func print(asJSON: Bool) throws(JailError) {
        guard !asJSON else {
            guard case .object(let members) = found.json else { return }
            let head: [(String, JSON)] = [
                ("version", 1), ("profile", .string(profile.name)), ("days", .number(days)),
                ("files", .strings(profile.files)),
            ]
            try Output.print(JSON.object(head + members).text(pretty: true))
            return
        }
        var lines = found.unused.map { "not used for \(days) days; remove: \($0.text)" }
        if lines.isEmpty { lines.append("nothing is known to be unused for \(days) days") }
        lines += found.unwatched.map { "not watched: \($0.key): \($0.reason)" }
        if !found.unused.isEmpty {
            lines.append("it stands in \(profile.files.reversed().joined(separator: ", or in "))")
        }
        try Output.print(lines.map(\.printable).joined(separator: "\n"))
    }

    // MARK: What was watched

    /// Rules are known by their number: what was decided before the profile was changed says nothing of it.
    private static func readLog(
        _ jail: String, _ profile: Profile, _ since: Int64, into watched: inout UnusedPermissions.Watched
    ) throws(JailError) {
        watched.rulesReason = "there is no log of a jail '\(jail)' with this profile that goes back so far"
        guard let log = try? AuditCommand.logs([jail]).first, try !hasChanged(profile, since) else { return }
        var rules: [String: Int] = [:]
        var first: Int64?
        var isOurs = false
        var runs = 0
        try AuditReading.entries(of: log) { (entry) throws(JailError) in
            if first == nil { first = entry.time }
            if entry.event == "launch" {
                isOurs = entry.text("profile") == profile.name
                if isOurs, entry.time >= since { runs += 1 }
            }
            guard isOurs, entry.time >= since, entry.event != "launch" else { return }
            if runs == 0 { runs = 1 }
            if entry.verdict != "denied", let rule = entry.text("rule") { rules[rule, default: 0] += 1 }
        }
        guard let first, first <= since, runs > 0 else { return }
        watched.rules = rules
    }

    private static func hasChanged(_ profile: Profile, _ since: Int64) throws(JailError) -> Bool {
        for path in profile.files {
            let status = try attempt(.profile, path) { () throws(SystemError) in
                try System.status(path, followSymlink: true)
            }
            if status.changed * 1000 >= since { return true }
        }
        return false
    }

    private static func readRecords(
        _ profile: Profile, _ since: Int64, into watched: inout UnusedPermissions.Watched
    ) throws(JailError) {
        let directory = try LearnedFiles.directory()
        var used: [Observation] = []
        for name in try LearnedFiles.names() {
            let run = try LearnedFiles.read("\(directory)/\(name)\(LearnedFiles.suffix)")
            guard run.start.profile == profile.name, let started = AuditTimes.milliseconds(run.start.started),
                started >= since
            else { continue }
            // What did not fit into it may have been used.
            guard let end = run.end, end.leftOut == 0 else {
                watched.usedReason = "the record \(name) is not complete"
                return
            }
            watched.usedReason = nil
            used += run.observations
        }
        if watched.usedReason == nil { watched.used = used }
    }
}
