internal import NIOSSL

/// The certificates that origins are verified against, read once. Nothing of it changes, and nothing is kept in it of what
/// was verified: jails whose supervisors gave the same bytes may share it.
package final class TrustRoots: Sendable {
    /// As given.
    package let pem: [UInt8]
    let bundle: TrustBundle
    let roots: [NIOSSLCertificate]

    /// How many certificates of the bundle nobody can read, and so nobody trusts; worth a warning.
    package var unreadable: Int { bundle.certificates.count - roots.count }

    /// - Throws: `TrustBundle.Failure`, also if none of the certificates can be read.
    package init(pem: [UInt8]) throws(TrustBundle.Failure) {
        self.pem = pem
        bundle = try TrustBundle(pem: pem)
        roots = bundle.certificates.compactMap { try? NIOSSLCertificate(bytes: $0, format: .der) }
        guard !roots.isEmpty else { throw .noCertificate }
    }
}
