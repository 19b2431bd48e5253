internal import JailPolicy
internal import NIOCore

/// The addresses of the host itself. A service that listens on one of them is the host's, whatever the address looks
/// like from outside.
final class HostAddresses {
    private var known: Set<IPAddress> = []
    private var validUntil = NIODeadline.uptimeNanoseconds(0)
    private static let lifetime = TimeAmount.seconds(5)

    /// Throws if the host's addresses cannot be listed: then nothing can be told from them.
    func current() throws -> Set<IPAddress> {
        let now = NIODeadline.now()
        if now >= validUntil {
            known = Set(try System.enumerateDevices().compactMap { $0.address.flatMap(IPAddress.init) })
            validUntil = now + Self.lifetime
        }
        return known
    }
}

extension IPAddress {
    /// IPv4 that arrives at an IPv6 socket is IPv4.
    init?(_ address: SocketAddress) {
        let packed: [UInt8] = unsafe address.withSockAddr { start, count in
            unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
        }
        func number(_ range: Range<Int>) -> UInt64 { packed[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch address.protocol {
        // struct sockaddr_in: family, port, address.
        case .inet where packed.count >= 8: self = .v4(UInt32(number(4..<8)))
        // struct sockaddr_in6: family, port, flow, address.
        case .inet6 where packed.count >= 24:
            let high = number(8..<16)
            let low = number(16..<24)
            self = high == 0 && low >> 32 == 0xFFFF ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high: high, low: low)
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
