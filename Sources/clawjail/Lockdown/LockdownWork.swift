import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

/// A lockdown, from the marker to the end of the jails. Whatever fails, what has been stopped stays stopped.
struct LockdownWork {
    struct Options {
        var keepsEvidence: Bool
        var stops: Bool
    }

    /// Milliseconds that supervisors have to hold their jails: longer than each gives its own.
    private static let patience: Int64 = 7000

    private let subject: LockdownMarker.Subject
    private let order: LockdownOrder
    private let options: Options
    private let start = System.monotonicNanoseconds()
    private let time = System.realtimeSeconds()
    /// clawjail's own, of whoever calls. A jail that was started in another environment has another one.
    private let ownState: String
    private var targets: [LockdownTarget] = []

    static let noReason = JailError(
        .usage, reason: "a reason is one line of at most \(LockdownOrder.longestReason) bytes", hint: "--reason TEXT")

    init(
        _ subject: LockdownMarker.Subject, reason: String, who: String = Self.who(), options: Options
    ) throws(JailError) {
        guard let order = LockdownOrder(reason: reason, who: who) else { throw Self.noReason }
        self.subject = subject
        self.order = order
        self.options = options
        ownState = try Self.stateDirectory()
    }

    static func stateDirectory() throws(JailError) -> String {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        return request.stateDirectory(try CallerFacts.current())
    }

    /// For people: a user, and whoever has become root. What the kernel says of the caller, supervisors take down themselves.
    static func who() -> String {
        let uid = System.userID
        let name = (try? Accounts())?.user(uid: uid)?.name ?? "\(uid)"
        let before = uid == 0 ? System.environmentValue("SUDO_USER") : nil
        return String((before.map { "\(name), by sudo from \($0)" } ?? name).printable.prefix(200))
    }

    // MARK: Standing still

    /// Nothing starts any more, and everybody stands still. Of all of them before anything else is done.
    mutating func freeze() throws(JailError) {
        // Before anybody is looked for: who starts from now on sees it.
        try mark(subject, in: ownState)
        targets = find(settled: false)
        for state in otherStates(of: targets) { try mark(subject, in: state) }
        askAll(targets.indices)
        // Those that were claiming their name when the marker was written.
        let known = Set(targets.map(\.address.shown))
        let late = find(settled: true).filter { !known.contains($0.address.shown) }
        guard !late.isEmpty else { return }
        for state in otherStates(of: late) { try mark(subject, in: state) }
        let first = targets.count
        targets += late
        askAll(first..<targets.count)
    }

    private func find(settled: Bool) -> [LockdownTarget] {
        let base = RunningJail.directory()
        return RunDirectory.held(in: base, settled: settled).flatMap { (name, state) -> [LockdownTarget] in
            let inner = RunDirectory.sessions(of: name, in: base)
            let sessions = RunDirectory.held(in: inner, settled: settled).map {
                LockdownTarget(address: JailAddress(gateway: name, id: $0.name, base: inner), state: $0.state)
            }
            let all =
                (try? JailAddress(name)).map { [LockdownTarget(address: $0, state: state)] + sessions } ?? sessions
            switch subject {
            case .all: return all
            // What it has had made stands and falls with it.
            case .jail(let wanted): return wanted == name ? all : []
            case .session: return all.filter { $0.subject == subject }
            }
        }
    }

    private mutating func askAll(_ indices: Range<Int>) {
        let deadline = System.monotonicNanoseconds() + Self.patience * 1_000_000
        var unreached = Array(indices)
        while System.monotonicNanoseconds() < deadline {
            unreached = unreached.filter { !targets[$0].ask(order) && targets[$0].condition == .asked }
            let waiting = indices.filter { targets[$0].connection != nil }
            if unreached.isEmpty, waiting.isEmpty { break }
            var entries = waiting.compactMap { index in
                targets[index].connection.map { System.PollEntry($0.borrowed, System.PollEvents.readable) }
            }
            let left = (deadline - System.monotonicNanoseconds()) / 1_000_000 + 1
            try? System.poll(&entries, milliseconds: unreached.isEmpty ? Int32(clamping: left) : 2)
            let ready = System.PollResult(entries)
            for index in waiting {
                if let connection = targets[index].connection, ready[connection.borrowed] != nil {
                    targets[index].hear(since: start)
                }
            }
        }
        for index in indices where targets[index].condition == .asked {
            targets[index].killSilentSupervisor()
        }
    }

    var summary: String {
        let frozen = targets.filter { $0.condition == .frozen }
        guard !targets.isEmpty else { return "locked down; nothing of it runs" }
        let longest = frozen.compactMap(\.took).max() ?? 0
        return "locked down; \(frozen.count) of \(targets.count) stand still after \(Self.seconds(longest)) s"
    }

    static func seconds(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    // MARK: Markers

    private func state(of target: LockdownTarget) -> String {
        if let state = target.value?["stateDirectory"]?.text, state.hasPrefix("/") { return state }
        guard let gateway = target.address.gateway,
            let other = targets.first(where: { $0.address.shown == gateway }),
            let state = other.value?["stateDirectory"]?.text, state.hasPrefix("/")
        else { return ownState }
        return state
    }

    private func otherStates(of targets: [LockdownTarget]) -> Set<String> {
        Set(targets.map(state)).subtracting([ownState])
    }

    private func mark(
        _ subject: LockdownMarker.Subject, in state: String, evidence: String? = nil
    ) throws(JailError) {
        try LockdownMarker.write(
            [
                "version": 1, "lockedDown": .string(subject.shown), "reason": .string(order.reason),
                "who": .string(order.who), "uid": .number(System.userID), "time": .string(UTCTime.text(time)),
                "all": .boolean(self.subject == .all), "evidence": .optional(evidence),
            ], for: subject, in: state)
    }

    // MARK: Evidence and end

    /// Evidence of each that stands still, then its end. One that fails does not keep the others.
    mutating func finish() -> [LockdownOutcome] {
        if targets.isEmpty { return [LockdownOutcome(name: subject.shown)] }
        var outcomes = targets.map { LockdownOutcome($0) }
        for index in targets.indices {
            do throws(JailError) {
                try keep(targets[index], &outcomes[index])
            } catch { outcomes[index].failure = error.description }
        }
        guard options.stops else { return outcomes }
        // Those that others have had made first: they end with them.
        let order =
            targets.indices.filter { targets[$0].address.gateway != nil }
            + targets.indices.filter { targets[$0].address.gateway == nil }
        for index in order {
            // A gateway of which something could not be kept stays as well.
            let inner = targets.indices.filter { targets[$0].address.gateway == targets[index].address.name }
            guard outcomes[index].failure == nil, !inner.contains(where: { outcomes[$0].failure != nil }) else {
                continue
            }
            do throws(JailError) { outcomes[index].isStopped = try stop(targets[index]) } catch {
                outcomes[index].failure = error.description
            }
        }
        return outcomes
    }

    private func keep(_ target: LockdownTarget, _ outcome: inout LockdownOutcome) throws(JailError) {
        let state = state(of: target)
        let name = "\(target.fileName)-\(UTCTime.compact(time))"
        let archive = "\(state)/evidence/\(EvidenceGathering.archive(name))"
        if self.subject != target.subject || options.keepsEvidence {
            try mark(target.subject, in: state, evidence: options.keepsEvidence ? archive : nil)
        }
        guard options.keepsEvidence else { return }
        let gathering = EvidenceGathering(target: target, state: state, name: name, order: order, time: time)
        outcome.digest = try gathering.gather()
        outcome.archive = archive
        guard target.condition == .frozen, let seal = LockdownSeal(archive: archive, digest: outcome.digest ?? "")
        else { return }
        // Recorded outside before the jail ends. One that has ended meanwhile records nothing.
        _ = try JailConnection.ask(.seal(seal), try JailConnection.open(target.address.shown))
    }

    /// False: it had ended before.
    private func stop(_ target: LockdownTarget) throws(JailError) -> Bool {
        do throws(JailError) {
            try JailConnection.end(try JailConnection.open(target.address.shown), kill: true)
            return true
        } catch {
            guard [ExitStatus.notThere, ExitStatus.notRunning].contains(error.status), !target.isHeld else {
                throw error
            }
            return false
        }
    }
}

/// What became of one jail.
struct LockdownOutcome {
    let name: String
    var isFrozen = false
    /// Nanoseconds.
    var took: Int64?
    var archive: String?
    var digest: String?
    var isStopped = false
    /// Something else than standing still.
    var remark: String?
    var failure: String?

    init(name: String) {
        self.name = name
        remark = "nothing of it runs"
    }

    init(_ target: LockdownTarget) {
        name = target.address.shown
        isFrozen = target.condition == .frozen
        took = target.took
        switch target.condition {
        case .frozen: break
        case .asked, .ended: remark = "it had ended before it stood still"
        case .killed: remark = "its supervisor did not answer, and was killed with everything in the jail"
        case .failed(let text): remark = text
        }
    }

    var text: String {
        var parts: [String] = []
        if let took { parts.append("stands still after \(LockdownWork.seconds(took)) s") }
        if let remark { parts.append(remark) }
        if let archive, let digest { parts.append("evidence in \(archive), sha256 \(digest)") }
        if let failure {
            parts.append(
                "NOT DONE: \(failure)" + (isFrozen ? "; it stays as it is: mend that, and lock down once more" : ""))
        } else if isStopped {
            parts.append("killed")
        }
        return "\(name): " + parts.joined(separator: "; ")
    }

    var json: JSON {
        [
            "name": .string(name), "frozen": .boolean(isFrozen),
            "milliseconds": took.map { .number($0 / 1_000_000) } ?? .null, "archive": .optional(archive),
            "sha256": .optional(digest), "stopped": .boolean(isStopped), "remark": .optional(remark),
            "failure": .optional(failure),
        ]
    }
}
