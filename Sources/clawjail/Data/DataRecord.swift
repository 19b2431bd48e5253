import AuditLog
import JailCore
import JailLaunch
import JailPlan

/// The log of a jail that does not run, written to by whoever has its name meanwhile: what is done with its data is recorded
/// as everything else is, in the same chain.
struct DataRecord: ~Copyable {
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

    static func event(_ action: String, _ members: [(String, JSON)]) -> JSON {
        .object(
            [("event", "data"), ("action", .string(action))] + members
                + [
                    (
                        "by",
                        ["uid": .number(System.userID), "loginUid": System.loginUserID.map { .number($0) } ?? .null]
                    )
                ])
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
            let record = try DataRecord(name)
            try record.write(event)
            try record.close()
        } catch {
            seat.remove()
            throw error
        }
        seat.remove()
    }
}
