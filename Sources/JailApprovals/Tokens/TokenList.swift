internal import JailCore
package import JailPolicy

/// All tokens of one user, as they lie on the disk.
package struct TokenList: Equatable, Sendable {
    package private(set) var tokens: [AccessToken] = []

    package static let most = 100
    /// Bytes of the file.
    package static let sizeLimit = 64 << 10

    package init() {}

    /// nil: it is none, or one that this version does not know.
    package init?(_ bytes: [UInt8]) {
        guard let value = try? JSON5Reader.read(bytes, file: ""), case .array(let elements)? = value["tokens"]?.content,
            elements.count <= Self.most
        else { return nil }
        for element in elements {
            guard let name = element["name"]?.text, (try? AccessToken.checkName(name)) != nil,
                let role = element["role"]?.text.flatMap(ApprovalRole.init(rawValue:)),
                let owner = Self.owner(element["owner"]),
                let created = element["created"]?.integer, let expires = element["expires"]?.integer,
                let digest = element["sha256"]?.text, digest.utf8.count == 64,
                digest.utf8.allSatisfy(AccessToken.isDigit), !tokens.contains(where: { $0.name == name })
            else { return nil }
            tokens.append(
                AccessToken(name: name, role: role, owner: owner, created: created, expires: expires, digest: digest))
        }
    }

    /// nil: that is no owner; nil within it: everybody.
    private static func owner(_ value: JSON5Value?) -> UInt32?? {
        if value?.kind == "null" { return .some(nil) }
        guard let number = value?.integer, let uid = UInt32(exactly: number) else { return nil }
        return uid
    }

    package var bytes: [UInt8] {
        let elements: [JSON] = tokens.map { token in
            [
                "name": .string(token.name), "role": .string(token.role.rawValue),
                "owner": token.owner.map { .number($0) } ?? .null,
                "created": .number(token.created), "expires": .number(token.expires), "sha256": .string(token.digest),
            ]
        }
        return JSON.object([("tokens", .array(elements))]).bytes(pretty: true) + [0x0A]
    }

    /// Adds one. Those that have expired make room, also for their names.
    package mutating func add(_ token: AccessToken) throws(ValueError) {
        tokens.removeAll { $0.expires <= token.created }
        guard !tokens.contains(where: { $0.name == token.name }) else {
            throw ValueError("there is a token '\(token.name)' already; revoke it first")
        }
        guard tokens.count < Self.most else { throw ValueError("there are \(tokens.count) tokens already") }
        tokens.append(token)
    }

    /// False: there is none of that name.
    package mutating func revoke(_ name: String) -> Bool {
        let count = tokens.count
        tokens.removeAll { $0.name == name }
        return tokens.count < count
    }

    /// - Parameter now: milliseconds since the epoch.
    package func find(_ text: String, now: Int64) -> AccessToken? {
        guard AccessToken.isToken(text) else { return nil }
        let digest = AccessToken.digest(of: text)
        // What takes longer or shorter here says something of digests, which is nothing of tokens.
        return tokens.first { $0.digest == digest && $0.created <= now && now < $0.expires }
    }
}
