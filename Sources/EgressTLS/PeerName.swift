internal import JailPolicy
internal import NIOCore
internal import SwiftASN1
internal import X509

/// Compares a host with the names of a certificate (RFC 9525). Stricter than what TLS libraries do: only the SAN counts, a
/// name never matches because the address does, and a wildcard is a whole label.
enum PeerName {
    static func matches(_ host: Host, _ names: SubjectAlternativeNames) -> Bool {
        names.contains { name in
            switch (host, name) {
            case (.name(let host), .dnsName(let pattern)): matches(host.text, pattern)
            case (.address(let address), .ipAddress(let octets)):
                address.certificateOctets.elementsEqual(octets.bytes)
            default: false
            }
        }
    }

    private static func matches(_ host: String, _ pattern: String) -> Bool {
        guard pattern.utf8.starts(with: "*.".utf8) else {
            return HostName(wire: pattern.utf8)?.text == host
        }
        // At least two labels to the right, and exactly one that the asterisk stands for.
        guard let parent = HostName(wire: pattern.utf8.dropFirst(2)), parent.text.utf8.contains(0x2E),
            let dot = host.utf8.firstIndex(of: 0x2E)
        else { return false }
        return host.utf8[host.utf8.index(after: dot)...].elementsEqual(parent.text.utf8)
    }

    /// For people.
    static func texts(_ names: SubjectAlternativeNames) -> [String] {
        names.compactMap { name in
            switch name {
            case .dnsName(let name): printable(name)
            case .ipAddress(let octets): address(Array(octets.bytes))
            default: nil
            }
        }
    }

    static func address(_ octets: [UInt8]) -> String {
        let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: octets), port: 0)
        return address?.ipAddress ?? "\(octets.count) octets"
    }

    /// What an origin says must not write to anybody's terminal.
    static func printable(_ text: String) -> String {
        String(text.unicodeScalars.prefix(128).map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" })
    }
}
