internal import JailCore
internal import JailPolicy

/// Rules of `network.allow`: what the one decision function names as the remedy of each denial, put together where they
/// differ in paths, methods or names of one domain alone.
struct NetworkSuggester {
    let profile: Profile
    private let policy: NetworkPolicy

    init(profile: Profile) {
        self.profile = profile
        policy = NetworkPolicy(profile.network)
    }

    /// One request or connection, with what it was seen of.
    struct Ask {
        var observation: Observation
        var question: NetworkQuestion
    }

    func suggest(_ observations: [Observation]) -> [Found] {
        var found: [Found] = []
        var needs: [NetworkNeed] = []
        var used: [Ask] = []
        let asks = observations.compactMap { observation -> Ask? in
            guard case .network(let fields) = observation.subject else { return nil }
            switch Self.question(fields) {
            case .success(let question): return Ask(observation: observation, question: question)
            case .failure(let refusal):
                if observation.isWanted { found.append(.no([observation], refusal.reason)) }
                return nil
            }
        }
        for ask in asks {
            guard ask.observation.isWanted else {
                used.append(ask)
                continue
            }
            // What is known of a host only in part is part of what is known in full.
            if asks.contains(where: { $0.observation.isWanted && $0.question.says(moreThan: ask.question) }) {
                continue
            }
            switch need(of: ask) {
            case nil: break
            case .success(let need)?: needs.append(need)
            case .failure(let refusal)?: found.append(.no([ask.observation], refusal.reason))
            }
        }
        for need in NetworkMerge(used: used).merge(needs) { found += offers(of: need) }
        return found
    }

    /// nil: the profile allows it.
    private func need(of ask: Ask) -> Result<NetworkNeed, Refusal>? {
        if case .address(let address) = ask.question.host, let denial = policy.specialRefusal(of: address) {
            return .failure(Refusal("\(denial.reason); special addresses are never suggested"))
        }
        guard case .deny(let denial) = policy.decide(ask.question) else { return nil }
        guard let remedy = denial.remedy, let rule = Self.rule(of: remedy) else {
            return .failure(Refusal(denial.reason))
        }
        return .success(NetworkNeed(rule: rule, asks: [ask]))
    }

    /// The one rule that a remedy consists of.
    private static func rule(of remedy: String) -> NetworkRule? {
        guard let tree = try? JSON5Reader.read(Array("{ \(remedy) }".utf8), file: "remedy"),
            let rules = try? ProfileLoader.decode(tree, name: "remedy", home: nil).network, rules.allow.count == 1,
            rules.allowPrivate.isEmpty
        else { return nil }
        return rules.allow[0]
    }

    /// What was put together, or its parts where it cannot stand beside the profile's rules.
    private func offers(of need: NetworkNeed) -> [Found] {
        let found = offer(need)
        if case .ungrantable = found, need.parts.count > 1 { return need.parts.map(offer) }
        return [found]
    }

    private func offer(_ need: NetworkNeed) -> Found {
        let change = ProfileChange(key: "network.allow", value: need.rule.shortText, isElement: true)
        let observations = need.asks.map(\.observation)
        let suggestion = Suggestion(
            change: change, evidence: Evidence(observations), risk: need.risk, advisedAgainst: need.objection)
        let isName = need.asks.allSatisfy { $0.question.method == nil && $0.question.scheme != .tcp }
        return profile.offer(suggestion, isName ? .name : .request, for: observations) { extended in
            let policy = NetworkPolicy(extended.network)
            return need.asks.allSatisfy { if case .allow = policy.decide($0.question) { true } else { false } }
        }
    }

    // MARK: Questions

    struct Refusal: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// As the way out asked it. What stands in a record or a log may be cut or redacted: such a path is none.
    private static func question(_ fields: NetworkSubjectFields) -> Result<NetworkQuestion, Refusal> {
        let host =
            IPAddress(fields.host).map(Host.address) ?? HostName(wire: fields.host.utf8).map(Host.name)
        guard let host else { return .failure(Refusal(Host.reason(refusing: fields.host))) }
        var question = NetworkQuestion(host: host)
        question.port = fields.port
        if let text = fields.scheme {
            guard let scheme = NetworkScheme(rawValue: text) else {
                return .failure(Refusal("\"\(text.excerpt)\" is no scheme that a rule can name"))
            }
            question.scheme = scheme
        }
        question.method = fields.method
        question.isWebSocket = fields.isWebSocket
        if let text = fields.path {
            guard let path = CanonicalPath(target: text), path.path == text else {
                return .failure(Refusal("its path is not known in full: what looks like a secret is not written down"))
            }
            question.path = path
        }
        return .success(question)
    }
}

extension NetworkQuestion {
    /// The same host, and something known that the other one does not know.
    fileprivate func says(moreThan other: NetworkQuestion) -> Bool {
        guard host == other.host, method != nil, other.method == nil, other.path == nil, !other.isWebSocket else {
            return false
        }
        return (other.port == nil || other.port == port) && (other.scheme == nil || other.scheme == scheme)
    }
}

extension NetworkRule {
    /// As an element of `network.allow`, without what goes without saying.
    var shortText: String {
        guard case .object(let members) = json, let scheme = schemes.first, schemes.count == 1,
            ports == [scheme.standardPort].compactMap({ $0 })
        else { return json.json5 }
        return JSON.object(members.filter { $0.0 != "ports" }).json5
    }
}
