package import JailPolicy
package import NIOCore
internal import NIOSSL

/// TLS towards origins, verified against a trust store. Belongs to one event loop.
package final class UpstreamTLS {
    private let roots: [NIOSSLCertificate]
    private let issuers: KnownIssuers
    /// The trust store is the same for all; what differs is the ALPN list, of which there are few.
    private var contexts: [[String]: NIOSSLContext] = [:]

    /// - Parameter trust: the certificates that origins are verified against.
    package init(trust: TrustBundle) throws {
        roots = try trust.certificates.map { try NIOSSLCertificate(bytes: $0, format: .der) }
        issuers = KnownIssuers(certificates: trust.certificates)
    }

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
        return [handler, UpstreamVerifier(host: host, handler: handler, issuers: issuers)]
    }

    private func context(alpn: [String]) throws -> NIOSSLContext {
        if let context = contexts[alpn] { return context }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(roots)
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.renegotiationSupport = .none
        configuration.applicationProtocols = alpn
        let context = try NIOSSLContext(configuration: configuration)
        contexts[alpn] = context
        return context
    }
}
