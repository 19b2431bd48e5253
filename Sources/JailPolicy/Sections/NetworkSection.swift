internal import JailCore

extension NetworkRules {
    /// The keys of `network`.
    static let table = SectionTable<NetworkRules>([
        SectionKey(
            "publish",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let port = try element.parsed(as: "a port such as \"8080:18789\"", PublishedPort.parse)
                    try element.checked { () throws(ValueError) in try rules.add(port) }
                }
            },
            write: { .strings($0.publish.map(\.formatted)) }, show: { .list($0.publish.map(\.shown)) }),
        SectionKey(
            "listen", absent: "any port of its own loopback",
            read: { (field, rules) throws(JailError) in rules.listen = try readPorts(field) },
            write: { $0.listen.map { .array($0.map { .number($0) }) } }),
        SectionKey(
            "allow",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let rule = try NetworkRule.read(element)
                    if !rules.allow.contains(rule) { rules.allow.append(rule) }
                }
            },
            write: { .array($0.allow.map(NetworkRule.table.json)) }, show: { .list($0.allow.map(\.shown)) }
        ).holding(NetworkRule.table, suffix: "[]"),
    ])

    /// Numbers without repetitions.
    static func readPorts(_ field: Field) throws(JailError) -> [UInt16] {
        var ports: [UInt16] = []
        for element in try field.elements() {
            let port = UInt16(try element.integer(1...65535))
            if !ports.contains(port) { ports.append(port) }
        }
        return ports
    }
}

extension NetworkRule {
    /// The keys of an element of `network.allow`.
    fileprivate static let table = SectionTable<NetworkRule>([
        SectionKey(
            "hosts",
            read: { (field, rule) throws(JailError) in
                rule.hosts = try field.filledList { (element) throws(JailError) in try element.name(HostPattern.check) }
            },
            write: { .strings($0.hosts) }),
        SectionKey(
            "methods",
            read: { (field, rule) throws(JailError) in
                rule.methods = try field.filledList { (element) throws(JailError) in
                    try element.name(HTTPMethod.check)
                }
            },
            write: { .strings($0.methods) }),
        SectionKey(
            "ports",
            read: { (field, rule) throws(JailError) in
                rule.ports = try NetworkRules.readPorts(field)
                guard !rule.ports.isEmpty else { throw field.refusal("must not be empty") }
            },
            write: { .array($0.ports.map { .number($0) }) }),
    ])

    fileprivate static func read(_ field: Field) throws(JailError) -> NetworkRule {
        var rule = NetworkRule(hosts: [], methods: defaultMethods, ports: defaultPorts)
        try table.read(field, into: &rule)
        guard !rule.hosts.isEmpty else { throw field.refusal("needs 'hosts'") }
        return rule
    }
}
