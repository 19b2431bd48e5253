/// An address, both families as numbers in host byte order.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// 4 or 16 bytes in network byte order; nil for any other number of them.
    package init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self = .v6(
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// 4 or 16, in network byte order.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let number): (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        case .v6(let high, let low):
            [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
        }
    }

    /// Bits of an address of this family.
    package var width: UInt8 {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// With every bit behind the first `length` cleared.
    func masked(_ length: UInt8) -> IPAddress {
        switch self {
        case .v4(let number): .v4(number & Self.mask(length))
        case .v6(let high, let low):
            .v6(high: high & Self.mask(min(length, 64)), low: low & Self.mask(length > 64 ? length - 64 : 0))
        }
    }

    /// Smart shifts: a mask of length 0 has no bits.
    private static func mask<Word: FixedWidthInteger>(_ length: UInt8) -> Word {
        length == 0 ? 0 : ~Word(0) << (Word.bitWidth - Int(length))
    }
}
