package import JailCore

/// An element of `secrets` as it is written.
struct SecretParts: Sendable {
    var name: String?
    var environment: String?
    var hosts: [HostName] = []
    var ports: [UInt16]?
    var methods: [String]?
    var paths: [PathPattern]?
    var place: SecretPlace?
    var source: SecretOrigin?
    var exchange: SecretExchange?

    static let table = SectionTable<SecretParts>([
        SectionKey(
            "name", read: { (field, parts) throws(JailError) in parts.name = try field.name(Name.checkSecret) },
            write: { $0.name.map { .string($0) } }),
        SectionKey(
            "env", read: { (field, parts) throws(JailError) in parts.environment = try field.name(Name.checkPassed) },
            write: { $0.environment.map { .string($0) } }),
        SectionKey(
            "hosts",
            read: { (field, parts) throws(JailError) in
                parts.hosts = try field.filledSet { (element) throws(JailError) in
                    guard case .exact(let name) = try element.parsed(HostPattern.parse) else {
                        throw element.refusal("must name a host in full")
                    }
                    return name
                }
            },
            write: { .strings($0.hosts.map(\.text)) }),
        SectionKey(
            "ports", read: { (field, parts) throws(JailError) in parts.ports = try field.filledPorts() },
            write: { $0.ports.map(JSON.ports) }),
        SectionKey(
            "methods", read: { (field, parts) throws(JailError) in parts.methods = try field.methods() },
            write: { $0.methods.map(JSON.strings) }),
        SectionKey(
            "paths", read: { (field, parts) throws(JailError) in parts.paths = try field.paths() },
            write: { $0.paths.map { .strings($0.map(\.text)) } }),
        SectionKey<SecretParts>(
            "inject", read: { (field, parts) throws(JailError) in parts.place = try SecretPlace.read(field) },
            write: { $0.place?.json }
        ).holding(SecretPlaceParts.table),
        SectionKey<SecretParts>(
            "source", absent: "the store",
            read: { (field, parts) throws(JailError) in parts.source = try SecretOrigin.read(field) },
            write: { $0.source?.json }
        ).holding(SecretOriginParts.table),
        SectionKey<SecretParts>(
            "exchange", read: { (field, parts) throws(JailError) in parts.exchange = try SecretExchange.read(field) },
            write: { $0.exchange?.json }
        ).holding(SecretExchangeParts.table),
    ])
}

extension SecretBinding {
    /// An element of `secrets`.
    static func read(_ field: Field) throws(JailError) -> SecretBinding {
        var parts = SecretParts()
        try SecretParts.table.read(field, into: &parts)
        guard let name = parts.name, !parts.hosts.isEmpty, let place = parts.place else {
            throw field.refusal("needs 'name', 'hosts' and 'inject'")
        }
        var binding = SecretBinding(name: name, hosts: parts.hosts, place: place)
        binding.environment = parts.environment
        binding.ports = parts.ports ?? binding.ports
        binding.methods = parts.methods
        binding.paths = parts.paths
        binding.source = parts.source
        binding.exchange = parts.exchange
        for variable in binding.variables {
            do throws(ValueError) { try Name.checkPassed(variable) } catch {
                throw field.refusal("sets \(variable), and \(error.reason)")
            }
        }
        return binding
    }

    package var json: JSON {
        SecretParts.table.json(
            SecretParts(
                name: name, environment: environment, hosts: hosts, ports: ports, methods: methods, paths: paths,
                place: place, source: source, exchange: exchange))
    }

    /// For people: `github as Authorization: Bearer to api.github.com, in GH_TOKEN`.
    package var shown: String {
        let only = methods.map { " with \($0.joined(separator: ", "))" } ?? ""
        let where_ = paths.map { " at \($0.map(\.text).joined(separator: ", "))" } ?? ""
        let on = ports == [443] ? "" : " on ports \(ports.map { String($0) }.joined(separator: ", "))"
        let inside = variables.isEmpty ? "" : ", placeholder in \(variables.joined(separator: " and "))"
        return "\(name) \(place.shown) to \(hosts.map(\.text).joined(separator: ", "))\(on)\(only)\(where_)\(inside)"
            + (source.map { ", from \($0.shown)" } ?? "") + (exchange.map { ", \($0.shown)" } ?? "")
    }
}

/// The object of `secrets[].inject`.
struct SecretPlaceParts: Sendable {
    var place: SecretPlace?
    /// Only beside `header`.
    var prefix: String?
    /// Keys that name a place.
    var count = 0

    /// Only for reading: ``SecretPlace/json`` writes.
    static let table = SectionTable<SecretPlaceParts>([
        key("header") { (field) throws(JailError) in .header(try field.name(SecretPlace.checkHeader)) },
        SectionKey(
            "prefix",
            read: { (field, parts) throws(JailError) in parts.prefix = try field.name(SecretPlace.checkPrefix) },
            write: { _ in nil }),
        key("basic") { (field) throws(JailError) in .basic(user: try field.name(SecretPlace.checkUser)) },
        key("query") { (field) throws(JailError) in .query(try field.name(SecretPlace.checkQuery)) },
        key("path") { (field) throws(JailError) in try field.parsed(SecretPlace.parsePath) },
        key("sigv4") { (field) throws(JailError) in .sigV4(try SigningScope.read(field)) }.holding(SigningParts.table),
    ])

    private static func key(
        _ name: String, _ read: @escaping @Sendable (Field) throws(JailError) -> SecretPlace
    ) -> SectionKey<SecretPlaceParts> {
        SectionKey(
            name,
            read: { (field, parts) throws(JailError) in
                parts.place = try read(field)
                parts.count += 1
            }, write: { _ in nil })
    }
}

extension SecretPlace {
    private static let bearerText = "bearer"

    static func read(_ field: Field) throws(JailError) -> SecretPlace {
        if case .string(bearerText) = field.value.content { return .bearer }
        guard case .object = field.value.content else { throw field.wrongKind("\"\(bearerText)\" or an object") }
        var parts = SecretPlaceParts()
        try SecretPlaceParts.table.read(field, into: &parts)
        guard parts.count == 1, let place = parts.place else {
            throw field.refusal("must have one of 'header', 'basic', 'query', 'path' and 'sigv4'")
        }
        guard let prefix = parts.prefix else { return place }
        guard case .header(let name, _) = place else { throw field.refusal("has a 'prefix', which only a header has") }
        return .header(name, prefix: prefix)
    }

    var json: JSON {
        switch self {
        case .bearer: .string(Self.bearerText)
        case .basic(let user): .object([("basic", .string(user))])
        case .header(let name, ""): .object([("header", .string(name))])
        case .header(let name, let prefix): .object([("header", .string(name)), ("prefix", .string(prefix))])
        case .query(let name): .object([("query", .string(name))])
        case .path(let before, let after): .object([("path", .string("\(before){}\(after)"))])
        case .sigV4(let scope):
            .object([("sigv4", ["service": .string(scope.service), "region": .string(scope.region)])])
        }
    }
}

/// The object of `secrets[].inject.sigv4`.
struct SigningParts: Sendable {
    var service: String?
    var region: String?

    /// Only for reading, as ``SecretPlaceParts/table``.
    static let table = SectionTable<SigningParts>([
        SectionKey(
            "service", read: { (field, parts) throws(JailError) in parts.service = try field.name(SigningScope.check) },
            write: { _ in nil }),
        SectionKey(
            "region", read: { (field, parts) throws(JailError) in parts.region = try field.name(SigningScope.check) },
            write: { _ in nil }),
    ])
}

extension SigningScope {
    static func read(_ field: Field) throws(JailError) -> SigningScope {
        var parts = SigningParts()
        try SigningParts.table.read(field, into: &parts)
        guard let service = parts.service, let region = parts.region else {
            throw field.refusal("needs 'service' and 'region'")
        }
        return SigningScope(service: service, region: region)
    }
}

extension SecretRules {
    /// More would make every request slow that is looked through for their placeholders.
    static let mostBindings = 64

    static func read(_ field: Field) throws(JailError) -> SecretRules {
        var rules = SecretRules()
        for element in try field.elements() {
            let binding = try SecretBinding.read(element)
            if !rules.bindings.contains(binding) { rules.bindings.append(binding) }
        }
        guard rules.bindings.count <= mostBindings else {
            throw field.refusal("must have at most \(mostBindings) elements, not \(rules.bindings.count)")
        }
        return rules
    }

    package var json: JSON { .array(bindings.map(\.json)) }

    /// As they travel to the process that enforces them, which reads them as strictly as a profile.
    package init(text: [UInt8]) throws(JailError) {
        let value: JSON5Value
        do throws(JSON5Error) { value = try JSON5Reader.read(text, file: "secrets") } catch {
            throw JailError(.profile, operation: error.position.description, reason: error.reason)
        }
        self = try Self.read(Field(value: value, path: "secrets", home: nil))
    }

    /// Refuses bindings that cannot stand beside the rest, at the place of the one that is named.
    func check(_ profile: Profile, _ tree: JSON5Value) throws(JailError) {
        do throws(SecretRuleError) { try check(profile.network, profile.process) } catch {
            let whole = Field(value: tree, path: "", home: nil)
            guard let list = tree["secrets"] else { throw whole.refusal(error.reason) }
            // Bindings that say the same are one, so places are found by what is said.
            for element in try whole.member("secrets", list).elements() {
                if try SecretBinding.read(element) == bindings[error.index] { throw element.refusal(error.reason) }
            }
            throw whole.refusal(error.reason)
        }
    }
}
