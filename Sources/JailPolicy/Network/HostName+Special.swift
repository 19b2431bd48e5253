extension HostName {
    private static let specialDomains = ["alt", "home.arpa", "internal", "invalid", "local", "localhost", "onion"]

    /// Whether it can be a name of the public DNS. Single labels, and what RFC 6761, 6762, 7686, 8375, 9476 and ICANN's
    /// `internal` set apart, mean something on one host or network only: asking for them tells others about it.
    package var isPublic: Bool {
        guard text.utf8.contains(UInt8(ascii: ".")) else { return false }
        return !Self.specialDomains.contains { domain in
            text == domain || text.utf8.reversed().starts(with: ".\(domain)".utf8.reversed())
        }
    }

    /// Whether anybody can register names directly below it, at a registry (`co.uk`) or with a provider (`github.io`).
    package var isPublicSuffix: Bool { PublicSuffix.contains(self) }
}
