/// What a person may be asked about: requests that are denied for no other reason than that no rule allows them.
extension NetworkPolicy {
    /// As ``decide(_:)``, but where a person may be asked the answer is that something may come of it: for what is judged
    /// before there is a request, such as a name or a connection.
    package func reach(_ question: NetworkQuestion) -> NetworkVerdict {
        let verdict = decide(question)
        guard case .deny = verdict, let grant = approvable(question) else { return verdict }
        return .allow(grant)
    }

    /// What somebody's yes would let through; nil: it is allowed anyhow, or nobody is asked about it.
    package func approvable(_ question: NetworkQuestion) -> NetworkGrant? {
        candidates(host: question.host, port: question.port, scheme: question.scheme).approvable(question)
    }

    /// Ports at which a person may be asked: those of the web, and those that a rule names.
    package var askedPorts: [UInt16] { asks ? Set(NetworkRule.defaultPorts + ports).sorted() : ports }

    /// What stands in the place of a rule until there is a grant.
    package static let asking = "approvals"
}

extension NetworkCandidates {
    /// The same as ``NetworkPolicy/approvable(_:)``, which calls it.
    package func approvable(_ question: NetworkQuestion) -> NetworkGrant? {
        guard policy.asks, question.host == host, question.port == port, question.scheme == scheme else { return nil }
        // Deny rules and what no rule can allow are not for anybody to decide.
        guard impossibility(of: question) == nil, explicitDenial(of: question) == nil, !isSpecial,
            mayBeAsked(question), !isLimit(question), case .deny = decide(question)
        else { return nil }
        return NetworkGrant(
            rule: NetworkPolicy.asking, handling: .inspect, requestSize: NetworkRule.defaultRequestSize)
    }

    /// Private, link-local, the host's own: not even by their names, which the second stage sees to.
    private var isSpecial: Bool {
        if case .address(let address) = host { policy.specialKind(of: address) != nil } else { false }
    }

    /// Only what can be seen as a whole: one request of HTTP, with one method. A WebSocket is a way for anything, and so is
    /// what a rule lets through without looking.
    private func mayBeAsked(_ question: NetworkQuestion) -> Bool {
        guard !question.isWebSocket, question.overriding.allSatisfy({ $0 == question.method }), scheme != .tcp,
            (question.bodySize ?? 0) <= NetworkRule.defaultRequestSize
        else { return false }
        if let port, !policy.askedPorts.contains(port) { return false }
        return !matched.contains { matched in
            matched.rule.handling != .inspect && (port.map(matched.rule.ports.contains) ?? true)
        }
    }

    /// A rule allows it but for its size: that is a limit, and no question of what may be reached.
    private func isLimit(_ question: NetworkQuestion) -> Bool {
        guard question.bodySize != nil else { return false }
        var other = question
        other.bodySize = nil
        if case .allow = decide(other) { return true }
        return false
    }
}
