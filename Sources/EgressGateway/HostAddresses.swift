internal import JailPolicy
internal import NIOCore

/// The addresses of the host itself. A service that listens on one of them is the host's, whatever the address looks
/// like from outside.
final class HostAddresses {
    private var known: Set<IPAddress> = []
    private var validUntil = NIODeadline.uptimeNanoseconds(0)
    private static let lifetime = TimeAmount.seconds(5)

    /// Throws if the host's addresses cannot be listed: then nothing can be told from them.
    func contains(_ address: IPAddress) throws -> Bool {
        let now = NIODeadline.now()
        if now >= validUntil {
            known = Set(try System.enumerateDevices().compactMap { $0.address.flatMap(IPAddress.init) })
            validUntil = now + Self.lifetime
        }
        return known.contains(address)
    }
}

extension IPAddress {
    /// IPv4 that arrives at an IPv6 socket is IPv4.
    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let v4):
            self = .v4(UInt32(bigEndian: v4.address.sin_addr.s_addr))
        case .v6(let v6):
            var bytes = v6.address.sin6_addr
            let (high, low) = unsafe withUnsafeBytes(of: &bytes) {
                unsafe (
                    UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            if high == 0, low >> 32 == 0xFFFF {
                self = .v4(UInt32(truncatingIfNeeded: low))
            } else {
                self = .v6(high: high, low: low)
            }
        default: return nil
        }
    }

    func socketAddress(port: UInt16) throws -> SocketAddress {
        var bytes = ByteBuffer()
        switch self {
        case .v4(let address): bytes.writeInteger(address)
        case .v6(let high, let low):
            bytes.writeInteger(high)
            bytes.writeInteger(low)
        }
        return try SocketAddress(packedIPAddress: bytes, port: Int(port))
    }
}
