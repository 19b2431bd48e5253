/// Reads a message from front to back, and never past its end.
struct DNSReader {
    let bytes: [UInt8]
    var index = 0

    /// Pointers that one name may consist of. Each leads backwards, so this only bounds the work.
    private static let mostPointers = 64
    private static let headerSize = 12

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    mutating func byte() throws(DNSFormatError) -> UInt8 {
        guard index < bytes.count else { throw .truncated }
        defer { index += 1 }
        return bytes[index]
    }

    mutating func number16() throws(DNSFormatError) -> UInt16 {
        let high = try byte()
        return UInt16(high) << 8 | UInt16(try byte())
    }

    mutating func number32() throws(DNSFormatError) -> UInt32 {
        let high = try number16()
        return UInt32(high) << 16 | UInt32(try number16())
    }

    mutating func number64() throws(DNSFormatError) -> UInt64 {
        let high = try number32()
        return UInt64(high) << 32 | UInt64(try number32())
    }

    mutating func skip(_ count: Int) throws(DNSFormatError) {
        guard count <= bytes.count - index else { throw .truncated }
        index += count
    }

    /// A name, its compression undone (RFC 1035, 4.1.4). A pointer has to lead to before the run of labels that it
    /// stands in, and not into the header: so no name can run in circles.
    mutating func name() throws(DNSFormatError) -> DNSName {
        var wire: [UInt8] = []
        var place = index
        var runStart = index
        var pointers = 0
        while true {
            guard place < bytes.count else { throw .truncated }
            let length = Int(bytes[place])
            switch bytes[place] >> 6 {
            case 0:
                let end = place + 1 + length
                guard end <= bytes.count else { throw .truncated }
                // The root's byte has to follow.
                guard wire.count + 1 + length + (length > 0 ? 1 : 0) <= 255 else { throw .nameLength }
                wire.append(contentsOf: bytes[place..<end])
                place = end
                if pointers == 0 { index = end }
                if length == 0 { return DNSName(checked: wire) }
            case 3:
                guard place + 1 < bytes.count else { throw .truncated }
                let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                if pointers == 0 { index = place + 2 }
                pointers += 1
                guard target < runStart, target >= Self.headerSize, pointers <= Self.mostPointers else {
                    throw .pointer
                }
                place = target
                runStart = target
            default: throw .label
            }
        }
    }
}
