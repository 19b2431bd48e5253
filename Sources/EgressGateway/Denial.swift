package import EgressControl
package import JailCore
package import JailPolicy
package import NIOHTTP1

/// Why a request ends here, and what the client is told.
package struct Denial: Error, Sendable {
    package var status: HTTPResponseStatus
    package var reason: String
    package var rule: String?
    package var remedy: String?
    /// What the client is told in the place of reason and remedy, where those would tell it something about the host's
    /// network.
    package var told: String?
    package var verdict = EgressEvent.Verdict.denied
    /// The name of the secret whose placeholder was where it is not bound to.
    package var secret: String?
    /// The ids of canaries that were in it.
    package var canaries: [String] = []
    /// Seconds until it may be otherwise.
    package var retryAfter: Int?
    /// More that the client is told.
    package var details: [(String, JSON)] = []

    package init(_ status: HTTPResponseStatus, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    package init(_ denial: NetworkDenial) {
        status = .forbidden
        reason = denial.reason
        rule = denial.rule
        remedy = denial.remedy
    }

    package init(_ refusal: RequestRefusal) {
        status = refusal.status
        reason = "malformed request: \(refusal.reason)"
    }

    /// - Parameter budget: its name, as ``Budgets`` gives it.
    static func usedUp(_ budget: String) -> Denial { Denial(.tooManyRequests, "the budget \(budget) is used up") }

    /// What the supervisor could not be told does not happen.
    static let untellable = Denial(.serviceUnavailable, "the log cannot take any more at the moment")

    /// Allowed, and it did not work: the other side's fault, or the network's.
    static func failure(_ status: HTTPResponseStatus, _ reason: String) -> Denial {
        var denial = Denial(status, reason)
        denial.verdict = .failed
        return denial
    }

    /// A short JSON text for programs and people.
    func body(what: String, explain: String?) -> String {
        var members: [(String, JSON)] = [
            ("error", .string(verdict == .denied ? "denied by clawjail" : "not reached")), ("what", .string(what)),
            ("reason", .string(told ?? reason)),
        ]
        if let rule { members.append(("rule", .string(rule))) }
        if let remedy, told == nil { members.append(("allow", .string(remedy))) }
        if told == nil { members += details }
        if let explain, verdict == .denied { members.append(("explain", .string(explain))) }
        return JSON.object(members).text() + "\n"
    }
}
