extension IPAddress: CustomStringConvertible {
    /// The strict spellings: IPv4 as four decimal numbers (RFC 3986, 3.2.2), IPv6 as in RFC 4291, 2.2, without zone and
    /// brackets.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(46))
        guard bytes.count < 46 else { return nil }
        if bytes.contains(UInt8(ascii: ":")) {
            self.init(v6: bytes[...])
        } else {
            guard let number = Self.dottedQuad(bytes[...]) else { return nil }
            self = .v4(number)
        }
    }

    /// The one form of RFC 5952 (mapped addresses with a dotted quad), or four decimal numbers.
    package var description: String {
        switch self {
        case .v4(let number): IPv4Address.format(number)
        case .v6(let high, let low) where high == 0 && low >> 32 == 0xFFFF:
            "::ffff:" + IPv4Address.format(UInt32(truncatingIfNeeded: low))
        case .v6(let high, let low): Self.format(high: high, low: low)
        }
    }

    /// As a URL has it (RFC 3986, 3.2.2): IPv6 in brackets.
    package var urlText: String {
        switch self {
        case .v4: description
        case .v6: "[\(description)]"
        }
    }

    private static func dottedQuad(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        IPv4Address.parse(String(decoding: bytes, as: UTF8.self))
    }

    // MARK: IPv6

    private init?(v6 bytes: ArraySlice<UInt8>) {
        let gap = bytes.indices.first { bytes[$0...].starts(with: "::".utf8) }
        let groups: [UInt16]
        if let gap {
            guard let before = Self.groups(bytes[..<gap]),
                let after = Self.groups(bytes[(gap + 2)...], mayEndInQuad: true),
                // `::` stands for at least one group (RFC 5952, 4.2.2 for two; parsers take one).
                before.count + after.count <= 7
            else { return nil }
            groups = before + Array(repeating: 0, count: 8 - before.count - after.count) + after
        } else {
            guard let all = Self.groups(bytes, mayEndInQuad: true), all.count == 8 else { return nil }
            groups = all
        }
        self = .v6(
            high: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) },
            low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }

    /// Groups between colons; none for an empty text.
    private static func groups(_ bytes: ArraySlice<UInt8>, mayEndInQuad: Bool = false) -> [UInt16]? {
        guard !bytes.isEmpty else { return [] }
        let parts = bytes.split(separator: UInt8(ascii: ":"), maxSplits: 8, omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndInQuad, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let quad = dottedQuad(part) else { return nil }
                groups += [UInt16(quad >> 16), UInt16(truncatingIfNeeded: quad)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for byte in part {
                guard let digit = byte.hexValue else { return nil }
                group = group << 4 | UInt16(digit)
            }
            groups.append(group)
        }
        return groups.count <= 8 ? groups : nil
    }

    private static func format(high: UInt64, low: UInt64) -> String {
        let groups = [high, low].flatMap { half in (0..<4).map { UInt16(truncatingIfNeeded: half >> (48 - 16 * $0)) } }
        let gap = longestZeros(groups)
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return gap.count < 2 ? text(0..<8) : text(0..<gap.lowerBound) + "::" + text(gap.upperBound..<8)
    }

    /// The first one if several are as long.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0..<8 {
            if groups[index] != 0 { start = index + 1 }
            if index + 1 - start > longest.count { longest = start..<(index + 1) }
        }
        return longest
    }
}
