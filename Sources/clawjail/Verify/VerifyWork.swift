import AuditLog
import JailCore
import JailLaunch
import JailPlan
import JailVerify

/// Verifies a profile, from its plan to the record in the log.
struct VerifyWork {
    private var plans: VerifyPlans
    private let list: CheckList
    private let trial: Trial
    private let listeners: VerifyListeners
    private let began = System.monotonicNanoseconds()

    init(_ invocation: Invocation, against: String?, online: Bool) throws(JailError) {
        plans = try VerifyPlans(invocation, against: against)
        listeners = try VerifyListeners()
        var trial = Trial()
        trial.hostPort = listeners.port
        trial.abstractName = listeners.name
        trial.processID = System.processID
        trial.mostMemory = min(trial.mostMemory, Self.spareMemory() / 2)
        trial.online = online
        trial.added = [VerifyPlans.probePath]
        trial.rules = against == nil ? nil : plans.trial.network.egress?.rules
        self.trial = trial
        list = CheckList(plans.promised, trial)
        plans.setArguments(list.arguments)
    }

    func run() throws(JailError) -> Verification {
        let twin = try VerifyTwin(plans.trial)
        defer { twin.end() }
        let report = try twin.report()
        var facts = OutsideFacts.gather(of: plans.trial, listeners)
        facts.log = LogFinding.read(of: plans.trial, awaiting: list.deniedQuestions)
        var verification = Verification(
            list, Evidence(inside: report, outside: facts), subject: "profile \(plans.trial.profile)")
        if plans.promised.profile != plans.trial.profile {
            verification.subject += ", by what \(plans.promised.profile) promises"
        }
        verification.notes = plans.notes
        verification.jail = plans.trial.name
        let connection = try attempt(.supervise) { () throws(SystemError) in
            try RunDirectory.connect(to: "\(plans.trial.runtimeDirectory)/\(plans.trial.name)")
        }
        try verification.record(through: connection)
        verification.milliseconds = (System.monotonicNanoseconds() - began) / 1_000_000
        return verification
    }

    /// Bytes that nobody uses, as the kernel estimates.
    private static func spareMemory() -> UInt64 {
        let bytes = (try? System.readFile("/proc/meminfo")) ?? []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("MemAvailable:")
        {
            let words = line.split(separator: " ")
            return words.count > 1 ? (UInt64(words[1]) ?? 0) * 1024 : 0
        }
        return 0
    }
}

extension Verification {
    /// Has the jail's own supervisor write it down; it hears when that is done.
    func record(through connection: SharedDescriptor) throws(JailError) {
        let failed = rows.filter { $0.judgement.state == .notHeld }.map(\.check.id)
        guard
            let record = VerificationRecord(
                held: UInt32(count(.held)), notHeld: UInt32(count(.notHeld)), notTried: UInt32(count(.notTried)),
                digest: digest, failed: Array(failed.prefix(VerificationRecord.mostFailed)))
        else { throw JailError(.audit, reason: "the result cannot be recorded") }
        guard try JailConnection.ask(.verified(record), connection) == .done else {
            throw JailError(.audit, reason: "the result was not recorded: the jail has ended")
        }
    }

    /// SHA-256 of the result as JSON.
    var digest: String { AuditDigest(of: Array(json.text().utf8)).description }

    var fullJSON: JSON {
        guard case .object(let members) = json else { return json }
        return .object(
            members + [("jail", .string(jail)), ("sha256", .string(digest)), ("milliseconds", .number(milliseconds))])
    }

    /// Only what does not hold; empty if everything does.
    var complaints: String {
        rows.filter { $0.judgement.state == .notHeld }.map {
            "\($0.judgement.state.word): \($0.check.promise) (\($0.check.tried)): \($0.judgement.answer)".printable
        }.joined(separator: "\n")
    }

    /// A table, and what a reader should know of it.
    var text: String {
        let head = ["RESULT", "PROMISE", "HOW IT WAS TRIED", "ANSWER"]
        let table = Table.text(
            [head]
                + rows.map { row in
                    [row.judgement.state.word, row.check.promise, row.check.tried, row.judgement.answer].map(
                        \.printable)
                })
        let notes = self.notes.map { "note: \($0)" }.joined(separator: "\n")
        return """
            \(table)

            \(notes)
            \(subject): \(summary), in \(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst().prefix(1)) s; \
            recorded in the log of \(jail), sha256 \(digest)
            """
    }
}
