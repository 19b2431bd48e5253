internal import JailPolicy

/// Names that no server of the public DNS may be asked for: they mean something on one host or network only, so that
/// asking tells others about it (RFC 6761, 6762, 7686, 8375, 9476; ICANN's `internal`).
enum SpecialNames {
    private static let domains = ["alt", "home.arpa", "internal", "invalid", "local", "localhost", "onion"]

    static func areLookedUp(_ name: HostName) -> Bool {
        let text = name.text
        guard text.utf8.contains(UInt8(ascii: ".")) else { return false }
        return !domains.contains { text == $0 || text.utf8.reversed().starts(with: ".\($0)".utf8.reversed()) }
    }
}
