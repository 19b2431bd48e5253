/// The rules that can matter for one host, port and scheme.
package struct NetworkCandidates: Sendable {
    let policy: NetworkPolicy
    package let host: Host
    package let port: UInt16?
    package let scheme: NetworkScheme?

    /// Rules that name the host, in the order of the profile.
    let matched: [(rule: CompiledRule, specificity: Int)]
    let denying: [CompiledDeny]
    /// What can be spoken, and on which port, by which rules.
    let slots: [Slot]

    /// A port and a scheme, with the rules that say what happens there.
    struct Slot: Sendable {
        let port: UInt16
        let scheme: NetworkScheme
        let handling: NetworkGrant.Handling
        let rules: [CompiledRule]
    }

    init(policy: NetworkPolicy, host: Host, port: UInt16?, scheme: NetworkScheme?) {
        self.policy = policy
        self.host = host
        self.port = port
        self.scheme = scheme
        let matched = policy.allow.compactMap { rule in
            rule.specificity(for: host).map { (rule: rule, specificity: $0) }
        }
        self.matched = matched
        denying = policy.deny.filter { $0.covers(host) }
        var ports: [UInt16] = []
        if let port {
            ports = [port]
        } else {
            for port in matched.flatMap(\.rule.ports) where !ports.contains(port) { ports.append(port) }
        }
        let schemes = scheme.map { [$0] } ?? [.https, .http, .tcp]
        slots = ports.flatMap { port in schemes.compactMap { Self.slot(port, $0, matched) } }
    }

    /// Where rules differ in how a connection is handled, those count that write out most of the name. (Rules that are
    /// alike in that contradict each other, and the profile is refused; here the strictest would win.)
    private static func slot(
        _ port: UInt16, _ scheme: NetworkScheme, _ matched: [(rule: CompiledRule, specificity: Int)]
    ) -> Slot? {
        let named = matched.filter { $0.rule.ports.contains(port) }
        guard let nearest = named.map(\.specificity).max() else { return nil }
        // A port that the nearest rule gives to another protocol carries nothing else.
        if named.contains(where: { $0.specificity == nearest && $0.rule.handling == .tcp }), scheme != .tcp {
            return nil
        }
        let serving = named.filter { scheme.uses(port) && $0.rule.serves(scheme) }
        guard let most = serving.map(\.specificity).max() else { return nil }
        let handlings = serving.filter { $0.specificity == most }.map(\.rule.handling)
        let order: [NetworkGrant.Handling] = [.inspect, .passThrough, .tcp]
        guard let handling = order.first(where: handlings.contains) else { return nil }
        let rules = serving.filter { $0.rule.handling == handling }.map(\.rule)
        return Slot(port: port, scheme: scheme, handling: handling, rules: rules)
    }

    /// The same as ``NetworkPolicy/decide(_:)``, which calls it.
    package func decide(_ question: NetworkQuestion) -> NetworkVerdict {
        guard question.host == host, question.port == port, question.scheme == scheme else {
            return policy.decide(question)
        }
        if let denial = impossibility(of: question) ?? explicitDenial(of: question) { return .deny(denial) }
        let verdict = verdict(of: question)
        guard case .address(let address) = host, let kind = policy.specialKind(of: address) else { return verdict }
        return .deny(specialDenial(address, kind, question, verdict))
    }

    /// By the allow rules, whatever the address is.
    private func verdict(of question: NetworkQuestion) -> NetworkVerdict {
        guard let grant = grant(for: question) else {
            return .deny(NetworkDenial(reason: reason(against: question), remedy: remedy(for: question)))
        }
        for method in question.overriding where method != question.method {
            if let denial = overrideDenial(method, question) { return .deny(denial) }
        }
        return .allow(grant)
    }

    /// What a server does with a header that names another method is its own affair, so both must be allowed.
    private func overrideDenial(_ method: String, _ question: NetworkQuestion) -> NetworkDenial? {
        guard HTTPMethod.known.contains(method) else {
            return NetworkDenial(reason: "a header names the method \(method.excerpt), which is never allowed")
        }
        var other = question
        other.method = method
        if let denial = explicitDenial(of: other) {
            return NetworkDenial(reason: "a header names another method: \(denial.reason)", rule: denial.rule)
        }
        guard grant(for: other) == nil else { return nil }
        return NetworkDenial(
            reason: "a header names another method: \(reason(against: other))", remedy: remedy(for: question))
    }

    // MARK: Grants

    /// From the allow rules alone, special addresses or not.
    private func grant(for question: NetworkQuestion) -> NetworkGrant? {
        let form = question.path.map(PathForm.init)
        let forms = question.path.map(PathForm.lenient)
        for slot in slots {
            let granting = slot.rules.filter { allows($0, slot, question, form, forms) }
            // Several rules may allow it: the one that allows most is the answer.
            guard var best = granting.first else { continue }
            for rule in granting where rule.requestSize > best.requestSize { best = rule }
            return NetworkGrant(rule: best.label, handling: slot.handling, requestSize: best.requestSize)
        }
        return nil
    }

    private func allows(
        _ rule: CompiledRule, _ slot: Slot, _ question: NetworkQuestion, _ form: PathForm?, _ forms: [PathForm]?
    ) -> Bool {
        let denying = denying.filter { $0.covers(port: slot.port) }
        guard slot.handling == .inspect else {
            // Whatever a deny says of methods and paths cannot be seen here, so any of it denies.
            return denying.isEmpty
        }
        let methods = question.method.map { [$0] } ?? (question.isWebSocket ? ["GET"] : rule.methods)
        guard !question.isWebSocket || rule.websocket, (question.bodySize ?? 0) <= rule.requestSize else {
            return false
        }
        if let form, let paths = rule.paths, !paths.contains(where: { $0.matches(form) }) { return false }
        return methods.contains { method in
            rule.methods.contains(method)
                && !denying.contains { deny in
                    deny.covers(method: method)
                        && (forms == nil ? deny.covers(paths: rule.paths) : deny.covers(path: forms))
                }
        }
    }
}

extension NetworkQuestion {
    /// The methods that headers name, in upper case: servers take them in any.
    var overriding: [String] {
        overrides.map { String(decoding: $0.utf8.map { Name.isLower($0) ? $0 & 0xDF : $0 }, as: UTF8.self) }
    }
}
