/// Why an address is none of the public internet, by the IANA registries of special-purpose addresses (RFC 6890 and
/// its updates, as of 2026) and by what clouds answer on.
package enum SpecialAddress: String, CaseIterable, Sendable {
    case unspecified, thisNetwork, loopback, privateUse, shared, linkLocal, metadata, protocolAssignment, dummy
    case documentation, anycast, benchmark, multicast, reserved, broadcast
    case compatible, mapped, translated, nat64, discard, teredo, orchid, sixToFour, segmentRouting, uniqueLocal
    case siteLocal, unallocated

    /// For people: `a private address`.
    package var shown: String {
        switch self {
        case .unspecified: "the unspecified address"
        case .thisNetwork: "an address of \"this network\""
        case .loopback: "a loopback address"
        case .privateUse: "a private address"
        case .shared: "a shared address of carrier-grade NAT"
        case .linkLocal: "a link-local address"
        case .metadata: "a cloud's metadata service"
        case .protocolAssignment: "an address of IETF protocol assignments"
        case .dummy: "a dummy address"
        case .documentation: "a documentation address"
        case .anycast: "an anycast address of AS112 or AMT"
        case .benchmark: "a benchmarking address"
        case .multicast: "a multicast address"
        case .reserved: "a reserved address"
        case .broadcast: "the broadcast address"
        case .compatible: "an IPv4-compatible address"
        case .mapped: "an IPv4-mapped address"
        case .translated: "an IPv4-translated address"
        case .nat64: "a NAT64 address"
        case .discard: "a discard-only address"
        case .teredo: "a Teredo address"
        case .orchid: "an ORCHID or DRIP identifier"
        case .sixToFour: "a 6to4 address"
        case .segmentRouting: "a segment-routing identifier"
        case .uniqueLocal: "a unique local address"
        case .siteLocal: "a site-local address"
        case .unallocated: "outside of the global unicast addresses"
        }
    }

    /// The narrower range stands first.
    static let ranges: [(SpecialAddress, [String])] = [
        (
            .metadata,
            [
                "169.254.169.254/32", "169.254.169.253/32", "169.254.169.123/32", "169.254.170.2/32",
                "169.254.170.23/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32",
                "fd20:ce::254/128", "fd00:42::42/128", "fd00:c1::a9fe:a9fe/128", "fe80::a9fe:a9fe/128",
            ]
        ),
        (.unspecified, ["0.0.0.0/32", "::/128"]),
        (.thisNetwork, ["0.0.0.0/8"]),
        (.loopback, ["127.0.0.0/8", "::1/128"]),
        (.privateUse, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]),
        (.shared, ["100.64.0.0/10"]),
        (.linkLocal, ["169.254.0.0/16", "fe80::/10"]),
        (.dummy, ["192.0.0.8/32", "100:0:0:1::/64"]),
        (.documentation, ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"]),
        (
            .anycast,
            [
                "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "2001:3::/32", "2001:4:112::/48",
                "2620:4f:8000::/48",
            ]
        ),
        (.benchmark, ["198.18.0.0/15", "2001:2::/48"]),
        (.broadcast, ["255.255.255.255/32"]),
        (.multicast, ["224.0.0.0/4", "ff00::/8"]),
        (.reserved, ["240.0.0.0/4"]),
        (.nat64, ["192.0.0.170/31", "64:ff9b::/96", "64:ff9b:1::/48"]),
        (.mapped, ["::ffff:0:0/96"]),
        (.translated, ["::ffff:0:0:0/96"]),
        (.compatible, ["::/96"]),
        (.discard, ["100::/64"]),
        (.teredo, ["2001::/32"]),
        (.orchid, ["2001:10::/28", "2001:20::/28", "2001:30::/28"]),
        (.protocolAssignment, ["192.0.0.0/24", "2001::/23"]),
        (.sixToFour, ["192.88.99.0/24", "2002::/16"]),
        (.segmentRouting, ["5f00::/16"]),
        (.uniqueLocal, ["fc00::/7"]),
        (.siteLocal, ["fec0::/10"]),
    ]

    /// The ranges of ``ranges``, parsed; a test counts them.
    static let table: [(range: AddressRange, kind: SpecialAddress)] = ranges.flatMap { kind, texts in
        texts.compactMap { AddressRange($0) }.map { (range: $0, kind: kind) }
    }
}

extension IPAddress {
    /// nil for an address of the public internet. An address that carries an IPv4 address within is special whatever
    /// that one is, and all of IPv6 that is no global unicast (2000::/3, RFC 4291, 2.4) is.
    package var special: SpecialAddress? {
        if let entry = SpecialAddress.table.first(where: { $0.range.contains(self) }) { return entry.kind }
        if case .v6(let high, _) = self, high >> 61 != 1 { return .unallocated }
        return nil
    }
}
