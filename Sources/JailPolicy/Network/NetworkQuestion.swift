/// How bytes are spoken on a connection, as the policy knows it.
package enum NetworkScheme: String, CaseIterable, Sendable {
    case http, https
    /// Anything else: the name and the port are all that is judged.
    case tcp
}

/// May this be done? A field that is nil is not known yet, and then the answer is whether any value of it could be
/// allowed: so the same function answers for a DNS query, a new connection, a CONNECT, and a whole request.
package struct NetworkQuestion: Equatable, Sendable {
    package var host: Host
    package var port: UInt16?
    package var scheme: NetworkScheme?
    package var method: String?
    /// Methods that headers such as X-HTTP-Method-Override name: they must be allowed as well.
    package var overrides: [String] = []
    package var path: CanonicalPath?
    package var isWebSocket = false
    /// Bytes of the request's body, if the head says so.
    package var bodySize: UInt64?
    /// The request has a body whose size its head does not say.
    package var hasBody = false

    package init(host: Host) { self.host = host }
}

package enum NetworkVerdict: Equatable, Sendable {
    case allow(NetworkGrant)
    case deny(NetworkDenial)
}

/// What a rule allows, for whoever carries it out.
package struct NetworkGrant: Equatable, Sendable {
    /// Such as `network.allow[3]`.
    package var rule: String
    /// How a connection to this host and port is handled.
    package enum Handling: Equatable, Sendable {
        /// HTTP is parsed and judged; TLS is terminated.
        case inspect
        /// TLS goes through as it is: only the name in its ClientHello is judged.
        case passThrough
        /// Bytes go through as they are.
        case tcp
    }
    package var handling: Handling
    /// Bytes that the request's body may have.
    package var requestSize: UInt64

    package init(rule: String, handling: Handling, requestSize: UInt64) {
        self.rule = rule
        self.handling = handling
        self.requestSize = requestSize
    }
}

package struct NetworkDenial: Equatable, Sendable {
    /// What was refused and why, one line for people: `POST is not among the methods of network.allow[0] (GET, HEAD)`.
    package var reason: String
    /// The deny rule that decided, such as `network.deny[0]`; nil: nothing allows it.
    package var rule: String?
    /// The smallest rule that would allow it, as JSON5 to be put into a profile; nil: no rule can.
    package var remedy: String?

    package init(reason: String, rule: String? = nil, remedy: String? = nil) {
        self.reason = reason
        self.rule = rule
        self.remedy = remedy
    }
}
