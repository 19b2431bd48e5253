import AuditLog
import JailCore
import JailLaunch
import JailLearning
import JailPlan
import JailPolicy

/// The file that a run under `learn` leaves behind: `learn/NAME-TIME.jsonl` in the state directory, this user's alone.
struct LearnRecord {
    let path: String
    private let file: SharedDescriptor
    private let start: LearnedRun.Start
    private let redactor: Redactor

    /// Bytes of a command in a record, and of each of its arguments.
    private static let commandLimit = 64 << 10

    /// Made before anything runs: what cannot be written down is not begun.
    init(_ plan: LaunchPlan, permits: Bool) throws(JailError) {
        let directory = "\(plan.stateDirectory)/learn"
        let now = System.realtimeSeconds()
        let place = "\(directory)/\(plan.name)-\(UTCTime.compact(now))"
        redactor = Redactor(patterns: plan.audit.rules.redact)
        start = LearnedRun.Start(
            name: plan.name, profile: plan.profile, profileFiles: plan.profileFiles, plan: plan.digest,
            command: Self.clipped(redactor.redact(arguments: plan.command.arguments)), started: UTCTime.text(now),
            permits: permits)
        (file, path) = try attempt(.learn, place) { () throws(SystemError) in
            try PrivateDirectory.make(directory)
            return try Self.make(place)
        }
        try write(ObservationFile.line(start).text() + "\n")
    }

    /// Another one may have begun in the same second.
    private static func make(_ place: String) throws(SystemError) -> (SharedDescriptor, String) {
        let flags: OpenFlags = [.writeOnly, .create, .exclusive, .noFollow]
        for number in 1...9 {
            let path = number == 1 ? "\(place).jsonl" : "\(place)-\(number).jsonl"
            do throws(SystemError) { return (SharedDescriptor(try System.open(path, flags, mode: 0o600)), path) } catch
            {
                guard error.errno == .exists, number < 9 else { throw error }
            }
        }
        throw SystemError(.openat2, .exists)
    }

    private static func clipped(_ arguments: [String]) -> [String] {
        var room = commandLimit
        var kept: [String] = []
        for argument in arguments {
            guard argument.utf8.count <= min(room, ObservationFile.textLimit) else {
                kept.append("…")
                break
            }
            room -= argument.utf8.count + 1
            kept.append(argument)
        }
        return kept
    }

    /// Everything that was seen, and how it ended.
    func finish(_ learning: Learning, status: Int32) throws(JailError) -> LearnedRun {
        let run = LearnedRun(
            start: start, observations: learning.observations.map(redacted),
            end: .init(
                ended: UTCTime.text(System.realtimeSeconds()), status: status, leftOut: learning.leftOut,
                isIncomplete: learning.isIncomplete))
        let lines = run.observations.map(\.json) + (run.end.map { [ObservationFile.line($0)] } ?? [])
        try write(lines.map { $0.text() + "\n" }.joined())
        return run
    }

    /// Nothing ran: there is nothing to keep.
    func remove() { try? System.unlink(path) }

    /// Secrets stand in URLs.
    private func redacted(_ observation: Observation) -> Observation {
        guard case .network(var fields) = observation.subject, let path = fields.path else { return observation }
        var observation = observation
        fields.path = redactor.redact(path)
        observation.subject = .network(fields)
        return observation
    }

    private func write(_ text: String) throws(JailError) {
        try attempt(.learn, path) { () throws(SystemError) in try System.writeAll(file.borrowed, text) }
    }
}
