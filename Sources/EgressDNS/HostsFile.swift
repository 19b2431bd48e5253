internal import JailPolicy

/// The host's own names, see hosts(5).
enum HostsFile {
    /// Names in a file, and addresses of a name; more are left out.
    static let mostNames = 262_144
    static let mostAddresses = 32

    /// Never fails: a line that says nothing is passed over, as in every C library.
    static func parse(_ bytes: [UInt8]) -> [HostName: [IPAddress]] {
        var hosts: [HostName: [IPAddress]] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = ConfigurationText.fields(line, comments: [UInt8(ascii: "#")])
            guard let address = fields.first.flatMap(NumericAddress.parse) else { continue }
            for name in fields.dropFirst().compactMap({ HostName(wire: $0) }) {
                guard hosts.count < mostNames || hosts[name] != nil else { continue }
                let known = hosts[name, default: []]
                if known.count < mostAddresses, !known.contains(address) { hosts[name] = known + [address] }
            }
        }
        return hosts
    }
}

/// Lines of fields with blanks between them.
enum ConfigurationText {
    /// A comment reaches from one of these bytes to the end of the line.
    static func fields(_ line: ArraySlice<UInt8>, comments: [UInt8]) -> [ArraySlice<UInt8>] {
        line.prefix { !comments.contains($0) }.split { [0x20, 0x09, 0x0D].contains($0) }
    }
}
