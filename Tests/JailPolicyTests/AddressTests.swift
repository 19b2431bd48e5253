import JailPolicy
import Testing

struct `Addresses` {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("1.2.3.4", "1.2.3.4"), ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8::0001", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"), ("::FFFF:0102:0304", "::ffff:1.2.3.4"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("0:0:0:0:0:0:0:0", "::"),
    ])
    func `the strict spellings, and the one that is written`(text: String, expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(expected) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
        #expect(IPAddress(anySpelling: text) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", "01.2.3.4", "1.2.3.256", "1..3.4", "a.b.c.d", "1.2.3.4 ", " 1.2.3.4",
        "+1.2.3.4",
        "0x1.2.3.4", ":", ":::", "1:", ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::12345", "::g",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "::1.2.3.04", "fe80::1%1", "fe80::1%eth0", "[::1]",
        "::1/128",
        "1:2:3:4:5:6:7:1.2.3.4", "::ffff:1.2.3.4.5", "１.2.3.4",
    ])
    func `any other spelling is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"), ("0x7f000001", "127.0.0.1"), ("0X7F000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"), ("0", "0.0.0.0"), ("0x", "0.0.0.0"), ("00", "0.0.0.0"),
        ("4294967295", "255.255.255.255"),
        ("1.65535", "1.0.255.255"), ("1.16777215", "1.255.255.255"), ("1.2.65535", "1.2.255.255"), ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"), ("[fe80::1%25eth0]", "fe80::1"), ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("0xA9FEA9FE", "169.254.169.254"), ("0xa9.0376.0xa9.254", "169.254.169.254"),
    ])
    func `every spelling that some client takes is seen as what it is`(text: String, expected: String) {
        #expect(IPAddress(anySpelling: text)?.description == expected)
    }

    @Test(arguments: [
        "", ".", "1.", "..", "a", "1.2.3.4.5", "256.1.1.1", "1.16777216", "1.2.65536", "4294967296", "08", "0x7g",
        "1.2.3.0x100",
        "99999999999999999999", "-1", "1e3", "[]", "[1", "[", "]", "%", "1.2.3.4..",
    ])
    func `what no client takes for an address is none`(text: String) {
        if text == "1." {
            #expect(IPAddress(anySpelling: text) == .v4(1))
        } else {
            #expect(IPAddress(anySpelling: text) == nil)
        }
    }

    @Test func `bytes of other lengths are no address`() {
        for count in 0...20 where count != 4 && count != 16 {
            #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
        }
    }

    // MARK: Ranges

    @Test(arguments: ["10.1.2.0/24", "0.0.0.0/0", "1.2.3.4/32", "::/0", "fd12::/64", "::1/128", "2001:db8::/33"])
    func `a range has an address and a length`(text: String) {
        #expect(AddressRange(text)?.description == text)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.1/24", "10/8", "::/129",
        "fd12::1/64",
        "10.0.0.0/8/8", "[::]/0", "a/8", "10.0.0.0/ 8", "10.0.0.0/255.0.0.0", "128.0.0.0/0",
    ])
    func `host bits and other spellings are refused`(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func `a range holds its first and last address, of its own family alone`() throws {
        let range = try #require(AddressRange("10.1.2.0/23"))
        for (text, expected) in [
            ("10.1.1.255", false), ("10.1.2.0", true), ("10.1.3.255", true), ("10.1.4.0", false),
            ("::ffff:10.1.2.1", false),
        ] { #expect(range.contains(try #require(IPAddress(text))) == expected, "\(text)") }
        let wide = try #require(AddressRange("::/0"))
        #expect(wide.contains(.v6(high: .max, low: .max)))
        #expect(!wide.contains(.v4(0)))
        let long = try #require(AddressRange("fd12::/65"))
        #expect(long.contains(.v6(high: 0xFD12 << 48, low: .max >> 1)))
        #expect(!long.contains(.v6(high: 0xFD12 << 48, low: .max)))
    }
}

struct `Special addresses` {
    /// A range, and what an address of it is.
    static let ranges: [(String, SpecialAddress)] = [
        ("0.0.0.0/32", .unspecified), ("0.0.0.0/8", .thisNetwork), ("10.0.0.0/8", .privateUse),
        ("100.64.0.0/10", .shared),
        ("100.100.100.200/32", .metadata), ("127.0.0.0/8", .loopback), ("168.63.129.16/32", .metadata),
        ("169.254.0.0/16", .linkLocal), ("169.254.169.254/32", .metadata), ("169.254.170.2/32", .metadata),
        ("172.16.0.0/12", .privateUse), ("192.0.0.0/24", .protocolAssignment), ("192.0.0.8/32", .dummy),
        ("192.0.0.170/31", .nat64), ("192.0.0.192/32", .metadata), ("192.0.2.0/24", .documentation),
        ("192.31.196.0/24", .anycast), ("192.52.193.0/24", .anycast), ("192.88.99.0/24", .sixToFour),
        ("192.168.0.0/16", .privateUse), ("192.175.48.0/24", .anycast), ("198.18.0.0/15", .benchmark),
        ("198.51.100.0/24", .documentation), ("203.0.113.0/24", .documentation), ("224.0.0.0/4", .multicast),
        ("240.0.0.0/4", .reserved), ("255.255.255.255/32", .broadcast),
        ("::/128", .unspecified), ("::1/128", .loopback), ("::/96", .compatible), ("::ffff:0:0/96", .mapped),
        ("::ffff:0:0:0/96", .translated), ("64:ff9b::/96", .nat64), ("64:ff9b:1::/48", .nat64), ("100::/64", .discard),
        ("100:0:0:1::/64", .dummy), ("2001::/32", .teredo), ("2001::/23", .protocolAssignment),
        ("2001:2::/48", .benchmark),
        ("2001:3::/32", .anycast), ("2001:4:112::/48", .anycast), ("2001:10::/28", .orchid), ("2001:20::/28", .orchid),
        ("2001:30::/28", .orchid), ("2001:db8::/32", .documentation), ("2002::/16", .sixToFour),
        ("2620:4f:8000::/48", .anycast), ("3fff::/20", .documentation), ("5f00::/16", .segmentRouting),
        ("fc00::/7", .uniqueLocal), ("fd00:ec2::/32", .metadata), ("fe80::/10", .linkLocal), ("fec0::/10", .siteLocal),
        ("ff00::/8", .multicast),
    ]

    @Test(arguments: ranges)
    func `the first and last address of a range are of its kind, or of a narrower one`(
        text: String, kind: SpecialAddress
    ) throws {
        let range = try #require(AddressRange(text))
        for address in [range.base, Self.last(of: range)] {
            let found = try #require(address.special, "\(address)")
            // A narrower range within may begin or end where this one does.
            let narrower = Self.ranges.compactMap { entry in AddressRange(entry.0).map { ($0, entry.1) } }
                .filter { range.contains($0.0) && $0.0 != range && $0.0.contains(address) }.map(\.1)
            #expect(found == kind || narrower.contains(found), "\(address) is \(found)")
        }
    }

    /// The addresses around the ranges that stand alone.
    @Test(arguments: [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255", "192.0.3.0", "192.31.195.255", "192.31.197.0", "192.52.192.255", "192.52.194.0", "192.88.98.255",
        "192.88.100.0", "192.167.255.255", "192.169.0.0", "192.175.47.255", "192.175.49.0", "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8", "1.1.1.1",
        "2000::",
        "2001:200::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "2620:4f:7fff::", "2620:4f:8001::", "2606:4700::1111", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ])
    func `a public address is not special`(text: String) throws {
        #expect(try #require(IPAddress(text)).special == nil)
    }

    @Test(arguments: [
        "0:0:0:1::", "64:ff9b:2::", "100:0:0:2::", "1fff:ffff::", "4000::", "5eff:ffff::", "5f01::", "8000::", "e000::",
        "fbff::",
        "fe00::1",
    ])
    func `what is outside of 2000::3 is special even if no registry names it`(text: String) throws {
        #expect(try #require(IPAddress(text)).special == .unallocated)
    }

    @Test(arguments: ["::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:808:808::1"])
    func `a public address within another one is special`(text: String) throws {
        #expect(try #require(IPAddress(text)).special != nil)
    }

    @Test func `every kind has an address, and words for people`() {
        let kinds = Set(
            Self.ranges.compactMap { AddressRange($0.0)?.base.special } + [
                .unallocated, .linkLocal, .protocolAssignment, .reserved,
            ])
        #expect(Set(SpecialAddress.allCases).subtracting(kinds).isSubset(of: [.compatible, .thisNetwork]))
        #expect(IPAddress.v4(1).special == .thisNetwork)
        #expect(IPAddress.v6(high: 0, low: 2).special == .compatible)
        #expect(Set(SpecialAddress.allCases.map(\.shown)).count == SpecialAddress.allCases.count)
    }

    static func last(of range: AddressRange) -> IPAddress {
        let ones = Int(range.base.width) - Int(range.length)
        var bytes = range.base.bytes
        for bit in 0..<ones { bytes[bytes.count - 1 - bit / 8] |= 1 << UInt8(bit % 8) }
        return IPAddress(bytes: bytes) ?? range.base
    }
}
