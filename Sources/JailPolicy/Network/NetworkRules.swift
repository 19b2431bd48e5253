/// `network`. Without any of it the jail has its own loopback and nothing else.
package struct NetworkRules: Equatable, Sendable {
    /// Ports of the jail's loopback shown on the host.
    package var publish: [PublishedPort] = []
    /// TCP ports that programs inside may bind, enforced by Landlock; nil: any port of the jail's own loopback.
    package var listen: [UInt16]?
    /// What may be reached outside.
    package var allow: [NetworkRule] = []
    /// What may not, whatever else allows it.
    package var deny: [NetworkDenyRule] = []
    /// Special addresses (``SpecialAddress``) that may be dialled all the same.
    package var allowPrivate: [AddressRange] = []
    package var budgets = NetworkBudgets()
    package var upstream = UpstreamRules()
    package var onGatewayExit = GatewayExit.restart

    package init() {}
}

package struct PublishedPort: Hashable, Sendable {
    /// IPv4 address on the host, in host byte order. 127.0.0.1 unless named.
    package var hostAddress: UInt32 = 0x7F00_0001
    package var hostPort: UInt16
    package var jailPort: UInt16
    /// The secret that whoever connects must show, and that the jail never sees; nil: everybody is let through.
    package var token: String?

    package init(hostPort: UInt16, jailPort: UInt16) {
        self.hostPort = hostPort
        self.jailPort = jailPort
    }
}

/// `network.allow[]`: hosts and what may be asked of them.
package struct NetworkRule: Hashable, Sendable {
    /// Hosts with what is known about them, instead of all below except ``requestSize``.
    package var preset: NetworkPreset?
    package var hosts: [HostPattern]
    package var ports: [UInt16]
    /// In the order https, http; empty for ``Handling/tcp``.
    package var schemes: [NetworkScheme] = [.https, .http]
    package var methods: [String]
    /// nil: any.
    package var paths: [PathPattern]?
    /// Bytes of a request's body; nil: ``defaultRequestSize``.
    package var requestSize: UInt64?
    package var websocket = false
    /// How connections are handled. What is not inspected has neither methods nor paths.
    package var handling = NetworkGrant.Handling.inspect

    package static let defaultMethods = ["GET", "HEAD"]
    package static let defaultPorts: [UInt16] = [443, 80]
    package static let defaultRequestSize: UInt64 = 10 << 20

    package init(hosts: [HostPattern], methods: [String], ports: [UInt16]) {
        self.hosts = hosts
        self.methods = methods
        self.ports = ports
    }

    /// From texts, as a profile has them.
    package init(hosts: [String], methods: [String], ports: [UInt16]) throws(ValueError) {
        var patterns: [HostPattern] = []
        for host in hosts { patterns.append(try HostPattern.parse(host)) }
        self.init(hosts: patterns, methods: methods, ports: ports)
    }

    package init(preset: NetworkPreset) {
        self.init(hosts: [HostPattern](), methods: [], ports: [])
        self.preset = preset
        schemes = []
    }
}

/// `network.deny[]`. What is nil is every one.
package struct NetworkDenyRule: Hashable, Sendable {
    package var hosts: [HostPattern]
    package var ports: [UInt16]?
    package var methods: [String]?
    package var paths: [PathPattern]?

    package init(hosts: [HostPattern], ports: [UInt16]? = nil, methods: [String]? = nil, paths: [PathPattern]? = nil) {
        self.hosts = hosts
        self.ports = ports
        self.methods = methods
        self.paths = paths
    }
}

/// `network.budgets`: how much of what is allowed. All in force for the jail as a whole.
package struct NetworkBudgets: Equatable, Sendable {
    package var requestsPerMinute: UInt64 = 600
    package var connectionsPerMinute: UInt64 = 300
    /// At the same time.
    package var connections: UInt64 = 256
    /// Bytes, bodies and heads and everything else that goes out.
    package var uploadPerHour: UInt64 = 1 << 30
    /// Bytes of all fields of a request or an answer.
    package var headerSize: UInt64 = 64 << 10
    /// Bytes of a request target.
    package var urlSize: UInt64 = 16 << 10
    /// Milliseconds without a byte in either direction.
    package var idle: UInt64 = 60_000
    /// Milliseconds of a request with its answer. WebSockets are exempt.
    package var total: UInt64 = 600_000
    /// Milliseconds until the head of an answer.
    package var response: UInt64 = 60_000

    package init() {}
}

/// `network.upstream`: what the way out uses of the host.
package struct UpstreamRules: Equatable, Sendable {
    /// Name servers; empty: the host's.
    package var resolvers: [Endpoint] = []
    /// A PEM file on the host that replaces its trust store.
    package var trust: String?

    package init() {}
}

/// An address and a port.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { "\(address.urlText):\(port)" }
}

/// `network.onGatewayExit`: what happens when the way out ends unasked. Nothing is ever open meanwhile.
package enum GatewayExit: String, CaseIterable, Sendable {
    case restart
    /// The jail goes on without a network.
    case block
    /// The jail is stopped.
    case stop
}

/// Methods of HTTP that a rule may allow. CONNECT and TRACE are no requests to a server's resources.
package enum HTTPMethod {
    package static let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    package static func check(_ text: String) throws(ValueError) {
        guard known.contains(text) else {
            throw ValueError(expected: "one of \(known.joined(separator: ", "))", found: text)
        }
    }

    /// RFC 9110, 9.3.1 and 9.3.2: a body has no meaning there, and servers differ about it.
    static func hasBody(_ method: String) -> Bool { method != "GET" && method != "HEAD" }
}
