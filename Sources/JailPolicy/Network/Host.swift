/// What a request is for: a name, or an address that was written as one.
package enum Host: Hashable, Sendable {
    case name(HostName)
    case address(IPAddress)

    /// The host of a URL's authority on the wire (RFC 3986, 3.2.2): a name, four decimal numbers, or IPv6 in brackets.
    /// Other spellings of addresses, zones and everything else are nil.
    package init?(wire bytes: some Collection<UInt8>) {
        if bytes.first == UInt8(ascii: "[") {
            let inner = Array(bytes.prefix(48).dropFirst())
            guard inner.last == UInt8(ascii: "]") else { return nil }
            guard case .v6(let high, let low)? = IPAddress(String(decoding: inner.dropLast(), as: UTF8.self)) else {
                return nil
            }
            self = .address(.v6(high: high, low: low))
        } else if let name = HostName(wire: bytes) {
            self = .name(name)
        } else {
            // One byte more than the longest.
            let text = String(decoding: bytes.prefix(16), as: UTF8.self)
            guard case .v4(let number)? = IPAddress(text) else { return nil }
            self = .address(.v4(number))
        }
    }

    /// As people and profiles write it: without brackets.
    package var text: String {
        switch self {
        case .name(let name): name.text
        case .address(let address): address.description
        }
    }

    /// As a URL's authority has it.
    package var urlText: String {
        switch self {
        case .name(let name): name.text
        case .address(let address): address.urlText
        }
    }

    /// Why ``init(wire:)`` refuses the text, for people.
    package static func reason(refusing text: String) -> String {
        if let address = IPAddress(anySpelling: text) {
            let kind = address.special.map { " (\($0.shown))" } ?? ""
            return "\"\(text.excerpt)\" is another spelling of the address \(address)\(kind); only that one is taken"
        }
        return "\"\(text.excerpt)\" is neither a host name nor an address"
    }
}
