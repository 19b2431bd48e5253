/// Ports of the host's loopback where `clawjail approvals serve` may be. No jail reaches them through its way out, whatever its
/// profile allows: whoever is asked for a yes must not be able to press the button.
package enum PagePorts {
    package static let usual: UInt16 = 18770
    /// Away from 18789 and those beside it, where gateways are published.
    private static let all: ClosedRange<UInt16> = 18770...18779

    package static func contains(_ port: UInt16) -> Bool { all.contains(port) }

    package static let text = "\(all.lowerBound) to \(all.upperBound)"

    /// Why an address may not be dialled at a port; nil: there is no page there.
    static func refusal(of address: IPAddress, port: UInt16, isOwn: Bool) -> NetworkDenial? {
        // What the kernel takes for this host as well: 0.0.0.0 and ::, and IPv4 written as IPv6.
        let kinds: [SpecialAddress] = [
            .loopback, .unspecified, .thisNetwork, .mapped, .compatible, .translated, .nat64,
        ]
        guard contains(port), isOwn || address.special.map(kinds.contains) ?? false else { return nil }
        return NetworkDenial(reason: "port \(port) of this host is kept for 'clawjail approvals serve'")
    }
}
