package import JailPolicy
internal import SwiftASN1
internal import X509

/// The names that a CA can sign for at all (name constraints, RFC 5280, 4.2.1.10).
package struct NameLimits: Sendable {
    /// Each with everything below it: the extension knows no exact name.
    package var names: [HostName]
    /// Exactly these; all others are excluded.
    package var addresses: [IPAddress]

    package init(names: [HostName], addresses: [IPAddress] = []) {
        self.names = names
        self.addresses = addresses
    }

    var nameConstraints: NameConstraints {
        // A kind of name that is not mentioned would be unlimited: what is empty is excluded as a whole.
        var permitted = names.map { GeneralName.dnsName($0.text) }
        var excluded: [GeneralName] = []
        if names.isEmpty { excluded.append(.dnsName("")) }
        for length in [4, 16] {
            let octets = addresses.map(\.certificateOctets).filter { $0.count == length }
            permitted += octets.map { Self.range($0, mask: 0xFF) }
            if octets.isEmpty { excluded.append(Self.range([UInt8](repeating: 0, count: length), mask: 0)) }
        }
        return NameConstraints(permittedSubtrees: permitted, excludedSubtrees: excluded)
    }

    private static func range(_ octets: [UInt8], mask: UInt8) -> GeneralName {
        .ipAddress(ASN1OctetString(contentBytes: (octets + octets.map { _ in mask })[...]))
    }
}

extension IPAddress {
    /// As certificates have it (RFC 5280, 4.2.1.6): 4 or 16 octets, the first one first.
    var certificateOctets: [UInt8] {
        switch self {
        case .v4(let number): (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        case .v6(let high, let low):
            [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
        }
    }
}
