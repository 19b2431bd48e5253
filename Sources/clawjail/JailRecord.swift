import AuditLog
import JailCore
import JailLaunch
import JailPlan

/// The log of a jail that does not run, written to by whoever has its name meanwhile: what is done with its data, its workspace
/// or its profile is recorded as everything else is, in the same chain.
struct JailRecord: ~Copyable {
    private let trail: AuditTrail
    private let anchors: AuditAnchors

    /// - Throws: if it cannot be written to; what is not recorded is not done then.
    init(_ name: String) throws(JailError) {
        let base = try DataTarget.directory("audit")
        let plan = AuditPlan(
            directory: "\(base)/\(name)", headFile: System.effectiveUserID == 0 ? "\(base)/heads" : nil)
        trail = try AuditTrail(plan, jail: name)
        anchors = AuditAnchors(plan)
    }

    /// Written and signed when this returns.
    borrowing func write(_ event: JSON) throws(JailError) {
        trail.record(event)
        trail.begin()
        if let shortage = trail.shortage { throw shortage }
    }

    consuming func close() throws(JailError) {
        trail.close()
        for head in trail.takeHeads() { anchors.keep(head) }
        for note in anchors.takeNotes() { Output.say(note) }
        if let shortage = trail.shortage { throw shortage }
    }

    /// What somebody does with a jail's `subject`.
    static func event(_ subject: Subject, _ action: String, _ members: [(String, JSON)]) -> JSON {
        .object(
            [("event", .string(subject.rawValue)), ("action", .string(action))] + members
                + [
                    (
                        "by",
                        ["uid": .number(System.userID), "loginUid": System.loginUserID.map { .number($0) } ?? .null]
                    )
                ])
    }

    enum Subject: String { case data, changes, profile }

    /// Says that something begins, before it does, and how it has ended. The jail's name is this process's meanwhile.
    ///
    /// - Parameters:
    ///   - members: of every record.
    ///   - body: does it, and says what there is to say besides.
    static func around<Result>(
        _ name: String, _ subject: Subject, _ action: (begins: String, done: String), _ members: [(String, JSON)],
        _ body: () throws(JailError) -> (Result, [(String, JSON)])
    ) throws(JailError) -> Result {
        let record = try JailRecord(name)
        try record.write(event(subject, action.begins, members))
        let result: Result
        do throws(JailError) {
            let done = try body()
            result = done.0
            try record.write(event(subject, action.done, members + done.1))
        } catch {
            // What has failed is what the caller hears of.
            try? record.write(event(subject, "failed", members + [("message", .string(error.description))]))
            try? record.close()
            throw error
        }
        try record.close()
        return result
    }

    // MARK: Afterwards

    private static let tries = 5

    /// Of a jail that runs its supervisor has the log, and writes it down.
    static func snapshot(_ note: SnapshotNote, of name: String) throws(JailError) {
        var last = JailConnection.notThere(name)
        for _ in 0..<tries {
            do throws(JailError) {
                if try DataTarget.isRunning(name) {
                    if try JailConnection.ask(.saved(note), try JailConnection.open(name)) != nil { return }
                    continue
                }
                return try alone(note.event, name)
            } catch {
                // It was started, or has ended, just now.
                guard [ExitStatus.exists, ExitStatus.notThere, ExitStatus.notRunning].contains(error.status) else {
                    throw error
                }
                last = error
            }
        }
        throw last
    }

    /// - Throws: if the jail runs.
    static func alone(_ event: JSON, _ name: String) throws(JailError) {
        let seat = try RunDirectory.reserve(name, in: RunningJail.directory())
        do throws(JailError) {
            let record = try JailRecord(name)
            try record.write(event)
            try record.close()
        } catch {
            seat.remove()
            throw error
        }
        seat.remove()
    }
}
