package import FoundationEssentials
package import JailPolicy

/// Why TLS to an origin did not come about, for people.
package struct UpstreamTLSError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        case expired(Date)
        case notYetValid(Date)
        /// The names that the certificate has.
        case wrongName([String])
        case selfSigned
        /// The issuer's name; it is not in the trust store, or the origin left out a certificate in between.
        case unknownIssuer(String)
        /// The issuer is known, but the chain does not hold.
        case untrusted(String)
        /// No certificate was judged: the origin does not speak TLS, or no version or cipher in common, or hung up.
        case handshake(String)
    }

    package var host: Host
    package var reason: Reason

    package init(host: Host, reason: Reason) {
        self.host = host
        self.reason = reason
    }
}
