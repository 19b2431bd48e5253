/// TCP ports, 1 to 65535.
package enum Port {
    static let expectation = "a port from 1 to 65535"

    package static func parse(_ text: some StringProtocol) throws(ValueError) -> UInt16 {
        guard let number = DecimalDigits.parse(text), let port = UInt16(exactly: number), port > 0 else {
            throw ValueError(expected: expectation, found: String(text))
        }
        return port
    }
}

/// IPv4 addresses as four decimal numbers. Shorter, octal and hexadecimal spellings, which some programs take for the
/// same address and some for another, are refused.
package enum IPv4Address {
    /// In host byte order, or nil.
    package static func parse(_ text: String) -> UInt32? {
        let parts = text.parts(at: ".", most: 5)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, let byte = DecimalDigits.parse(part), byte <= 255 else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    package static func format(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 0xFF).\(address >> 8 & 0xFF).\(address & 0xFF)"
    }
}

extension PublishedPort {
    /// `"18789"` (the same port on both sides), `"8080:18789"` (host first), `"0.0.0.0:8080:18789"`.
    package static func parse(_ text: String) throws(ValueError) -> PublishedPort {
        let parts = text.parts(at: ":", most: 4)
        guard parts.count <= 3 else {
            throw ValueError(expected: "[ADDRESS:][HOSTPORT:]PORT with an IPv4 address", found: text)
        }
        let jailPort = try Port.parse(parts[parts.count - 1])
        let hostPort = parts.count > 1 ? try Port.parse(parts[parts.count - 2]) : jailPort
        var port = PublishedPort(hostPort: hostPort, jailPort: jailPort)
        if parts.count == 3 {
            guard let address = IPv4Address.parse(String(parts[0])) else {
                throw ValueError(
                    expected: "[ADDRESS:][HOSTPORT:]PORT with an IPv4 address such as 127.0.0.1", found: text)
            }
            port.hostAddress = address
        }
        return port
    }

    /// All three parts of the address, as ``parse(_:)`` takes them.
    package var formatted: String { "\(IPv4Address.format(hostAddress)):\(hostPort):\(jailPort)" }

    /// What is connected to what, for people.
    package var shown: String {
        "\(IPv4Address.format(hostAddress)):\(hostPort) → \(jailPort)" + (token.map { ", with token '\($0)'" } ?? "")
    }
}
