internal import Crypto
package import FoundationEssentials
package import JailPolicy
package import NIOSSL

/// TLS towards the jail: a context for every host and ALPN list, made when first asked for and kept while it is used.
/// Belongs to one event loop.
package final class ServerContexts {
    private struct Key: Hashable {
        var host: Host
        var alpn: [String]
    }

    private struct Entry {
        var context: NIOSSLContext
        var notAfter: Date
    }

    private let authority: CertificateAuthority
    private let leafKey: NIOSSLPrivateKey
    private let now: () -> Date
    private var entries: RecentlyUsed<Key, Entry>

    /// - Parameter capacity: the contexts that are kept; about 9 KiB each.
    package init(
        authority: CertificateAuthority, capacity: Int = 1_024, now: @escaping () -> Date = { .now }
    ) throws {
        self.authority = authority
        self.now = now
        leafKey = try NIOSSLPrivateKey(bytes: Array(authority.leafKey.derRepresentation), format: .der)
        entries = RecentlyUsed(capacity: capacity)
    }

    package var count: Int { entries.count }

    /// For `NIOSSLServerHandler`. TLS 1.2 and 1.3.
    ///
    /// - Parameter alpn: what is offered, best first; a client that offers none of these gets no ALPN.
    package func context(for host: Host, alpn: [String]) throws -> NIOSSLContext {
        let key = Key(host: host, alpn: alpn)
        let time = now()
        if let entry = entries[key], entry.notAfter.timeIntervalSince(time) > CertificateLife.renewal {
            return entry.context
        }
        let leaf = try authority.leaf(for: host, now: time)
        let certificate = try NIOSSLCertificate(bytes: leaf.certificateDER, format: .der)
        // The CA itself is not sent: whoever trusts it has it.
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)], privateKey: .privateKey(leafKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = alpn
        let context = try NIOSSLContext(configuration: configuration)
        entries.insert(Entry(context: context, notAfter: leaf.notAfter), for: key)
        return context
    }
}
