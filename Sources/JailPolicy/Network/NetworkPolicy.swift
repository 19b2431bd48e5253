/// The one decision function of the network, compiled from `network` of a profile. Pure.
///
/// Who enforces, `explain`, and the tests ask the same ``decide(_:)``. It is total: any question has an answer.
package struct NetworkPolicy: Sendable {
    package let rules: NetworkRules
    /// The host's own addresses, which are refused as special ones are.
    package var ownAddresses: Set<IPAddress> = []
    /// A person may be asked about what no rule names, see ``approvable(_:)``.
    package var asks = false

    let allow: [CompiledRule]
    let deny: [CompiledDeny]

    package init(_ rules: NetworkRules) {
        self.rules = rules
        allow = CompiledRule.compile(rules.allow)
        deny = rules.deny.enumerated().map { CompiledDeny($1, index: $0) }
    }

    /// May this be done? Deny rules first, then special addresses that were asked for as such, then the allow rules.
    package func decide(_ question: NetworkQuestion) -> NetworkVerdict {
        candidates(host: question.host, port: question.port, scheme: question.scheme).decide(question)
    }

    /// What is left of the policy for one host, port and scheme, nil being not known yet. For a connection that carries
    /// many requests: ``NetworkCandidates/decide(_:)`` is what ``decide(_:)`` calls.
    package func candidates(host: Host, port: UInt16? = nil, scheme: NetworkScheme? = nil) -> NetworkCandidates {
        NetworkCandidates(policy: self, host: host, port: port, scheme: scheme)
    }

    /// The second stage, for an address that an allowed name resolved to (or that was asked for as such): nil if it may
    /// be dialled. A deny rule that names the address counts too, whatever else it says that cannot be known here.
    package func refusal(of address: IPAddress, port: UInt16? = nil) -> NetworkDenial? {
        let denying = deny.first { rule in
            rule.names.contains(.address(address)) && (port.map(rule.covers(port:)) ?? true)
        }
        if let denying {
            return NetworkDenial(reason: "\(denying.label) denies \(address)", rule: denying.label)
        }
        return specialRefusal(of: address, port: port)
    }

    /// The part of ``refusal(of:port:)`` that is left where an address was asked for as such: the deny rules have had
    /// their say about the whole request.
    package func specialRefusal(of address: IPAddress, port: UInt16? = nil) -> NetworkDenial? {
        if let port, let denial = pageRefusal(of: address, port: port) { return denial }
        guard let kind = specialKind(of: address) else { return nil }
        return NetworkDenial(
            reason: "\(address) is \(kind) and not in network.allowPrivate",
            remedy: "network: { allowPrivate: [\"\(AddressRange(address))\"] }")
    }

    /// Whatever the profile allows: nobody presses the button for themselves.
    func pageRefusal(of address: IPAddress, port: UInt16) -> NetworkDenial? {
        PagePorts.refusal(of: address, port: port, isOwn: ownAddresses.contains(address))
    }

    /// Every port that a rule names, ascending: those that the jail gets listeners for.
    package var ports: [UInt16] { Set(allow.flatMap(\.ports)).sorted() }

    /// What an address is besides public, if nothing in the profile allows it all the same.
    func specialKind(of address: IPAddress) -> String? {
        guard !rules.allowPrivate.contains(where: { $0.contains(address) }) else { return nil }
        if let special = address.special { return special.shown }
        return ownAddresses.contains(address) ? "an address of this host" : nil
    }
}

/// An allow rule with its preset resolved: one of a preset's rules, or the rule itself.
struct CompiledRule: Sendable {
    /// Such as `network.allow[3]`.
    let label: String
    let index: Int
    let hosts: [HostPattern]
    let ports: [UInt16]
    let schemes: [NetworkScheme]
    let methods: [String]
    let paths: [PathPattern]?
    let requestSize: UInt64
    let websocket: Bool
    let handling: NetworkGrant.Handling

    static func compile(_ rules: [NetworkRule]) -> [CompiledRule] {
        rules.enumerated().flatMap { index, rule in
            (rule.preset?.rules ?? [rule]).map { CompiledRule($0, of: rule, index: index) }
        }
    }

    private init(_ rule: NetworkRule, of source: NetworkRule, index: Int) {
        label = "network.allow[\(index)]" + (source.preset.map { " (preset \($0.rawValue))" } ?? "")
        self.index = index
        hosts = rule.hosts
        ports = rule.ports
        schemes = rule.schemes
        methods = rule.methods
        paths = rule.paths
        requestSize = source.requestSize ?? NetworkRule.defaultRequestSize
        websocket = rule.websocket
        handling = rule.handling
    }

    /// How much of the name the rule writes out; nil if it does not name the host.
    func specificity(for host: Host) -> Int? {
        hosts.filter { $0.matches(host) }.map(\.specificity).max()
    }

    func serves(_ scheme: NetworkScheme) -> Bool {
        switch handling {
        case .tcp: scheme == .tcp
        case .inspect, .passThrough: schemes.contains(scheme)
        }
    }
}

/// A deny rule, with its paths as lenient servers read them.
struct CompiledDeny: Sendable {
    let label: String
    let names: Set<HostPattern>
    let rule: NetworkDenyRule
    private let lenient: [PathPattern]?

    init(_ rule: NetworkDenyRule, index: Int) {
        label = "network.deny[\(index)]"
        self.rule = rule
        names = Set(rule.hosts)
        lenient = rule.paths.map { $0.flatMap(\.lenient) }
    }

    /// Unlike an allow rule's, `*` is every host here, addresses too: what is denied is denied everywhere.
    func covers(_ host: Host) -> Bool { names.contains(.any) || rule.hosts.contains { $0.matches(host) } }

    func covers(_ pattern: HostPattern) -> Bool { names.contains(.any) || rule.hosts.contains { $0.covers(pattern) } }

    func covers(port: UInt16) -> Bool { rule.ports?.contains(port) ?? true }

    /// nil: whatever the method is.
    func covers(method: String?) -> Bool {
        guard let methods = rule.methods else { return true }
        return method.map(methods.contains) ?? HTTPMethod.known.allSatisfy(methods.contains)
    }

    /// nil: whatever the path is.
    func covers(path forms: [PathForm]?) -> Bool {
        guard let lenient else { return true }
        if let forms { return lenient.contains { pattern in forms.contains { pattern.matches($0) } } }
        return lenient.contains { $0.segments == [.anySegments] }
    }

    /// Whether every path of a rule is denied, as far as can be seen.
    func covers(paths: [PathPattern]?) -> Bool {
        guard let own = rule.paths else { return true }
        return (paths ?? [PathPattern.everything]).allSatisfy { path in own.contains { $0.covers(path) } }
    }

    /// Whether the rule may take something of the paths away.
    var isPartial: Bool { rule.methods != nil || rule.paths != nil }
}
