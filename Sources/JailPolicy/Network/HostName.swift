/// A host name as DNS compares it: labels of letters, digits and hyphens, in lower case, without a trailing dot. It is
/// made once from what a client or a profile says, and this value is what is matched, logged, resolved and sent.
package struct HostName: Hashable, Sendable {
    package let text: String

    /// Bytes of a name, without the trailing dot (RFC 1035, 2.3.4: 255 octets on the wire).
    package static let longest = 253

    /// From the wire: ASCII only, nothing repaired but letter case and one trailing dot. A label that begins with `xn--`
    /// must be the one A-label of some name (RFC 5890, 2.3.2.1), and a name that ends in a number is none.
    package init?(wire bytes: some Sequence<UInt8>) {
        var name: [UInt8] = []
        for byte in bytes {
            guard name.count <= Self.longest else { return nil }
            name.append(Name.isUpper(byte) ? byte | 0x20 : byte)
        }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        self.init(lowerCase: name)
    }

    /// From a person: as from the wire, or in Unicode, mapped by UTS #46 (non-transitional). A name that is mapped to
    /// anything else than letters, digits and hyphens is none.
    package init?(user text: String) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            self.init(wire: text.utf8)
        } else {
            // No name is as long, in whatever script; what the library is given stays small.
            guard text.utf8.count <= 4 * Self.longest, let ascii = IDNA.toASCII(text) else { return nil }
            self.init(wire: ascii.utf8)
        }
    }

    private init?(lowerCase name: [UInt8]) {
        guard (1...Self.longest).contains(name.count) else { return nil }
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(Self.isLabel), let last = labels.last, !Self.isNumber(last) else { return nil }
        for label in labels where label.starts(with: Self.aLabelPrefix) {
            guard IDNA.isALabel(String(decoding: label, as: UTF8.self)) else { return nil }
        }
        text = String(decoding: name, as: UTF8.self)
    }

    private static let aLabelPrefix = Array("xn--".utf8)

    /// RFC 1123, 2.1: 1 to 63 letters, digits and hyphens, no hyphen at either end.
    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...63).contains(label.count) && label.allSatisfy { Name.isLowerOrDigit($0) || $0 == UInt8(ascii: "-") }
            && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
    }

    /// https://url.spec.whatwg.org/#ends-in-a-number-checker: digits, or `0x` and hexadecimal digits, also none. Clients
    /// take a host that ends so for an IPv4 address, and never look it up.
    private static func isNumber(_ label: ArraySlice<UInt8>) -> Bool {
        if label.allSatisfy(\.isDigit) { return true }
        return label.starts(with: "0x".utf8) && label.dropFirst(2).allSatisfy(\.isHexDigit)
    }

    /// The name of which this one is a direct child; nil at the top.
    package var parent: Substring? {
        guard let dot = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return text[text.utf8.index(after: dot)...]
    }

    var labelCount: Int { text.utf8.count { $0 == UInt8(ascii: ".") } + 1 }

    /// Whether the name is a strict descendant of the other.
    package func isBelow(_ other: HostName) -> Bool {
        let own = text.utf8
        let end = other.text.utf8
        guard own.count > end.count + 1, own.reversed().starts(with: end.reversed()) else { return false }
        return own.dropLast(end.count).last == UInt8(ascii: ".")
    }
}

extension UInt8 {
    var isHexDigit: Bool { hexValue != nil }
}
