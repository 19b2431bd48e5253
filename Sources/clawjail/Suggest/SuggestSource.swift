import AuditLog
import AuditViews
import JailCore
import JailHost
import JailLearning
import JailPolicy

/// What was seen, and under which profile: the record of a run under `learn`, or a jail's log.
struct SuggestSource {
    /// For people.
    let shown: String
    /// The jail's name.
    let jail: String
    let profile: String
    /// The files that the profile was read from; the last is its own.
    let profileFiles: [String]
    let command: [String]
    let observations: [Observation]
    /// Runs under `learn`, and so does the next one.
    let isLearned: Bool

    /// - Parameter text: a file, a record's name with or without its time, or the name of a jail.
    static func find(_ text: String) throws(JailError) -> SuggestSource {
        if text.hasSuffix(LearnedFiles.suffix), text.contains("/") {
            return SuggestSource(try LearnedFiles.read(text), text)
        }
        let records = try LearnedFiles.named(text)
        let log = try newest(text)
        guard let file = records.last else {
            if let log { return log.source }
            throw JailError(
                .usage, reason: "there is neither a record of 'clawjail learn' nor a log of '\(text.printable)'",
                hint: "'clawjail learn -- COMMAND' makes a record, 'clawjail audit show' lists logs",
                status: ExitStatus.notThere)
        }
        let run = try LearnedFiles.read(file)
        // What has been run after it counts, if there is anything.
        if let log, let end = run.end, let ended = AuditTimes.milliseconds(end.ended), log.launched > ended + 1000 {
            return log.source
        }
        return SuggestSource(run, file)
    }

    private init(_ run: LearnedRun, _ file: String) {
        let end = run.end.map { "status \($0.status)" } ?? "it has not ended"
        shown = "\(file) (\(end))"
        jail = run.start.name
        profile = run.start.profile
        profileFiles = run.start.profileFiles
        command = run.start.command
        observations = run.observations
        isLearned = true
    }

    private init(_ log: AuditLogs.Log, launch: AuditEntry, _ observations: [Observation]) {
        shown = "the log of \(log.jail)"
        jail = log.jail
        profile = launch.text("profile") ?? ""
        profileFiles = launch.texts("profileFiles")
        command = launch.texts("command")
        self.observations = observations
        isLearned = false
    }

    /// The profile as it is now.
    func load(_ loader: ProfileLoader) throws(JailError) -> Profile {
        let own = profileFiles.last
        if let named = try? loader.load(profile), own == nil || named.files.last == own { return named }
        // Given as a file, or hidden by another one of the name since then.
        return try loader.load(own ?? profile)
    }

    // MARK: Logs

    /// What the log of a jail says of its launches under the profile of the last one; nil: there is no log.
    private static func newest(_ jail: String) throws(JailError) -> (source: SuggestSource, launched: Int64)? {
        guard let logs = try? AuditCommand.logs([jail]), let log = logs.first else { return nil }
        var launch: AuditEntry?
        var tally = SeenTally()
        try AuditReading.entries(of: log) { (entry) throws(JailError) in
            if entry.event == "launch" {
                if entry.text("profile") != launch?.text("profile") { tally = SeenTally() }
                launch = entry
            } else {
                tally.add(entry)
            }
        }
        guard let launch else { return nil }
        return (SuggestSource(log, launch: launch, tally.observations), launch.time)
    }
}

/// Denials and limits of a log, each once.
struct SeenTally {
    private(set) var observations: [Observation] = []
    private var places: [Observation.Subject: Int] = [:]
    /// Different ones.
    private static let most = ObservationFile.mostObservations

    mutating func add(_ entry: AuditEntry) {
        guard let subject = Self.subject(entry) else { return }
        if let place = places[subject] {
            observations[place].count += 1
        } else if observations.count < Self.most {
            places[subject] = observations.count
            observations.append(Observation(subject, .denied))
        }
    }

    /// `512M` of "memory limit 512M reached …": what the limit was then.
    private static func reached(_ message: String) -> String {
        let words = message.split(separator: " ")
        guard let index = words.firstIndex(of: "limit"), index + 1 < words.count else { return "" }
        return String(words[index + 1])
    }

    private static func subject(_ entry: AuditEntry) -> Observation.Subject? {
        switch entry.event {
        case "limit": return entry.text("limit").map { .limit(name: $0, value: reached(entry.text("message") ?? "")) }
        case "network":
            guard entry.verdict == "denied", let host = entry.host else { return nil }
            var fields = NetworkSubjectFields(host: host)
            fields.port = entry.number("port").flatMap { UInt16(exactly: $0) }
            fields.scheme = entry.text("scheme")
            fields.method = entry.text("method")
            fields.path = entry.text("path")
            return .network(fields)
        default: return nil
        }
    }
}

extension AuditEntry {
    func texts(_ key: String) -> [String] { members.first { $0.key == key }?.value.strings ?? [] }
}
