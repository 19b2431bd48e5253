internal import Glibc
internal import JailPolicy
internal import NIOCore

/// Addresses between text, numbers and sockets.
enum NumericAddress {
    /// Dotted decimal, or IPv6 without a zone: what inet_pton(3) takes, and nothing of what inet_aton(3) takes besides.
    static func parse(_ text: some Sequence<UInt8>) -> IPAddress? {
        let bytes = Array(text)
        let digits = bytes.allSatisfy { byte in
            (0x30...0x3A).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == UInt8(ascii: ".")
        }
        // inet_pton reads C strings: a NUL would end the address early.
        guard digits, bytes.count <= 45 else { return nil }
        let isIPv6 = bytes.contains(UInt8(ascii: ":"))
        var address = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let text = String(decoding: bytes, as: UTF8.self)
        guard unsafe inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &address) == 1 else { return nil }
        return isIPv6
            ? .v6(high: number(address[..<8]), low: number(address[8...]))
            : .v4(UInt32(truncatingIfNeeded: number(address[...])))
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    static func socketAddress(_ address: IPAddress, port: UInt16) throws -> SocketAddress {
        var bytes = ByteBuffer()
        switch address {
        case .v4(let number): bytes.writeInteger(number)
        case .v6(let high, let low): bytes.writeMultipleIntegers(high, low)
        }
        return try SocketAddress(packedIPAddress: bytes, port: Int(port))
    }
}
