internal import JailCore

/// The object of `secrets[].exchange`.
struct SecretExchangeParts: Sendable {
    var exchange: SecretExchange?

    static let table = SectionTable<SecretExchangeParts>([
        SectionKey<SecretExchangeParts>(
            "oauth", read: { (field, parts) throws(JailError) in parts.exchange = try OAuthParts.read(field) },
            write: { $0.exchange.map { OAuthParts.table.json(OAuthParts($0)) } }
        ).holding(OAuthParts.table)
    ])
}

/// The object of `secrets[].exchange.oauth`, with the names of RFC 6749.
struct OAuthParts: Sendable {
    var host: HostName?
    var port: UInt16?
    var path: String?
    var clientID: String?
    var scope: String?
    var clientSecret: String?

    init() {}

    init(_ exchange: SecretExchange) {
        host = exchange.host
        port = exchange.port == 443 ? nil : exchange.port
        path = exchange.path
        clientID = exchange.clientID
        scope = exchange.scope
        clientSecret = exchange.clientSecret
    }

    static let table = SectionTable<OAuthParts>([
        SectionKey(
            "host",
            read: { (field, parts) throws(JailError) in
                guard case .exact(let name) = try field.parsed(HostPattern.parse) else {
                    throw field.refusal("must name a host in full")
                }
                parts.host = name
            },
            write: { $0.host.map { .string($0.text) } }),
        SectionKey(
            "port", absent: "443",
            read: { (field, parts) throws(JailError) in parts.port = UInt16(try field.integer(1...65535)) },
            write: { $0.port.map { .number($0) } }),
        SectionKey(
            "path",
            read: { (field, parts) throws(JailError) in parts.path = try field.name(SecretExchange.checkPath) },
            write: { $0.path.map { .string($0) } }),
        SectionKey(
            "clientId",
            read: { (field, parts) throws(JailError) in parts.clientID = try field.name(SecretExchange.checkClient) },
            write: { $0.clientID.map { .string($0) } }),
        SectionKey(
            "scope",
            read: { (field, parts) throws(JailError) in parts.scope = try field.name(SecretExchange.checkScope) },
            write: { $0.scope.map { .string($0) } }),
        SectionKey(
            "clientSecret",
            read: { (field, parts) throws(JailError) in parts.clientSecret = try field.name(Name.checkSecret) },
            write: { $0.clientSecret.map { .string($0) } }),
    ])

    static func read(_ field: Field) throws(JailError) -> SecretExchange {
        var parts = OAuthParts()
        try table.read(field, into: &parts)
        guard let host = parts.host, let path = parts.path, let client = parts.clientID else {
            throw field.refusal("needs 'host', 'path' and 'clientId'")
        }
        var exchange = SecretExchange(host: host, path: path, clientID: client)
        exchange.port = parts.port ?? exchange.port
        exchange.scope = parts.scope
        exchange.clientSecret = parts.clientSecret
        return exchange
    }
}

extension SecretExchange {
    static func read(_ field: Field) throws(JailError) -> SecretExchange {
        var parts = SecretExchangeParts()
        try SecretExchangeParts.table.read(field, into: &parts)
        guard let exchange = parts.exchange else { throw field.refusal("needs 'oauth'") }
        return exchange
    }

    var json: JSON { SecretExchangeParts.table.json(SecretExchangeParts(exchange: self)) }
}
