/// What is wrong with rules as a whole. What is wrong with one rule by itself is refused where it is read.
extension NetworkPolicy {
    /// Throws if two rules contradict each other, or if a rule can never match.
    package static func check(_ rules: NetworkRules) throws(NetworkRuleError) {
        let policy = NetworkPolicy(rules)
        try policy.checkHandling()
        try policy.checkReach()
    }

    /// Rules that write out as much of a name as each other must handle its connections alike: otherwise what happens would
    /// depend on an order that nobody sees. Where one writes out more, it decides.
    private func checkHandling() throws(NetworkRuleError) {
        var seen: [HostPattern: [CompiledRule]] = [:]
        for rule in allow {
            for host in rule.hosts {
                let others = seen[host, default: []]
                if let other = others.first(where: { Self.contradict($0, rule) }) {
                    throw NetworkRuleError(
                        index: rule.index,
                        reason: "contradicts \(other.label): \(host.text) would be \(Self.words(other.handling)) and "
                            + "\(Self.words(rule.handling)) on one port")
                }
                seen[host] = others + [rule]
            }
        }
    }

    private static func contradict(_ one: CompiledRule, _ other: CompiledRule) -> Bool {
        guard one.handling != other.handling, one.ports.contains(where: other.ports.contains) else { return false }
        if one.handling == .tcp || other.handling == .tcp { return true }
        let shared = one.ports.filter(other.ports.contains)
        return one.schemes.contains { scheme in other.schemes.contains(scheme) && shared.contains(where: scheme.uses) }
    }

    private static func words(_ handling: NetworkGrant.Handling) -> String {
        switch handling {
        case .inspect: "inspected"
        case .passThrough: "not inspected"
        case .tcp: "tcp"
        }
    }

    /// A rule of which a deny takes everything away is a mistake in one of the two. A preset counts as a whole.
    private func checkReach() throws(NetworkRuleError) {
        for (index, _) in rules.allow.enumerated() {
            let parts = allow.filter { $0.index == index }
            guard !parts.isEmpty, parts.allSatisfy({ denying($0) != nil }) else { continue }
            let labels = parts.compactMap { denying($0)?.label }
            let names = Set(labels).sorted().joined(separator: ", ")
            throw NetworkRuleError(index: index, reason: "can never match: \(names) denies all of it")
        }
    }

    /// The deny rule that takes the last of the rule's hosts away, if they all are.
    private func denying(_ rule: CompiledRule) -> CompiledDeny? {
        var last: CompiledDeny?
        for host in rule.hosts {
            guard let deny = deny.first(where: { $0.takesAway(rule, at: host) }) else { return nil }
            last = deny
        }
        return last
    }
}

extension CompiledDeny {
    /// Whether nothing is left of a rule at one of its hosts.
    fileprivate func takesAway(_ rule: CompiledRule, at host: HostPattern) -> Bool {
        guard covers(host), rule.ports.allSatisfy(covers(port:)) else { return false }
        return rule.handling != .inspect
            || (rule.methods.allSatisfy { covers(method: $0) } && covers(paths: rule.paths))
    }

    /// Whether something may be left, and something not.
    func overlaps(_ rule: CompiledRule) -> Bool {
        let hosts = rule.hosts.contains { host in
            self.rule.hosts.contains { $0 == .any || $0.covers(host) || host.covers($0) }
        }
        guard hosts, rule.ports.contains(where: covers(port:)) else { return false }
        return rule.handling != .inspect || rule.methods.contains { covers(method: $0) }
    }
}

/// A rule of `network.allow` that cannot stand beside the others.
package struct NetworkRuleError: Error, Equatable, Sendable {
    package let index: Int
    /// Continues a sentence that begins with the rule's name.
    package let reason: String
}
