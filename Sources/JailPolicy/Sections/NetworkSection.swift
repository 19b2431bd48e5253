internal import JailCore

extension NetworkRules {
    /// The keys of `network`.
    static let table = SectionTable<NetworkRules>([
        SectionKey(
            "publish",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let port = try PublishedPort.read(element)
                    try element.checked { () throws(ValueError) in try rules.add(port) }
                }
            },
            write: { .array($0.publish.map(\.json)) }, show: { .list($0.publish.map(\.shown)) }
        ).holding(PublishedPortParts.table, suffix: "[]"),
        SectionKey(
            "listen", absent: "any port of its own loopback",
            read: { (field, rules) throws(JailError) in rules.listen = try field.ports() },
            write: { $0.listen.map(JSON.ports) }),
        SectionKey(
            "allow",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let rule = try NetworkRule.read(element)
                    if !rules.allow.contains(rule) { rules.allow.append(rule) }
                }
            },
            write: { .array($0.allow.map(\.json)) }, show: { .list($0.allow.map(\.shown)) }
        ).holding(NetworkRuleParts.table, suffix: "[]"),
        SectionKey(
            "deny",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let rule = try NetworkDenyRule.read(element)
                    if !rules.deny.contains(rule) { rules.deny.append(rule) }
                }
            },
            write: { .array($0.deny.map(NetworkDenyRule.table.json)) }, show: { .list($0.deny.map(\.shown)) }
        ).holding(NetworkDenyRule.table, suffix: "[]"),
        SectionKey(
            "allowPrivate",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let range = try element.parsed(AddressRange.parse)
                    if !rules.allowPrivate.contains(range) { rules.allowPrivate.append(range) }
                }
            },
            write: { .strings($0.allowPrivate.map(\.description)) }),
        SectionKey("budgets", NetworkBudgets.table, get: { $0.budgets }, set: { $0.budgets = $1 }),
        SectionKey("upstream", UpstreamRules.table, get: { $0.upstream }, set: { $0.upstream = $1 }),
        SectionKey(
            "onGatewayExit",
            read: { (field, rules) throws(JailError) in rules.onGatewayExit = try field.oneOf(GatewayExit.self) },
            write: { .string($0.onGatewayExit.rawValue) }),
    ])
}

extension NetworkRules {
    /// Refuses rules that cannot stand beside each other, at the place of the one that is named.
    func check(_ field: Field) throws(JailError) {
        do throws(NetworkRuleError) {
            try NetworkPolicy.check(self)
        } catch {
            // Rules that say the same are one, so places are found by what is said.
            guard let list = field.value["allow"] else { throw field.refusal(error.reason) }
            for element in try field.member("allow", list).elements() {
                if try NetworkRule.read(element) == allow[error.index] { throw element.refusal(error.reason) }
            }
            throw field.refusal(error.reason)
        }
    }
}

/// The object of `network.publish[]`.
private struct PublishedPortParts: Sendable {
    var port: PublishedPort?
    var token: String?

    static let table = SectionTable<PublishedPortParts>([
        SectionKey(
            "port",
            read: { (field, parts) throws(JailError) in parts.port = try PublishedPort.parsed(field) },
            write: { $0.port.map { .string($0.formatted) } }),
        SectionKey(
            "token",
            read: { (field, parts) throws(JailError) in parts.token = try field.name(Name.checkSecret) },
            write: { $0.token.map { .string($0) } }),
    ])
}

extension PublishedPort {
    fileprivate static func parsed(_ field: Field) throws(JailError) -> PublishedPort {
        try field.parsed(as: "a port such as \"8080:18789\"", parse)
    }

    fileprivate static func read(_ field: Field) throws(JailError) -> PublishedPort {
        guard case .object = field.value.content else { return try parsed(field) }
        var parts = PublishedPortParts()
        try PublishedPortParts.table.read(field, into: &parts)
        guard var port = parts.port else { throw field.refusal("needs a 'port'") }
        port.token = parts.token
        return port
    }

    /// The short form where it says the same.
    fileprivate var json: JSON {
        token == nil ? .string(formatted) : PublishedPortParts.table.json(PublishedPortParts(port: self, token: token))
    }
}

extension NetworkBudgets {
    /// The keys of `network.budgets`. Nothing is ever without a limit.
    static let table = SectionTable<NetworkBudgets>([
        count("requestsPerMinute", \.requestsPerMinute),
        count("connectionsPerMinute", \.connectionsPerMinute),
        count("connections", \.connections),
        size("uploadPerHour", 1...UInt64(Int64.max), \.uploadPerHour),
        // With less than 1 KiB nothing works; more than a few MiB would let one client take all of the memory.
        size("headerSize", 1024...(1 << 20), \.headerSize),
        size("urlSize", 1024...(1 << 20), \.urlSize),
        time("idle", \.idle),
        time("total", \.total),
        time("response", \.response),
    ])

    private typealias Value = any WritableKeyPath<NetworkBudgets, UInt64> & Sendable

    private static func count(_ name: String, _ value: Value) -> SectionKey<NetworkBudgets> {
        SectionKey(
            name,
            read: { (field, budgets) throws(JailError) in budgets[keyPath: value] = try field.integer(1...1_000_000_000)
            },
            write: { .number($0[keyPath: value]) })
    }

    private static func size(
        _ name: String, _ range: ClosedRange<UInt64>, _ value: Value
    ) -> SectionKey<NetworkBudgets> {
        SectionKey(
            name, read: { (field, budgets) throws(JailError) in budgets[keyPath: value] = try field.size(range) },
            write: { .size($0[keyPath: value]) })
    }

    private static func time(_ name: String, _ value: Value) -> SectionKey<NetworkBudgets> {
        SectionKey(
            name,
            read: { (field, budgets) throws(JailError) in
                budgets[keyPath: value] = try field.parsed(as: "a time such as \"60s\"") { (text) throws(ValueError) in
                    let time = try TimeSpan.parse(text)
                    guard timeRange.contains(time) else { throw ValueError("must be from \"1s\" to \"24h\"") }
                    return time
                }
            },
            write: { .string(TimeSpan.format($0[keyPath: value])) })
    }

    private static let timeRange: ClosedRange<UInt64> = 1000...86_400_000
}

extension UpstreamRules {
    /// The keys of `network.upstream`.
    static let table = SectionTable<UpstreamRules>([
        SectionKey(
            "resolvers", absent: "the host's",
            read: { (field, upstream) throws(JailError) in
                for element in try field.elements() {
                    let resolver = try element.parsed(Endpoint.parseResolver)
                    if !upstream.resolvers.contains(resolver) { upstream.resolvers.append(resolver) }
                }
            },
            write: { $0.resolvers.isEmpty ? nil : .strings($0.resolvers.map(\.description)) }),
        SectionKey(
            "trust", absent: "the host's",
            read: { (field, upstream) throws(JailError) in
                upstream.trust = try field.parsed { (text) throws(ValueError) in
                    try AbsolutePath.source(text, home: field.home)
                }
            },
            write: { $0.trust.map { .string($0) } }),
    ])
}

extension Endpoint {
    /// A name server: `"192.0.2.1"`, `"192.0.2.1:5353"`, `"2001:db8::1"`, `"[2001:db8::1]:53"`.
    package static func parseResolver(_ text: String) throws(ValueError) -> Endpoint {
        if let address = IPAddress(text) { return Endpoint(address: address, port: 53) }
        guard let authority = Authority(wire: Array(text.utf8)), case .address(let address) = authority.host else {
            throw ValueError(
                expected: "the address of a name server such as \"192.0.2.1\" or \"[2001:db8::1]:53\"", found: text)
        }
        return Endpoint(address: address, port: authority.port ?? 53)
    }
}

extension Field {
    /// Port numbers without repetitions.
    func port() throws(JailError) -> UInt16 { UInt16(try integer(1...65535)) }

    func ports() throws(JailError) -> [UInt16] {
        var ports: [UInt16] = []
        for element in try elements() {
            let port = try element.port()
            if !ports.contains(port) { ports.append(port) }
        }
        return ports
    }

    /// At least one port.
    func filledPorts() throws(JailError) -> [UInt16] {
        let ports = try ports()
        guard !ports.isEmpty else { throw refusal("must not be empty") }
        return ports
    }

    /// At least one value, each once.
    func filledSet<Element: Equatable>(_ read: (Field) throws(JailError) -> Element) throws(JailError) -> [Element] {
        var result: [Element] = []
        for element in try filledList(read) where !result.contains(element) { result.append(element) }
        return result
    }
}

extension JSON {
    static func ports(_ ports: [UInt16]) -> JSON { .array(ports.map { .number($0) }) }
}
