internal import JailCore
internal import JailPolicy

/// A rule that is missing, with all that it is for.
struct NetworkNeed {
    var rule: NetworkRule
    var asks: [NetworkSuggester.Ask]
    /// What it was put together from; itself alone, where it was not.
    var parts: [NetworkNeed] = []
    /// A pattern stands in the place of several paths or names: more is allowed than was seen.
    var isGeneralised = false

    init(rule: NetworkRule, asks: [NetworkSuggester.Ask]) {
        self.rule = rule
        self.asks = asks
        parts = [self]
    }

    /// Several as one, with a rule that covers them all.
    init(_ needs: [NetworkNeed], as rule: NetworkRule, generalised: Bool = false) {
        self.rule = rule
        asks = needs.flatMap(\.asks)
        parts = needs.flatMap(\.parts)
        isGeneralised = generalised || needs.contains(where: \.isGeneralised)
    }

    var risk: String {
        let names = rule.hosts.map(\.text).joined(separator: ", ")
        var text: String
        if rule.handling == .tcp {
            text =
                "anything may be said to \(names) on port \(rule.ports.map { String($0) }.joined(separator: ", "))"
                + ": nothing of it is seen or judged"
        } else if rule.methods.contains(where: { $0 != "GET" && $0 != "HEAD" && $0 != "OPTIONS" }) {
            text = "what the jail knows can be sent to \(names), and what is there can be changed"
        } else {
            text =
                "what \(names) answers is read inside, and addresses that are asked for can carry what the jail knows"
        }
        if rule.handling == .inspect, rule.paths == nil { text += "; any path, since none was seen" }
        if rule.schemes == [.http] { text += "; unencrypted, so that everybody on the way can read and change it" }
        if rule.websocket { text += "; in both directions, for as long as it stays open" }
        if isGeneralised { text += "; the pattern allows others of the kind that were not asked for" }
        return text
    }

    /// Why the rule should not be made all the same.
    var objection: String? {
        for host in rule.hosts {
            switch host {
            case .any: return "it is the whole network"
            case .exact(let name) where !name.isPublic:
                return
                    "\(name.text) is no name of the public network: it means something on your own host or network only"
            default: break
            }
        }
        return nil
    }
}

/// Puts rules together where the sum grants nothing more than the parts; and where at least ``enough`` of a kind were asked
/// for, a pattern in their place.
struct NetworkMerge {
    /// So many make a kind.
    static let enough = 3

    /// What was allowed and used: evidence as well.
    let used: [NetworkSuggester.Ask]

    func merge(_ needs: [NetworkNeed]) -> [NetworkNeed] {
        let single = grouped(needs) { $0.rule }.map { NetworkNeed(rule: $0[0].rule, asks: $0.flatMap(\.asks)) }
        let patterns = grouped(single) { $0.rule.with(paths: nil) }.flatMap(generalisePaths)
        let methods = grouped(patterns) { $0.rule.with(methods: []) }.map { needs in
            joined(needs) { rule in
                let all = needs.flatMap(\.rule.methods)
                rule.methods = HTTPMethod.known.filter(all.contains)
            }
        }
        // Without paths a rule is another permission than one with some.
        let paths = grouped(methods) { ($0.rule.paths == nil) == true ? $0.rule : $0.rule.with(paths: []) }.map {
            needs in
            joined(needs) { rule in if rule.paths != nil { rule.paths = needs.flatMap { $0.rule.paths ?? [] } } }
        }
        return mergeHosts(paths)
    }

    private func joined(_ needs: [NetworkNeed], _ change: (inout NetworkRule) -> Void) -> NetworkNeed {
        guard needs.count > 1 else { return needs[0] }
        var rule = needs[0].rule
        change(&rule)
        return NetworkNeed(needs, as: rule)
    }

    /// In the order of their first members, none empty.
    private func grouped<Key: Hashable>(_ needs: [NetworkNeed], by key: (NetworkNeed) -> Key) -> [[NetworkNeed]] {
        var groups: [[NetworkNeed]] = []
        var places: [Key: Int] = [:]
        for need in needs {
            let own = key(need)
            if let place = places[own] {
                groups[place].append(need)
            } else {
                places[own] = groups.count
                groups.append([need])
            }
        }
        return groups
    }

    // MARK: Paths

    /// Needs that differ in one path each. Paths that differ in one segment alone, which is not the first, are a kind.
    private func generalisePaths(_ needs: [NetworkNeed]) -> [NetworkNeed] {
        guard needs[0].rule.handling == .inspect, needs.allSatisfy({ $0.rule.paths?.count == 1 }) else { return needs }
        var kinds: [PathKind: (needs: [Int], values: Set<String>)] = [:]
        for (index, need) in needs.enumerated() {
            for (kind, value) in PathKind.all(of: need.path) {
                kinds[kind, default: ([], [])].needs.append(index)
                kinds[kind]?.values.insert(value)
            }
        }
        for ask in used where ask.matches(needs[0].rule) {
            for (kind, value) in PathKind.all(of: ask.question.path) where kinds[kind] != nil {
                kinds[kind]?.values.insert(value)
            }
        }
        var left = Set(needs.indices)
        var found: [NetworkNeed] = []
        let order = kinds.filter { $0.value.values.count >= Self.enough }
            .sorted { ($0.value.values.count, $1.key.text) > ($1.value.values.count, $0.key.text) }
        for (kind, members) in order {
            let own = members.needs.filter(left.contains)
            guard !own.isEmpty, let pattern = PathPattern(kind.text) else { continue }
            left.subtract(own)
            let witnesses = used.filter { ask in
                ask.matches(needs[0].rule) && ask.question.path.map(pattern.matches) == true
            }
            var need = NetworkNeed(
                own.map { needs[$0] }, as: needs[0].rule.with(paths: [pattern]), generalised: true)
            need.asks += witnesses
            found.append(need)
        }
        return needs.indices.filter(left.contains).map { needs[$0] } + found
    }

    // MARK: Names

    /// Names directly below one domain that is one owner's.
    private func mergeHosts(_ needs: [NetworkNeed]) -> [NetworkNeed] {
        grouped(needs) { HostKind($0.rule) }.map { needs in
            guard needs.count > 1, let domain = HostKind(needs[0].rule).domain else { return needs[0] }
            var rule = needs[0].rule
            guard needs.count >= Self.enough, rule.handling == .inspect else {
                return joined(needs) { $0.hosts = needs.flatMap(\.rule.hosts) }
            }
            rule.hosts = [.below(domain)]
            return NetworkNeed(needs, as: rule, generalised: true)
        }
    }
}

/// A path with one segment left open.
private struct PathKind: Hashable {
    /// As a pattern.
    let text: String

    static func all(of path: CanonicalPath?) -> [(PathKind, value: String)] {
        guard let path else { return [] }
        let segments = PathPattern(matching: path).text.split(separator: "/", omittingEmptySubsequences: false)
            .dropFirst()
        return segments.indices.dropFirst().compactMap { index in
            guard !segments[index].isEmpty else { return nil }
            var open = segments
            open[index] = "*"
            return (PathKind(text: "/" + open.joined(separator: "/")), String(segments[index]))
        }
    }
}

/// What names must have in common to be put together.
private struct HostKind: Hashable {
    let rule: NetworkRule
    /// nil: the rule stands by itself.
    let domain: HostName?

    init(_ rule: NetworkRule) {
        guard rule.hosts.count == 1, case .exact(let name) = rule.hosts[0], let parent = name.parent,
            let domain = HostName(wire: parent.utf8), domain.isPublic, !domain.isPublicSuffix
        else {
            self.rule = rule
            domain = nil
            return
        }
        var rest = rule
        rest.hosts = []
        self.rule = rest
        self.domain = domain
    }
}

extension NetworkNeed {
    fileprivate var path: CanonicalPath? { asks.first?.question.path }
}

extension NetworkSuggester.Ask {
    /// Whether it is what the rule is about, whatever the path.
    fileprivate func matches(_ rule: NetworkRule) -> Bool {
        guard let host = rule.hosts.first?.host, question.host == host, question.isWebSocket == rule.websocket,
            let method = question.method, rule.methods.contains(method)
        else { return false }
        return question.port.map(rule.ports.contains) ?? true && question.scheme.map(rule.schemes.contains) ?? true
    }
}

extension NetworkRule {
    fileprivate func with(paths: [PathPattern]?) -> NetworkRule {
        var copy = self
        copy.paths = paths
        return copy
    }

    fileprivate func with(methods: [String]) -> NetworkRule {
        var copy = self
        copy.methods = methods
        return copy
    }
}
