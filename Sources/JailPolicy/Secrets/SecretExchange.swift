/// `secrets[].exchange.oauth`: the secret is a refresh token, and what goes into requests is an access token that the way out
/// gets for it (RFC 6749, 6). The token endpoint is asked over verified TLS, by the way out alone.
package struct SecretExchange: Hashable, Sendable {
    /// Of the token endpoint, in full.
    package var host: HostName
    package var port: UInt16 = 443
    package var path: String
    package var clientID: String
    /// nil: what was granted at first.
    package var scope: String?
    /// The name of the secret that a confidential client proves itself with; nil: a public one.
    package var clientSecret: String?

    package init(host: HostName, path: String, clientID: String) {
        self.host = host
        self.path = path
        self.clientID = clientID
    }

    /// For people: continues `github as Authorization: Bearer`.
    package var shown: String { "exchanged for access tokens at \(endpoint), outside of the jail" }

    package var endpoint: String { "https://\(host.text)" + (port == 443 ? "" : ":\(port)") + path }

    /// RFC 6749, A.1: VSCHAR.
    static func checkClient(_ text: String) throws(ValueError) {
        guard (1...512).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw ValueError(expected: "up to 512 printable ASCII characters", found: text)
        }
    }

    /// RFC 6749, 3.3: words with single spaces between them.
    static func checkScope(_ text: String) throws(ValueError) {
        let words = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
        guard text.utf8.count <= 1024,
            words.allSatisfy({ word in
                !word.isEmpty && word.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
            })
        else { throw ValueError(expected: "words with one space between them, such as \"read write\"", found: text) }
    }

    /// As it is asked for: nobody makes another one of it.
    static func checkPath(_ text: String) throws(ValueError) {
        guard text.utf8.count <= 1024, let path = CanonicalPath(target: text), path.target == text, path.query == nil
        else { throw ValueError(expected: "a path without a query, such as \"/oauth/token\"", found: text) }
    }
}

extension SecretRules {
    /// How a secret is exchanged, as one of its bindings says for all; nil: it goes into requests itself.
    package func exchange(of name: String) -> SecretExchange? {
        bindings.lazy.filter { $0.name == name }.compactMap(\.exchange).first
    }

    /// A sentence without its end about a binding whose exchange cannot be; nil: there is nothing wrong with it.
    func exchangeFault(of binding: SecretBinding) -> String? {
        guard let exchange = binding.exchange else { return nil }
        if isAccessKey(binding.name) { return "exchanges a secret that signs requests" }
        guard let client = exchange.clientSecret else { return nil }
        if client == binding.name || self.exchange(of: client) != nil || isAccessKey(client) {
            return "names '\(client)' as its 'clientSecret', which is exchanged itself or signs requests"
        }
        return nil
    }
}
