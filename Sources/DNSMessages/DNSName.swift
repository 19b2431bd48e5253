package import JailPolicy

/// A name as it stands in a message: any bytes in its labels, in the case in which they were written. Only ``hostName``
/// says whether it is one that a host can have.
package struct DNSName: Hashable, Sendable {
    /// Lengths and labels without compression, the root's empty label at the end; 1 to 255 bytes (RFC 1035, 3.1).
    package let wire: [UInt8]

    package static let root = DNSName(checked: [0])

    /// Of bytes that are a whole name.
    init(checked wire: [UInt8]) { self.wire = wire }

    package init(_ name: HostName) {
        var wire: [UInt8] = []
        wire.reserveCapacity(name.text.utf8.count + 2)
        for label in name.text.utf8.split(separator: UInt8(ascii: ".")) {
            wire.append(UInt8(truncatingIfNeeded: label.count))
            wire.append(contentsOf: label)
        }
        wire.append(0)
        self.wire = wire
    }

    /// The labels without the root's.
    package var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var index = 0
        while index < wire.count, wire[index] > 0 {
            let end = min(index + 1 + Int(wire[index]), wire.count)
            labels.append(wire[index + 1..<end])
            index = end
        }
        return labels
    }

    /// The name in lower case: two names are the same if these are equal (RFC 4343).
    package var folded: DNSName {
        // A length is at most 63 and so no letter.
        DNSName(checked: wire.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
    }

    /// The host name that this is; nil if a host cannot be called so. A label with a dot in it is none, although its
    /// text would look like two that are.
    package var hostName: HostName? {
        let labels = labels
        guard !labels.isEmpty, !labels.contains(where: { $0.contains(UInt8(ascii: ".")) }) else { return nil }
        return HostName(wire: labels.joined(separator: [UInt8(ascii: ".")]))
    }

    /// For people and logs: printable ASCII without spaces, everything else and each dot or backslash within a label as
    /// `\DDD` (RFC 4343, 2.1). At most 1,000 bytes.
    package var text: String {
        let labels = labels.map { $0.map(Self.escaped).joined() }
        return labels.isEmpty ? "." : labels.joined(separator: ".")
    }

    private static func escaped(_ byte: UInt8) -> String {
        let isPlain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "\\")
        if isPlain { return String(UnicodeScalar(byte)) }
        let digits = String(byte)
        return "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }

    /// The same name with the case of each letter drawn anew. A forger has to guess it, since a server sends the
    /// question back as it was ("0x20 bits").
    package func withRandomCase(using generator: inout some RandomNumberGenerator) -> DNSName {
        DNSName(
            checked: folded.wire.map { byte in
                (0x61...0x7A).contains(byte) && Bool.random(using: &generator) ? byte & ~0x20 : byte
            })
    }
}
