/// `secrets`: credentials that programs inside use without having them. Inside there are only placeholders; the way out
/// puts the real values into the requests that a binding names.
package struct SecretRules: Hashable, Sendable {
    package var bindings: [SecretBinding] = []

    package init() {}

    package var isEmpty: Bool { bindings.isEmpty }

    /// Of these secrets alone.
    package func keeping(_ names: [String]) -> SecretRules {
        var rules = self
        rules.bindings.removeAll { !names.contains($0.name) }
        return rules
    }

    /// The names of the secrets, each once, in the order of the profile; also of those that only exchanges use.
    package var names: [String] {
        var names = boundNames
        for case let name? in bindings.map(\.exchange?.clientSecret) where !names.contains(name) { names.append(name) }
        return names
    }

    /// Of those that something inside stands for.
    package var boundNames: [String] {
        var names: [String] = []
        for binding in bindings where !names.contains(binding.name) { names.append(binding.name) }
        return names
    }

    /// Whether requests are signed with it: then its value is an ``AccessKey``, and its placeholder a pair.
    package func isAccessKey(_ name: String) -> Bool {
        bindings.contains { $0.name == name && $0.place.isSignature }
    }

    /// Why a value cannot be put where the secret is bound to; nil: it can. It repeats nothing of the value.
    package func fault(in value: Span<UInt8>, of name: String) -> String? {
        if let fault = SecretPlaceholder.fault(in: value) { return fault }
        guard isAccessKey(name) else { return nil }
        do throws(ValueError) {
            _ = try AccessKey(value)
            return nil
        } catch { return error.reason }
    }

    /// What stands for the secret in a jail.
    ///
    /// - Throws: if the value is none that can go where the secret is bound to.
    package func makePlaceholder(
        of name: String, like value: Span<UInt8>, using generator: inout some RandomNumberGenerator
    ) throws(ValueError) -> SecretPlaceholder {
        isAccessKey(name)
            ? try .makePair(like: value, using: &generator) : try .make(like: value, using: &generator)
    }
}

/// `secrets[]`: one secret, and the place of the requests that it goes into. Over verified TLS only.
package struct SecretBinding: Hashable, Sendable {
    /// Of the secret, as the store knows it.
    package var name: String
    /// The variable that holds the placeholder inside, of an access key what the names of both begin with; nil: whoever
    /// wants it asks for it.
    package var environment: String?
    /// In full: a credential has no use for a host that nobody has thought of.
    package var hosts: [HostName]
    package var ports: [UInt16] = [443]
    /// nil: every one that `network.allow` allows there.
    package var methods: [String]?
    /// Likewise. Matched with the placeholder in its place.
    package var paths: [PathPattern]?
    package var place: SecretPlace
    /// nil: as another binding of the same secret says, or else the store.
    package var source: SecretOrigin?
    /// What becomes of it before it goes anywhere; nil: as another binding of the same secret says, or else nothing.
    package var exchange: SecretExchange?

    package init(name: String, hosts: [HostName], place: SecretPlace) {
        self.name = name
        self.hosts = hosts
        self.place = place
    }

    /// The variables inside, in the order of the placeholder's parts.
    package var variables: [String] {
        guard let environment else { return [] }
        return place.isSignature ? ["\(environment)_ACCESS_KEY_ID", "\(environment)_SECRET_ACCESS_KEY"] : [environment]
    }

    /// Whether the secret may go into a request, which `network.allow` has allowed or will be asked about.
    package func covers(_ question: NetworkQuestion) -> Bool {
        guard case .name(let host) = question.host, question.scheme == .https, let port = question.port,
            let method = question.method, let path = question.path
        else { return false }
        // What a server makes of a header that names another method is its own affair, so both must be bound.
        return hosts.contains(host) && ports.contains(port)
            && (methods.map { ([method] + question.overriding).allSatisfy($0.contains) } ?? true)
            && (paths?.contains { $0.matches(path) } ?? true)
    }
}

/// `secrets[].inject`: where in a request.
package enum SecretPlace: Hashable, Sendable {
    /// `Authorization: Bearer VALUE` (RFC 6750).
    case bearer
    /// `Authorization: Basic …` of this user, the value being the password (RFC 7617).
    case basic(user: String)
    /// All of a header field's value, but for what stands before it.
    case header(String, prefix: String = "")
    /// All of a query parameter's value.
    case query(String)
    /// A segment of the path, or the rest of one, between these two texts. Where `after` ends with `/`, anything may follow.
    case path(before: String, after: String)
    /// Nowhere: the request is signed with it (AWS Signature Version 4), in its `Authorization` or its query.
    case sigV4(SigningScope)

    var isSignature: Bool { if case .sigV4 = self { true } else { false } }

    /// Two bindings with the same one would fight for it.
    var slot: String {
        switch self {
        case .bearer, .basic, .sigV4: "header authorization"
        case .header(let name, _): "header \(String(decoding: name.utf8.map(Self.lowered), as: UTF8.self))"
        case .query(let name): "query \(name)"
        case .path: "path"
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { Name.isUpper(byte) ? byte | 0x20 : byte }

    /// For people: `as X-Api-Key`.
    package var shown: String {
        switch self {
        case .bearer: "as Authorization: Bearer"
        case .basic(let user): "as the password of \(user)"
        case .header(let name, ""): "as \(name)"
        case .header(let name, let prefix): "as \(name): \(prefix)"
        case .query(let name): "as the query's \(name)"
        case .path(let before, let after): "in the path \(before){}\(after)"
        case .sigV4(let scope): "as the signature for \(scope.service) in \(scope.region)"
        }
    }
}

// MARK: Reading places

extension SecretPlace {
    /// Fields that the way out makes itself or reads for itself, or that hold several things at once.
    private static let reserved = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "expect", "te", "via",
        "trailer", "http2-settings", "cookie", "accept-encoding", "range", "if-range", "x-http-method",
        "x-method-override", "x-http-method-override", "x-rewrite-url", "x-original-url",
    ]

    package static func checkHeader(_ text: String) throws(ValueError) {
        let lower = String(decoding: text.utf8.map(lowered), as: UTF8.self)
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ Name.isWord($0) || $0 == UInt8(ascii: "-") })
        else { throw ValueError(expected: "the name of a header field such as \"X-Api-Key\"", found: text) }
        let read = String(decoding: lower.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
        guard !reserved.contains(read), !read.utf8.starts(with: "proxy-".utf8), !read.utf8.starts(with: "sec-".utf8)
        else { throw ValueError("must not be \"\(text.excerpt)\", a field with a meaning for the way out itself") }
    }

    /// `Bot `: what a service wants to see before the value. The value's own end is never in it.
    package static func checkPrefix(_ text: String) throws(ValueError) {
        guard (1...64).contains(text.utf8.count), text.utf8.first != 0x20,
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw ValueError(expected: "up to 64 printable ASCII characters such as \"Bot \"", found: text) }
    }

    /// RFC 7617, 2: a user has no colon.
    package static func checkUser(_ text: String) throws(ValueError) {
        guard text.utf8.count <= 128, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") })
        else { throw ValueError(expected: "a user's name of printable ASCII without ':'", found: text) }
    }

    package static func checkQuery(_ text: String) throws(ValueError) {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ Name.isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
        else { throw ValueError(expected: "the name of a query parameter such as \"key\"", found: text) }
    }

    /// `/bot{}/`: one `{}`, at the end of a segment.
    package static func parsePath(_ text: String) throws(ValueError) -> SecretPlace {
        let parts = text.parts(at: "{", most: 3)
        guard parts.count == 2, parts[1].utf8.first == UInt8(ascii: "}"), text.utf8.count <= 1024 else {
            throw ValueError(expected: path, found: text)
        }
        let before = String(parts[0])
        let after = String(parts[1].dropFirst())
        let sample = "\(before)x\(after)"
        guard after.isEmpty || after.utf8.first == UInt8(ascii: "/"), !sample.utf8.contains(UInt8(ascii: "*")),
            let canonical = CanonicalPath(target: sample), canonical.query == nil, canonical.path == sample
        else { throw ValueError(expected: path, found: text) }
        return .path(before: before, after: after)
    }

    private static let path = "a path with one '{}' at the end of a segment, such as \"/bot{}/\""
}
