internal import JailPlan
internal import JailPolicy

/// What to ask a way out that its policy denies. The policy itself says so, by the function that enforces it: a question
/// that it would allow is never asked, since it would leave the host.
struct DeniedQuestions {
    struct Request: Equatable {
        var method: String
        var host: String
        var path: String
        /// The answer is to say what would allow it.
        var hasRemedy: Bool
    }

    /// For the name server.
    private(set) var names: [String]
    private(set) var special: [(address: String, port: UInt16)]
    private(set) var requests: [Request] = []

    private static let mostRequests = 6
    static let unlistedPath = "/clawjail-verify/not-listed"

    /// - Parameter hostPort: of a listener on the host's own 127.0.0.1.
    init(_ rules: NetworkRules, hostPort: UInt16) {
        let policy = NetworkPolicy(rules)
        // The first is of nobody's network, and of no `*`.
        names = ["clawjail-verify.internal", "clawjail-verify.example.com"].filter { name in
            HostName(user: name).map { Self.denial(policy, .name($0), port: nil, method: nil, path: nil) != nil }
                ?? false
        }
        special = [("169.254.169.254", UInt16(80)), ("10.0.0.1", 80), ("127.0.0.1", hostPort)].filter { target in
            IPAddress(target.0).map {
                Self.denial(policy, .address($0), port: target.1, method: "GET", path: "/") != nil
            } ?? false
        }
        for host in Self.hosts(rules) {
            add(policy, host, "POST", "/")
            add(policy, host, "GET", Self.unlistedPath)
        }
        add(policy, "clawjail-verify.example.com", "GET", "/")
        add(policy, "clawjail-verify.example.com", "POST", "/")
    }

    private mutating func add(_ policy: NetworkPolicy, _ host: String, _ method: String, _ path: String) {
        guard requests.count < Self.mostRequests, let name = HostName(user: host),
            let denial = Self.denial(policy, .name(name), port: 80, method: method, path: path),
            !requests.contains(where: { $0.method == method && $0.host == host && $0.path == path })
        else { return }
        requests.append(Request(method: method, host: host, path: path, hasRemedy: denial.remedy != nil))
    }

    /// A name for each pattern, in the order of the rules.
    private static func hosts(_ rules: NetworkRules) -> [String] {
        rules.allow.flatMap { $0.preset?.rules ?? [$0] }.flatMap(\.hosts).compactMap { pattern in
            switch pattern {
            case .exact(let name): name.text
            case .below(let name): "clawjail-verify.\(name.text)"
            case .any: "clawjail-verify.example.com"
            case .address: nil
            }
        }
    }

    private static func question(_ host: Host, port: UInt16?, method: String?, path: String?) -> NetworkQuestion {
        var question = NetworkQuestion(host: host)
        question.port = port
        question.scheme = port == nil ? nil : .http
        question.method = method
        question.path = path.flatMap { CanonicalPath(target: $0) }
        return question
    }

    /// nil: the policy allows it.
    private static func denial(
        _ policy: NetworkPolicy, _ host: Host, port: UInt16?, method: String?, path: String?
    ) -> NetworkDenial? {
        guard
            case .deny(let denial) = policy.decide(question(host, port: port, method: method, path: path))
        else { return nil }
        return denial
    }

    /// A host that may be asked with GET over plain HTTP: one that a rule names, or one that is made for examples.
    static func allowedHost(_ rules: NetworkRules) -> String? {
        let policy = NetworkPolicy(rules)
        let candidates = rules.allow.flatMap { $0.preset?.rules ?? [$0] }.flatMap(\.hosts).compactMap { pattern in
            switch pattern {
            case .exact(let name): name.text
            case .any: "example.com"
            case .below, .address: nil
            }
        }
        return candidates.first { text in
            HostName(user: text).map { denial(policy, .name($0), port: 80, method: "GET", path: "/") == nil } ?? false
        }
    }

    /// Whether other rules allow what these deny.
    static func isAllowed(by rules: NetworkRules?, _ host: String, port: UInt16, method: String, path: String) -> Bool {
        guard let rules, let host = HostName(user: host).map(Host.name) ?? IPAddress(host).map(Host.address) else {
            return false
        }
        return denial(NetworkPolicy(rules), host, port: port, method: method, path: path) == nil
    }

    /// The address that is also asked for without the proxy.
    static func direct(_ egress: EgressPlan, _ addresses: [(address: String, port: UInt16)]) -> String? {
        egress.ports.contains(80) ? addresses.first { $0.port == 80 }?.address : nil
    }

    /// As the log says them: `METHOD host`, `name host`, and `connection address`.
    static func logged(_ egress: EgressPlan, hostPort: UInt16) -> Set<String> {
        let questions = DeniedQuestions(egress.rules, hostPort: hostPort)
        return Set(
            questions.names.map { "name \($0)" } + questions.requests.map { "\($0.method) \($0.host)" }
                + questions.special.map { "GET \($0.address)" }
                + (direct(egress, questions.special).map { ["connection \($0)"] } ?? []))
    }
}
