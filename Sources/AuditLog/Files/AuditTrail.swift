package import JailCore
package import JailPlan
internal import JailPolicy

/// The log of one jail, as its supervisor writes it: nobody else does, and nothing in the jail can reach it.
///
/// Records are gathered and written together, once in each turn of the supervisor's loop. What cannot be written is kept
/// and tried again; whether the jail may go on meanwhile is for the supervisor to say, see ``shortage``.
package final class AuditTrail {
    /// Records until a checkpoint, whatever the time.
    static let mostUnsigned = 1000

    /// Nanoseconds from the first record until it must be on the disk.
    private static let firstSync: Int64 = 1_000_000_000

    private let plan: AuditPlan
    private let jail: String
    private let directory: AuditDirectory
    private let redactor: Redactor
    private var chain: AuditChain
    private var file: AuditFile
    private var number: UInt64
    private var pending: [UInt8] = []
    /// Monotonic nanoseconds of the next checkpoint; nil: nothing was recorded since the last.
    private var nextCheckpoint: Int64?
    private var heads: [AuditHead] = []
    /// Monotonic nanoseconds from which on what was written must be on the disk; nil: nothing has to be.
    private var syncDue: Int64?
    /// The last words are written: nobody waits for the disk any more, unless it is waited for with every record.
    private var isClosing = false
    private var isClosed = false

    /// Why the log cannot be written on now; nil: it can.
    package private(set) var shortage: JailError?

    /// Opens the log of a jail, which no other process may be doing, and begins a file.
    ///
    /// - Throws: whatever keeps it from being written to: the launch ends then.
    package init(_ plan: AuditPlan, jail: String) throws(JailError) {
        self.plan = plan
        self.jail = jail
        directory = AuditDirectory(plan.directory)
        redactor = Redactor(patterns: plan.rules.redact)
        do throws(SystemError) {
            try PrivateDirectory.make(plan.directory)
            let end = try directory.end()
            chain = try AuditChain(after: end.position, launch: Hexadecimal.text(try System.randomBytes(16)))
            number = end.segment + 1
            file = try AuditFile.make(directory.file(number))
            var follows: [(String, JSON)] = [("record", .string(end.position.text))]
            if let torn = end.torn {
                follows += [("torn", .number(torn.size)), ("tornDigest", .string(torn.digest.description))]
            }
            beginSegment(end.segment == 0 ? [] : [("follows", .object(follows))])
        } catch {
            throw JailError(
                .audit, error, path: plan.directory,
                hint: error.errno == .noSpace ? "make room there: nothing runs that is not recorded" : nil)
        }
    }

    private func beginSegment(_ more: [(String, JSON)]) {
        put(
            AuditEventName.segment,
            [
                ("format", 1), ("jail", .string(jail)), ("launch", .string(chain.launch)), ("segment", .number(number)),
                ("key", .optional(chain.publicKey)),
            ] + more)
    }

    // MARK: Records

    /// Records an event, see ``LaunchReporter``: an object whose `event` names it. What looks like a secret is taken out.
    package func record(_ event: JSON) {
        guard !isClosed, case .object(let members) = event else { return }
        var name = "event"
        var others: [(String, JSON)] = []
        for member in members {
            if member.0 == "event", case .string(let text) = member.1 {
                name = text
            } else {
                others.append(Self.own(member))
            }
        }
        put(name, redactor.redact(others))
    }

    /// Keys that the chain gives are not the event's.
    private static func own(_ member: (String, JSON)) -> (String, JSON) {
        switch member.0 {
        // When the way out decided something is not when it was recorded.
        case "seq", "time", "mono", "event", "prev", "signature":
            ("event" + member.0.prefix(1).uppercased() + member.0.dropFirst(), member.1)
        default: member
        }
    }

    private func put(_ name: String, _ members: [(String, JSON)]) {
        let time = AuditTime.now
        pending += chain.append(name, members, at: time)
        if nextCheckpoint == nil {
            nextCheckpoint = time.monotonic + Int64(clamping: plan.rules.checkpoint) * 1_000_000
        }
    }

    // MARK: Writing

    /// Monotonic nanoseconds at which ``work()`` is to be called though nothing was recorded.
    package var due: Int64? {
        if isClosed { return nil }
        if shortage != nil { return System.monotonicNanoseconds() + 1_000_000_000 }
        return [nextCheckpoint, syncDue].compactMap(\.self).min()
    }

    /// Writes what has gathered, and signs where it is time.
    package func work() {
        let isSyncDue = syncDue.map { $0 <= System.monotonicNanoseconds() } ?? false
        guard !isClosed, !pending.isEmpty || isCheckpointDue || isSyncDue || shortage != nil else { return }
        do throws(JailError) {
            try makeRoom()
            if isCheckpointDue || chain.unsigned >= Self.mostUnsigned { try checkpoint(isLast: false) }
            try write()
            if file.size >= plan.rules.fileSize { try rotate() }
            shortage = nil
        } catch { shortage = error }
    }

    private var isCheckpointDue: Bool { nextCheckpoint.map { $0 <= System.monotonicNanoseconds() } ?? false }

    /// Bytes that wait to be written.
    package var backlog: Int { pending.count }

    /// Bytes for what is recorded of a jail that ends, and for the checkpoint.
    private static let lastWords: UInt64 = 24 << 10

    /// Whether what waits to be written can be, and what a jail that ends has still to say as well, though there is no more
    /// room than there is.
    package var leavesLastWords: Bool { UInt64(pending.count) + Self.lastWords <= file.room }

    /// Signs what there is, for the last time: nothing more is recorded.
    package func close() {
        guard !isClosed else { return }
        isClosing = true
        do throws(JailError) {
            try checkpoint(isLast: true)
            // With or without room ahead: these are the last words.
            try write()
            file.trim()
            if plan.rules.sync != .record { file.release() }
            shortage = nil
        } catch { shortage = error }
        isClosed = true
    }

    private func checkpoint(isLast: Bool) throws(JailError) {
        do throws(SystemError) { pending += try chain.checkpoint(isLast: isLast, at: .now) } catch {
            throw failure(error)
        }
        nextCheckpoint = nil
        heads.append(AuditHead(jail: jail, launch: chain.launch, position: chain.position))
        if !isLast, plan.rules.sync == .checkpoint, syncDue == nil { syncDue = System.monotonicNanoseconds() }
    }

    private func makeRoom() throws(JailError) {
        do throws(SystemError) { try file.extend(for: pending.count) } catch {
            let failure = failure(error)
            // What has happened meanwhile need not wait for the room that it has already.
            if !pending.isEmpty, leavesLastWords { try write() }
            throw failure
        }
    }

    private func write() throws(JailError) {
        let (written, error) = file.write(pending)
        pending.removeFirst(written)
        if let error { throw failure(error) }
        let isDue = syncDue.map { $0 <= System.monotonicNanoseconds() } ?? false
        guard plan.rules.sync == .record || isDue && !isClosing else { return }
        do throws(SystemError) { try file.synchronize() } catch { throw failure(error) }
        syncDue = nil
    }

    private func failure(_ error: SystemError) -> JailError {
        JailError(.audit, error, path: directory.file(number))
    }

    /// Goes on in another file, and removes those that are older than they are kept.
    private func rotate() throws(JailError) {
        let path = directory.file(number + 1)
        var next: AuditFile
        do throws(SystemError) { next = try AuditFile.make(path) } catch { throw JailError(.audit, error, path: path) }
        try checkpoint(isLast: false)
        // The old file is not come back to.
        syncDue = syncDue.map { _ in 0 }
        try write()
        file.trim()
        swap(&file, &next)
        number += 1
        beginSegment([])
        try write()
        removeOld()
    }

    /// Files of this log that are older than the profile keeps them.
    package func removeOld() { _ = try? directory.removeOld(keep: plan.rules.keep, before: number) }

    /// The first words, before anything runs: written and signed. The disk is waited for a moment later, beside the jail and
    /// not before it, unless it is with every record.
    package func begin() {
        if plan.rules.sync == .checkpoint { syncDue = System.monotonicNanoseconds() + Self.firstSync }
        renewKey()
        work()
    }

    /// Signs what there is, and changes the key: a process that was cloned just now has a copy of it.
    package func renewKey() { nextCheckpoint = .min }

    // MARK: Heads

    /// What is to be kept elsewhere of what was written since the last time.
    package func takeHeads() -> [AuditHead] {
        guard pending.isEmpty else { return [] }
        defer { heads = [] }
        return heads
    }

    /// Of the last record.
    package var position: AuditPosition { chain.position }
    package var launch: String { chain.launch }
    package var publicKey: String? { chain.publicKey }
}

/// The end of a log at some moment, for whoever keeps it where the log's owner cannot change it.
package struct AuditHead: Equatable, Sendable {
    package var jail: String
    package var launch: String
    package var position: AuditPosition

    package var json: JSON {
        [
            "jail": .string(jail), "launch": .string(launch), "seq": .number(position.sequence),
            "digest": .string(position.digest.description), "head": .string(position.text),
        ]
    }

    /// One line, as it stands in the journal and in files of heads.
    package var text: String { "clawjail-audit head \(position.text) jail \(jail) launch \(launch)" }
}
