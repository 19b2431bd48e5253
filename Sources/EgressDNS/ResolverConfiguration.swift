package import JailPolicy
package import NIOCore

/// Whom to ask, and how patiently, see resolv.conf(5).
package struct ResolverConfiguration: Equatable, Sendable {
    /// In the order in which they are asked; never empty, at most ``mostServers``.
    package internal(set) var servers: [Endpoint]
    /// For one try with one server.
    package private(set) var timeout = TimeAmount.seconds(5)
    /// Rounds through all servers.
    package private(set) var attempts = 2
    /// `options use-vc`: no datagrams.
    package private(set) var usesStreams = false
    /// `options no-aaaa`.
    package private(set) var asksForIPv6 = true
    /// What the hosts file says; it is asked before any server.
    package let hosts: [HostName: [IPAddress]]

    package static let mostServers = 3

    /// Of the host's files. Garbage in them is passed over; without any server there is the one at 127.0.0.1. The search
    /// list counts for nothing: what the jail asks for is a whole name.
    package init(resolvConf: [UInt8], hosts: [UInt8]) {
        var servers: [Endpoint] = []
        var options: [ArraySlice<UInt8>] = []
        for line in resolvConf.split(separator: UInt8(ascii: "\n")) {
            let fields = ConfigurationText.fields(line, comments: [UInt8(ascii: "#"), UInt8(ascii: ";")])
            switch fields.first.map({ String(decoding: $0, as: UTF8.self) }) {
            case "nameserver":
                // An address with a zone (`fe80::1%eth0`) is none that can be asked here.
                guard fields.count > 1, let address = NumericAddress.parse(fields[1]) else { continue }
                if servers.count < Self.mostServers { servers.append(Endpoint(address: address, port: 53)) }
            case "options": options += fields.dropFirst()
            default: continue
            }
        }
        self.servers = servers.isEmpty ? [Endpoint(address: .v4(0x7F00_0001), port: 53)] : servers
        self.hosts = HostsFile.parse(hosts)
        for option in options { apply(String(decoding: option, as: UTF8.self)) }
    }

    /// Of a profile that names its resolvers; nil without one. More than ``mostServers`` are left out.
    package init?(
        servers: [Endpoint], hosts: [UInt8] = [], timeout: TimeAmount = .seconds(5), attempts: Int = 2
    ) {
        guard !servers.isEmpty else { return nil }
        self.servers = Array(servers.prefix(Self.mostServers))
        self.hosts = HostsFile.parse(hosts)
        self.timeout = min(max(timeout, .milliseconds(1)), .seconds(5))
        self.attempts = min(max(attempts, 1), 5)
    }

    private mutating func apply(_ option: String) {
        let parts = option.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count > 1 ? Int64(parts[1]) : nil) {
        case ("timeout", let seconds?): timeout = .seconds(min(max(seconds, 1), 5))
        case ("attempts", let count?): attempts = Int(min(max(count, 1), 5))
        case ("use-vc", nil): usesStreams = true
        case ("no-aaaa", nil): asksForIPv6 = false
        default: return
        }
    }
}
