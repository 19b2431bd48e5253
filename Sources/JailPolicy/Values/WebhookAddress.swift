/// Where something is told by HTTP: HTTPS, or plain HTTP to this host itself. Nothing else leaves it unencrypted.
package struct WebhookAddress: Hashable, Sendable {
    /// As it was written.
    package let text: String
    package let host: Host
    package let isEncrypted: Bool

    private static let longest = 2048

    package static func parse(_ text: String) throws(ValueError) -> WebhookAddress {
        let expectation = "a URL such as \"https://hooks.example.org/in/4f2a\""
        let isEncrypted = text.utf8.starts(with: "https://".utf8)
        // The path and the query go out as they are; what a URL cannot hold would be read in more ways than one.
        guard isEncrypted || text.utf8.starts(with: "http://".utf8), text.utf8.count <= longest,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"\\<>^`{}|#".utf8.contains($0) })
        else { throw ValueError(expected: expectation, found: text) }
        let rest = text.utf8.dropFirst(isEncrypted ? 8 : 7)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        // A name and a password before the host belong into no profile.
        guard let authority = Authority(wire: Array(rest[..<end])) else {
            throw ValueError(expected: expectation, found: String(text.prefix(8)) + "…")
        }
        guard isEncrypted || isLoopback(authority.host) else {
            throw ValueError(
                "must begin with \"https://\": without encryption only this host itself is told",
                hint: "http:// is for 127.0.0.1, [::1] and localhost")
        }
        return WebhookAddress(text: text, host: authority.host, isEncrypted: isEncrypted)
    }

    private static func isLoopback(_ host: Host) -> Bool { ["127.0.0.1", "::1", "localhost"].contains(host.text) }

    /// For people: the path is often the secret that lets one in.
    package var shown: String { "\(isEncrypted ? "https" : "http")://\(host.urlText)/…" }
}
