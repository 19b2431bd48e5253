/// Hosts that a rule names: `example.org`, `*.example.org` (every name below it, and never itself), `*` (every name),
/// or an address in its strict spelling.
package enum HostPattern: Hashable, Sendable {
    case any
    case below(HostName)
    case exact(HostName)
    case address(IPAddress)

    /// From a person: names may be in Unicode or in upper case, and become what DNS compares.
    package static func parse(_ text: String) throws(ValueError) -> HostPattern {
        if text == "*" { return .any }
        if let address = IPAddress(text) { return .address(address) }
        if text.utf8.starts(with: "*.".utf8) {
            if let name = HostName(user: String(text.utf8.dropFirst(2)) ?? "") { return .below(name) }
        } else if let name = HostName(user: text) {
            return .exact(name)
        }
        if let address = IPAddress(anySpelling: text) {
            throw ValueError(
                expected: "an address in its one spelling", found: text, hint: "did you mean \"\(address)\"?")
        }
        throw ValueError(
            expected: "a host name such as \"example.org\", \"*.example.org\" or \"*\", or an address", found: text)
    }

    package static func check(_ text: String) throws(ValueError) { _ = try parse(text) }

    /// As ``parse(_:)`` takes it.
    package var text: String {
        switch self {
        case .any: "*"
        case .below(let name): "*.\(name.text)"
        case .exact(let name): name.text
        case .address(let address): address.description
        }
    }

    /// `*` is public names only: an address must be named, and so must a host of one's own network.
    package func matches(_ host: Host) -> Bool {
        switch (self, host) {
        case (.any, .name(let name)): name.isPublic
        case (.below(let parent), .name(let name)): name.isBelow(parent)
        case (.exact(let own), .name(let name)): own == name
        case (.address(let own), .address(let address)): own == address
        default: false
        }
    }

    /// Whether every host of the other pattern is one of this.
    func covers(_ other: HostPattern) -> Bool {
        switch (self, other) {
        case (.any, .address): false
        case (.any, _): true
        case (.below(let parent), .below(let name)): name == parent || name.isBelow(parent)
        case (.below(let parent), .exact(let name)): name.isBelow(parent)
        default: self == other
        }
    }

    /// The more of a name is written out, the more it counts: labels below, a name in full, an address.
    var specificity: Int {
        switch self {
        case .any: 0
        case .below(let name): name.labelCount
        // More labels than a name can have.
        case .exact, .address: 256
        }
    }

    /// The whole name, or the address; nil for a pattern.
    package var host: Host? {
        switch self {
        case .exact(let name): .name(name)
        case .address(let address): .address(address)
        case .any, .below: nil
        }
    }
}
