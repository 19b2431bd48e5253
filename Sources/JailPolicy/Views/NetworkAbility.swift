internal import JailCore

/// One thing that a network rule lets a jail do, to be compared with what other rules let it do.
struct NetworkAbility: Hashable {
    /// Of HTTP; nil: nothing of what is said is judged.
    var method: String?
    /// `example.org/path`, with ports and scheme where they are not the usual ones.
    var place: String
    /// Behind the place: ` by WebSocket`.
    var suffix = ""

    /// In the order of the rules, each once.
    static func all(_ rules: [NetworkRule]) -> [NetworkAbility] {
        var result: [NetworkAbility] = []
        for rule in rules.flatMap({ $0.preset?.rules ?? [$0] }) {
            for ability in of(rule) where !result.contains(ability) { result.append(ability) }
        }
        return result
    }

    private static func of(_ rule: NetworkRule) -> [NetworkAbility] {
        rule.hosts.flatMap { host -> [NetworkAbility] in
            let authority = host == .any ? "every public host" : host.text
            let place = authority + ports(rule)
            switch rule.handling {
            case .tcp: return [NetworkAbility(method: nil, place: place, suffix: " (bytes passed through)")]
            case .passThrough:
                return [
                    NetworkAbility(method: nil, place: place, suffix: " (TLS passed through, nothing in it judged)")
                ]
            case .inspect: break
            }
            let places = rule.paths.map { $0.map { place + $0.text } } ?? [place]
            return places.flatMap { place in
                rule.methods.map { NetworkAbility(method: $0, place: place) }
                    + (rule.websocket ? [NetworkAbility(method: nil, place: place, suffix: " by WebSocket")] : [])
            }
        }
    }

    private static func ports(_ rule: NetworkRule) -> String {
        guard rule.ports != NetworkRule.defaultPorts, rule.ports != [443] else { return "" }
        return ":" + rule.ports.map { "\($0)" }.joined(separator: ",")
    }

    /// `POST to hooks.example.org/build`, methods of the same place together.
    static func texts(_ abilities: [NetworkAbility]) -> [String] {
        var texts: [String] = []
        var done: Set<String> = []
        for ability in abilities {
            guard ability.method != nil else {
                texts.append("connect to \(ability.place)\(ability.suffix)")
                continue
            }
            guard done.insert(ability.place).inserted else { continue }
            let methods = abilities.filter { $0.place == ability.place }.compactMap(\.method)
            let isReading = methods.allSatisfy { $0 == "GET" || $0 == "HEAD" }
            texts.append("\(methods.joined(separator: ", ")) \(isReading ? "from" : "to") \(ability.place)")
        }
        return texts
    }
}
