import JailCore
import JailPolicy
import Testing

/// `network` of a profile, from its inside.
func network(_ text: String) throws -> NetworkRules { try profile("{ network: { \(text) } }").network }

func policy(_ text: String) throws -> NetworkPolicy { NetworkPolicy(try network(text)) }

/// What `explain` would ask: `POST https://a/b`, `a:443`.
func question(_ text: String) throws -> NetworkQuestion {
    try NetworkSubject.parse(text.split(separator: " ").map(String.init)).question
}

extension NetworkVerdict {
    var isAllowed: Bool { if case .allow = self { true } else { false } }
    var denial: NetworkDenial? { if case .deny(let denial) = self { denial } else { nil } }
    var grant: NetworkGrant? { if case .allow(let grant) = self { grant } else { nil } }
}
