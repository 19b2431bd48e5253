internal import JailCore
internal import JailPlan

extension JailWatch {
    /// What ``ControlRequest/figures`` is answered with.
    func figuresText() -> String {
        let now = System.monotonicNanoseconds()
        var members: [(String, JSON)] = [
            ("upMilliseconds", .number(max(0, now - began) / 1_000_000)),
            ("health", .optional(health?.condition.rawValue)), ("paused", .boolean(pause.isPaused)),
            ("execs", .number(execs.count)), ("tells", .string(egressTells)),
        ]
        members += figures.members(now: now)
        return JSON.object(members).text()
    }

    /// What of the way out is counted: `nothing` where there is none; `denials` where nobody wants to hear of the rest.
    private var egressTells: String { egress == nil ? "nothing" : "everything" }

    /// What ``ControlRequest/recent`` is answered with.
    func recentText() -> String { figures.recent.text(most: ControlReply.largestText) }
}
