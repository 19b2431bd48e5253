/// A range of addresses as CIDR writes it (RFC 4632): `10.1.2.0/24`, `fd12::/64`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let base: IPAddress
    /// Leading bits that all addresses of the range share.
    package let length: UInt8

    /// Strict: the bits behind the length are zero, and the length has no leading zeros.
    package init?(_ text: String) {
        let parts = text.parts(at: "/", most: 3)
        guard parts.count == 2, let base = IPAddress(parts[0]), parts[1].utf8.count <= 3,
            let number = DecimalDigits.parse(parts[1]), number <= base.width
        else { return nil }
        length = UInt8(number)
        self.base = base
        guard base == base.masked(length) else { return nil }
    }

    /// One address.
    package init(_ address: IPAddress) {
        base = address
        length = address.width
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.width == base.width && address.masked(length) == base
    }

    package func contains(_ other: AddressRange) -> Bool { other.length >= length && contains(other.base) }

    package var description: String { "\(base)/\(length)" }
}

extension AddressRange {
    package static func parse(_ text: String) throws(ValueError) -> AddressRange {
        if let range = AddressRange(text) { return range }
        let hint: String?
        if let address = IPAddress(text) {
            hint = "one address is \"\(AddressRange(address))\""
        } else if let wide = wider(text) {
            hint = "the range with this length is \"\(wide)\""
        } else {
            hint = nil
        }
        throw ValueError(
            expected: "a range of addresses such as \"10.1.2.0/24\" or \"fd12::/64\"", found: text, hint: hint)
    }

    /// What was meant by a range with host bits.
    private static func wider(_ text: String) -> AddressRange? {
        let parts = text.parts(at: "/", most: 3)
        guard parts.count == 2, let base = IPAddress(parts[0]), let number = DecimalDigits.parse(parts[1]),
            number <= base.width
        else { return nil }
        return AddressRange("\(base.masked(UInt8(number)))/\(number)")
    }
}
