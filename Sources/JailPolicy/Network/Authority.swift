/// `host[:port]` of a Host field, `:authority` or CONNECT (RFC 9110, 7.2; RFC 9112, 3.2.3), in its one form.
package struct Authority: Hashable, Sendable, CustomStringConvertible {
    package let host: Host
    /// nil: the scheme's own.
    package let port: UInt16?

    package init(host: Host, port: UInt16?) {
        self.host = host
        self.port = port
    }

    /// User information, an empty port, a port with leading zeros, zone ids, and anything else than ASCII are refused.
    package init?(wire bytes: some Collection<UInt8>) {
        // The longest name in full, its dot, and a port.
        let text = Array(bytes.prefix(Self.longest + 1))
        guard text.count <= Self.longest else { return nil }
        let end: Int
        if text.first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            end = bracket + 1
        } else {
            end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.count
        }
        guard let host = Host(wire: text[..<end]) else { return nil }
        self.host = host
        guard end < text.count else {
            port = nil
            return
        }
        let digits = text[(end + 1)...]
        guard text[end] == UInt8(ascii: ":"), digits.count <= 5,
            let port = try? Port.parse(String(decoding: digits, as: UTF8.self))
        else { return nil }
        self.port = port
    }

    static let longest = HostName.longest + 1 + 6

    package var description: String { port.map { "\(host.urlText):\($0)" } ?? host.urlText }
}
