internal import AuditLog
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// A launch's log, its anchors, and what is told when it cannot be written.
final class Audit {
    private let trail: AuditTrail
    private let anchors: AuditAnchors
    private let rules: AuditPlan
    private var notices: [JailNotice] = []
    /// What the host's programs are to be told.
    private var outside: [AuditHead] = []
    private var isShort = false
    /// Until what they are is recorded.
    private var programs: ProgramDigests?

    /// Begins the jail's log. Throws where it cannot be written: what is not recorded does not run.
    init(_ plan: LaunchPlan) throws(JailError) {
        rules = plan.audit
        trail = try AuditTrail(plan.audit, jail: plan.gateway.map { "\($0)/\(plan.name)" } ?? plan.name)
        anchors = AuditAnchors(plan.audit)
        AuditPruning.pruneDaily(plan)
    }

    /// What is about to run, before it does: written to the file, and signed.
    ///
    /// After every clone, so that no copy of the key is in a process that the jail could take over.
    func begin(_ plan: LaunchPlan) throws(JailError) {
        trail.record(plan.auditRecord)
        trail.begin()
        if let shortage = trail.shortage { throw shortage }
    }

    /// The command runs: there is time to look at what was started.
    func readPrograms(_ plan: LaunchPlan) {
        programs = ProgramDigests(plan)
        readOn()
    }

    private func readOn() {
        guard programs?.work() == true else { return }
        if let programs { trail.record(programs.event) }
        programs = nil
    }

    func record(_ event: JSON) { trail.record(event) }

    /// A process was cloned that has a copy of the key.
    func renewKey() { trail.renewKey() }

    /// Monotonic nanoseconds at which ``work()`` wants to be called though nothing happened.
    var due: Int64? { programs != nil ? System.monotonicNanoseconds() : trail.due }

    enum State: Equatable {
        case writing
        /// It can be written again.
        case recovered
        /// Nothing more can be written for now: by the profile the jail stands still, or is stopped.
        case short
        /// And so much waits to be written that the jail cannot be waited for: its last words would have no place.
        case overdue
    }

    /// Bytes that wait to be written, beyond which a jail that should stand still is killed.
    private static let mostWaiting = 4 << 20

    /// Writes what has happened since the last time.
    func work() -> State {
        readOn()
        trail.work()
        keepHeads()
        guard let shortage = trail.shortage else {
            defer { isShort = false }
            if isShort { notices.append(.note("audit: the log is written again; nothing is missing")) }
            return isShort ? .recovered : .writing
        }
        if !isShort {
            isShort = true
            notices.append(.note("\(shortage); audit.onFull says that the jail is to \(rules.rules.onFull.rawValue)"))
            notices.append(
                .event([
                    "event": "audit-full", "message": .string(shortage.description),
                    "then": .string(rules.rules.onFull.rawValue),
                ]))
        }
        // A jail that is being stopped has the time that its records leave it; one that stands still makes none.
        let isOverdue = trail.backlog > Self.mostWaiting || stopsWhenShort && !trail.leavesLastWords
        return isOverdue ? .overdue : .short
    }

    var stopsWhenShort: Bool { rules.rules.onFull == .stop }

    private func keepHeads() {
        for head in trail.takeHeads() {
            anchors.keep(head)
            if !rules.anchors.isEmpty { outside.append(head) }
        }
        notices += anchors.takeNotes().map { .note($0) }
    }

    /// What programs of the host's are to be started with.
    func takeOutside() -> [(command: HostCommandPlan, input: [UInt8])] {
        defer { outside = [] }
        return outside.flatMap { head in
            rules.anchors.map { ($0, Array((head.json.text() + "\n").utf8)) }
        }
    }

    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    /// The end: the last checkpoint. Throws where the end could not be written.
    func close() throws(JailError) {
        while programs != nil { readOn() }
        trail.close()
        keepHeads()
        if let shortage = trail.shortage { throw shortage }
    }
}

extension LaunchPlan {
    /// What a launch does, for the log: by whom, with which profile, what command.
    fileprivate var auditRecord: JSON {
        let redactor = Redactor(patterns: audit.rules.redact)
        return [
            "event": "launch", "version": .string(Release.version), "profile": .string(profile),
            "profileFiles": .strings(profileFiles), "plan": .string(digest),
            "command": .strings(redactor.redact(arguments: command.arguments)), "program": .string(command.path),
            "user": .string(identity.host.name), "uid": .number(identity.host.uid),
            "by": [
                "uid": .number(System.userID), "loginUid": System.loginUserID.map { .number($0) } ?? .null,
                "supervisor": .number(System.processID),
            ],
            "session": session.map { ["labels": .object($0.labels.map { ($0.name, .string($0.value)) })] } ?? .null,
            "leftOut": .strings(leftOut.map(\.protection.rawValue)),
            "secretNames": .strings(network.egress?.secrets.names ?? []),
        ]
    }

    /// SHA-256 of the plan's JSON, as `clawjail plan --json` prints it on one line.
    package var digest: String { AuditDigest(of: Array(json.text().utf8)).description }
}
