internal import CommandWire
internal import JailApprovals
internal import JailCommands
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Why a call is turned down: one sentence, and what would allow it.
struct CommandRefusal: Error, Equatable {
    var status: UInt8
    var reason: String
    var remedy: String?

    init(_ reason: String, status: UInt8 = UInt8(ExitStatus.notExecutable), remedy: String? = nil) {
        self.status = status
        self.reason = reason
        self.remedy = remedy
    }

    /// Nobody has tried to run it.
    var isDenial: Bool { Int32(status) == ExitStatus.notExecutable }

    /// As it is told to people.
    var text: String { reason + (remedy.map { "; to allow it: \($0)" } ?? "") }

    var answer: CommandAnswer { .refused(status: status, reason: reason, remedy: remedy) }

    static let malformed = CommandRefusal("what was sent is no request for a command, or too long for one")
    static let streams = CommandRefusal("standard input, output and error must be pipes, regular files or /dev/null")
    static let tooFast = CommandRefusal("commands are called too fast; wait a moment")
    static let tooMany = CommandRefusal("\(CommandDesk.mostCalls) commands run already, or wait to")
    static let busy = CommandRefusal("no more commands can be run at the moment")
}

/// What the log says of one call.
struct CommandText {
    /// Printable, and cut where it is long; empty: nothing of it could be read.
    fileprivate(set) var words: [String] = []
    fileprivate(set) var members: [(String, JSON)] = []

    static let empty = CommandText()

    /// For people: what was called, if anybody knows, with a colon behind it.
    var line: String { words.isEmpty ? "" : words.map(\.shellQuoted).joined(separator: " ") + ": " }

    private func event(_ verdict: String, _ more: [(String, JSON)]) -> JSON {
        let called: [(String, JSON)] = words.isEmpty ? [] : [("arguments", .strings(words))]
        return .object([("event", "command"), ("verdict", .string(verdict))] + members + called + more)
    }

    func started(approval: UInt64?) -> JSON {
        event("allowed", approval.map { [("grant", .number($0))] } ?? [])
    }

    /// - Parameter since: monotonic nanoseconds at which it was asked for.
    func ended(status: UInt8?, note: String?, since: Int64) -> JSON {
        var more: [(String, JSON)] = status.map { [("status", .number(UInt64($0)))] } ?? []
        more.append(("milliseconds", .number((System.monotonicNanoseconds() - since) / 1_000_000)))
        if let note { more.append(("note", .string(note.printable))) }
        return event("ended", more)
    }

    func refused(_ refusal: CommandRefusal) -> JSON {
        var more: [(String, JSON)] = [
            ("status", .number(UInt64(refusal.status))), ("message", .string(refusal.reason.printable)),
        ]
        if let remedy = refusal.remedy { more.append(("remedy", .string(remedy.printable))) }
        return event(refusal.isDenial ? "denied" : "failed", more)
    }
}

/// What is said of calls, to programs inside, to people and to the log.
struct CommandTexts {
    private let plan: CommandsPlan
    private let profile: String

    /// Bytes of a call's words that are told.
    private static let mostTold = 1024

    init(_ plan: CommandsPlan, profile: String) {
        self.plan = plan
        self.profile = profile
    }

    // MARK: The log

    func text(of grant: CommandGrant) -> CommandText {
        CommandText(
            words: Self.told(grant.vector),
            members: [
                ("rule", .string(grant.label)), ("program", .string(grant.rule.program)),
                ("place", .string(plan.places[grant.index].word)),
            ])
    }

    /// - Parameter words: that were decided about; empty: those of the request itself are told.
    func text(of request: CommandRequest, _ words: [String], _ denial: CommandDenial) -> CommandText {
        let said = request.words.prefix(64).map { String(decoding: $0.prefix(Self.mostTold), as: UTF8.self) }
        let rule = (denial.index ?? denial.nearest).map { ("rule", JSON.string("commands[\($0)]")) }
        return CommandText(words: Self.told(words.isEmpty ? said : words), members: rule.map { [$0] } ?? [])
    }

    private static func told(_ words: [String]) -> [String] {
        var told: [String] = []
        var left = mostTold
        for word in words {
            guard left > 0 else { return told + ["…"] }
            let text = word.printable
            told.append(text.utf8.count > left ? String(text.prefix(left)) + "…" : text)
            left -= text.utf8.count + 1
        }
        return told
    }

    // MARK: Refusals

    func refusal(_ denial: CommandDenial, _ words: [String], _ policy: CommandPolicy) -> CommandRefusal {
        guard denial.kind == .unlisted else { return CommandRefusal(denial.reason) }
        let change = policy.remedy(for: words) { _ in nil }
        return CommandRefusal(
            denial.reason,
            remedy: (change?.text ?? "a rule of 'commands' that names its program") + " in profile '\(profile)'")
    }

    func refusal(_ denial: ApprovalAnswer.Denial, _ grant: CommandGrant) -> CommandRefusal {
        CommandRefusal(
            "an approval was asked for, and not given: \(denial.text) (\(grant.label))")
    }

    // MARK: Questions

    /// - Parameter denial: nil: a rule allows it.
    func question(
        _ words: [String], _ grant: CommandGrant, _ denial: CommandDenial?, _ number: UInt32
    ) -> CommandQuestion {
        .asked(
            words, place: plan.places[grant.index].asked,
            why: denial?.reason ?? "\(grant.label) asks about every call", number)
    }
}

extension CommandsPlan.Place {
    /// For the log: one word, or two.
    fileprivate var word: String {
        switch self {
        case .jail: "jail"
        case .ownJail(let place): "profile \(place.profile)"
        case .host(let place): "host \(place.user.identity.name)"
        }
    }

    /// For a person who is asked: it runs so, see ``AskedCommand/place``.
    fileprivate var asked: String {
        switch self {
        case .jail: "in the jail"
        case .ownJail(let place): "in a jail of its own, with profile '\(place.profile)'"
        case .host(let place): "on the host, as '\(place.user.identity.name)'"
        }
    }
}
