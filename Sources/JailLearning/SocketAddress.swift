internal import JailPolicy

/// What bind(2) and connect(2) are given, see unix(7), ip(7) and ipv6(7).
package enum SocketAddress: Equatable, Sendable {
    /// A path. Names without one (abstract, unnamed) are not of the file system.
    case local(String)
    case internet(host: String, port: UInt16, isLoopback: Bool)

    /// Of struct sockaddr_un.
    static let mostBytes = 110
    /// Of struct sockaddr_in6.
    package static let mostInternetBytes = 28

    /// nil: of another family, or cut off.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        // In the order of the machine, and both architectures are little-endian.
        switch UInt16(bytes[1]) << 8 | UInt16(bytes[0]) {
        case 1:
            let path = bytes[2...].prefix { $0 != 0 }
            guard !path.isEmpty else { return nil }
            self = .local(String(decoding: path, as: UTF8.self))
        case 2 where bytes.count >= 8: self = Self.internet(Array(bytes[4..<8]), port)
        case 10 where bytes.count >= 24:
            let address = Array(bytes[8..<24])
            // IPv4 in IPv6.
            let isMapped = address.prefix(10).allSatisfy { $0 == 0 } && address[10] == 0xFF && address[11] == 0xFF
            self = Self.internet(isMapped ? Array(address[12...]) : address, port)
        default: return nil
        }
    }

    private static func internet(_ bytes: [UInt8], _ port: UInt16) -> SocketAddress {
        let isLoopback: Bool
        if bytes.count == 4 {
            isLoopback = bytes[0] == 127 || bytes.allSatisfy { $0 == 0 }
        } else {
            isLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && (bytes.last ?? 0) <= 1
        }
        return .internet(host: IPAddress(bytes: bytes)?.description ?? "", port: port, isLoopback: isLoopback)
    }
}
