package import JailPolicy

/// Under which names the page is asked for. Any other one is refused: a name of somebody else's that leads to 127.0.0.1 all the
/// same (DNS rebinding) would make their page this one's neighbour.
package struct PageHosts: Equatable, Sendable {
    /// As `Host` has them, in lower case.
    private var own: Set<String>
    /// Those that were allowed besides, by whoever started it; behind them there may be something that ends TLS.
    private var others: Set<String> = []

    package static let mostOthers = 16

    /// - Parameter others: `NAME` for the usual ports and this one, or `NAME:PORT`.
    package init(port: UInt16, others names: [String]) throws(ValueError) {
        // Browsers know names below localhost without asking anybody, and a name that is nobody else's has cookies of its own.
        own = Set(["127.0.0.1", "localhost", "clawjail.localhost", "[::1]"].map { "\($0):\(port)" })
        guard names.count <= Self.mostOthers else { throw ValueError("there are at most \(Self.mostOthers) names") }
        for name in names {
            let name = name.lowercased()
            guard Self.isHost(name) else {
                throw ValueError(expected: "a name such as \"jails.example.net\", with a port or without", found: name)
            }
            others.insert(name)
            if !name.utf8.contains(UInt8(ascii: ":")) { others.insert("\(name):\(port)") }
        }
    }

    private static func isHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count), parts.count <= 2, let name = parts.first, !name.isEmpty else {
            return false
        }
        let isName = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x2E
        }
        return isName && (parts.count == 1 || (UInt16(parts[1]).map { $0 > 0 && "\($0)" == parts[1] } ?? false))
    }

    /// - Parameter host: the one `Host` of a request; nil: it has none, or several.
    package func accepts(host: String?) -> Bool {
        guard let host = host?.lowercased() else { return false }
        return own.contains(host) || others.contains(host)
    }

    /// Whether a request was made by this page: `Origin` names the same place as `Host`.
    package func accepts(origin: String?, host: String?) -> Bool {
        guard accepts(host: host), let host = host?.lowercased(), let origin = origin?.lowercased() else {
            return false
        }
        return origin == "http://\(host)" || (others.contains(host) && origin == "https://\(host)")
    }
}
