internal import JailCore

/// An element of `network.allow` as it is written: what is nil is not there, and then what it means depends on the rest.
struct NetworkRuleParts: Sendable {
    var hosts: [HostPattern]?
    var preset: NetworkPreset?
    var ports: [UInt16]?
    var schemes: [NetworkScheme]?
    var methods: [String]?
    var paths: [PathPattern]?
    var requestSize: UInt64?
    var websocket: Bool?
    var inspect: Bool?
    var proto: RuleProtocol?

    /// What `protocol` may say.
    enum RuleProtocol: String, CaseIterable, Sendable { case tcp }
    /// What `schemes` may name.
    enum Scheme: String, CaseIterable { case https, http }

    static let table = SectionTable<NetworkRuleParts>([
        SectionKey(
            "hosts", read: { (field, parts) throws(JailError) in parts.hosts = try field.hosts() },
            write: { $0.hosts.map { .strings($0.map(\.text)) } }),
        SectionKey(
            "preset", read: { (field, parts) throws(JailError) in parts.preset = try field.oneOf(NetworkPreset.self) },
            write: { $0.preset.map { .string($0.rawValue) } }),
        SectionKey(
            "ports", read: { (field, parts) throws(JailError) in parts.ports = try field.filledPorts() },
            write: { $0.ports.map(JSON.ports) }),
        SectionKey(
            "schemes",
            read: { (field, parts) throws(JailError) in
                let named = try field.filledList { (element) throws(JailError) in try element.oneOf(Scheme.self) }
                parts.schemes = Scheme.allCases.filter(named.contains).compactMap {
                    NetworkScheme(rawValue: $0.rawValue)
                }
            },
            write: { $0.schemes.map { .strings($0.map(\.rawValue)) } }),
        SectionKey(
            "methods", read: { (field, parts) throws(JailError) in parts.methods = try field.methods() },
            write: { $0.methods.map(JSON.strings) }),
        SectionKey(
            "paths", read: { (field, parts) throws(JailError) in parts.paths = try field.paths() },
            write: { $0.paths.map { .strings($0.map(\.text)) } }),
        SectionKey(
            "requestSize", read: { (field, parts) throws(JailError) in parts.requestSize = try field.size() },
            write: { $0.requestSize.map(JSON.size) }),
        SectionKey(
            "websocket", read: { (field, parts) throws(JailError) in parts.websocket = try field.boolean() },
            write: { $0.websocket.map { .boolean($0) } }),
        SectionKey(
            "inspect", read: { (field, parts) throws(JailError) in parts.inspect = try field.boolean() },
            write: { $0.inspect.map { .boolean($0) } }),
        SectionKey(
            "protocol", read: { (field, parts) throws(JailError) in parts.proto = try field.oneOf(RuleProtocol.self) },
            write: { $0.proto.map { .string($0.rawValue) } }),
    ])
}

extension NetworkDenyRule {
    /// The keys of an element of `network.deny`.
    static let table = SectionTable<NetworkDenyRule>([
        SectionKey(
            "hosts", read: { (field, rule) throws(JailError) in rule.hosts = try field.hosts() },
            write: { .strings($0.hosts.map(\.text)) }),
        SectionKey(
            "ports", read: { (field, rule) throws(JailError) in rule.ports = try field.filledPorts() },
            write: { $0.ports.map(JSON.ports) }),
        SectionKey(
            "methods", read: { (field, rule) throws(JailError) in rule.methods = try field.methods() },
            write: { $0.methods.map(JSON.strings) }),
        SectionKey(
            "paths", read: { (field, rule) throws(JailError) in rule.paths = try field.paths() },
            write: { $0.paths.map { .strings($0.map(\.text)) } }),
    ])

    static func read(_ field: Field) throws(JailError) -> NetworkDenyRule {
        var rule = NetworkDenyRule(hosts: [])
        try table.read(field, into: &rule)
        guard !rule.hosts.isEmpty else { throw field.refusal("needs 'hosts'") }
        return rule
    }

    /// For people: `POST of * on ports 443, paths /admin/**`.
    package var shown: String {
        let what = "\(methods?.joined(separator: ", ") ?? "everything") of \(hosts.map(\.text).joined(separator: ", "))"
        let where_ = ports.map { " on ports \($0.map { String($0) }.joined(separator: ", "))" } ?? ""
        return what + where_ + (paths.map { " at \($0.map(\.text).joined(separator: ", "))" } ?? "")
    }
}

extension Field {
    fileprivate func hosts() throws(JailError) -> [HostPattern] {
        try filledSet { (element) throws(JailError) in try element.parsed(HostPattern.parse) }
    }

    func methods() throws(JailError) -> [String] {
        try filledSet { (element) throws(JailError) in try element.name(HTTPMethod.check) }
    }

    func paths() throws(JailError) -> [PathPattern] {
        try filledSet { (element) throws(JailError) in try element.parsed(PathPattern.parse) }
    }
}
