internal import JailPolicy

/// An entry of the name table as it stands on file: 512 bytes, so that none lies across two pages and a process that is
/// killed while it writes leaves the old entry or the new one.
struct NameRecord: Equatable {
    var name: HostName
    var address: UInt32
    /// Which one this is of all the addresses that were ever handed out, from 1.
    var grant: UInt64

    static let size = 512
    /// More than can ever be handed out; a greater number is a damaged entry.
    static let mostGrants: UInt64 = 1 << 48

    private static let mark: UInt32 = 0x636A_6E31
    /// Mark, address, grant, length of the name.
    private static let headSize = 17
    private static let checkSize = 8

    /// Zeros behind the name, the check sum at the end.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        Self.append(Self.mark, to: &bytes)
        Self.append(address, to: &bytes)
        Self.append(grant, to: &bytes)
        bytes.append(UInt8(truncatingIfNeeded: name.text.utf8.count))
        bytes += Array(name.text.utf8)
        bytes += [UInt8](repeating: 0, count: Self.size - Self.checkSize - bytes.count)
        Self.append(Self.checkSum(bytes[...]), to: &bytes)
        return bytes
    }

    init(name: HostName, address: UInt32, grant: UInt64) {
        self.name = name
        self.address = address
        self.grant = grant
    }

    /// nil unless every byte is as it would be written.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        let bytes = Array(bytes)
        let length = Int(bytes[Self.headSize - 1])
        guard length <= Self.size - Self.checkSize - Self.headSize,
            let name = HostName(wire: bytes[Self.headSize..<Self.headSize + length])
        else { return nil }
        self.init(
            name: name, address: UInt32(truncatingIfNeeded: Self.number(bytes[4..<8])),
            grant: Self.number(bytes[8..<16]))
        guard grant > 0, grant < Self.mostGrants, self.bytes == bytes else { return nil }
    }

    private static func append(_ number: some FixedWidthInteger & UnsignedInteger, to bytes: inout [UInt8]) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// FNV-1a, 64 bits: against damage, not against forgers.
    private static func checkSum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
