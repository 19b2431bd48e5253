package import JailPolicy
package import NIOCore
internal import NIOSSL

/// TLS towards origins, verified against a trust store. Belongs to one event loop.
package final class UpstreamTLS {
    private let trust: TrustRoots
    /// Reading every certificate once more takes milliseconds, and is for explanations only.
    private lazy var issuers = KnownIssuers(certificates: trust.bundle.certificates)
    /// The trust store is the same for all; what differs is the ALPN list, of which there are few. Building one takes as
    /// long as two handshakes.
    private var contexts = RecentlyUsed<[String], NIOSSLContext>(capacity: 8)

    /// - Parameter trust: the certificates that origins are verified against.
    package init(trust: TrustRoots) { self.trust = trust }

    /// The handlers for one connection, to be added in this order with `pipeline.syncOperations.addHandlers`.
    ///
    /// Nothing may be written before `TLSUserEvent.handshakeCompleted` (which names the protocol): it comes only when the
    /// origin has proved to be `host`. What goes wrong before that comes as an `UpstreamTLSError` through `errorCaught`,
    /// once, and the channel is closed.
    package func handlers(for host: Host, alpn: [String]) throws -> [any ChannelHandler] {
        let context = try context(alpn: alpn)
        let name: String? =
            switch host {
            case .name(let name): name.text
            // An address is no server_name (RFC 6066, 3); the certificate is compared with the peer's address.
            case .address: nil
            }
        let handler = try NIOSSLClientHandler(context: context, serverHostname: name)
        return [handler, UpstreamVerifier(host: host, handler: handler, issuers: { self.issuers })]
    }

    private func context(alpn: [String]) throws -> NIOSSLContext {
        if let context = contexts[alpn] { return context }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(trust.roots)
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.renegotiationSupport = .none
        configuration.applicationProtocols = alpn
        let context = try NIOSSLContext(configuration: configuration)
        contexts.insert(context, for: alpn)
        return context
    }
}
