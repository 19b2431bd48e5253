internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// Says what is wrong with a certificate that was refused already. Decides nothing.
struct KnownIssuers {
    private let subjects: Set<DistinguishedName>

    init(certificates: [[UInt8]]) {
        // One that cannot be read here is merely not recognised.
        subjects = Set(certificates.compactMap { try? Certificate(derEncoded: $0).subject })
    }

    /// - Parameter der: the origin's own certificate; what it sent besides is not to be had.
    func explain(_ der: [UInt8], now: Date = .now) -> UpstreamTLSError.Reason {
        guard let certificate = try? Certificate(derEncoded: der) else {
            return .untrusted("its encoding is not that of RFC 5280")
        }
        if now > certificate.notValidAfter { return .expired(certificate.notValidAfter) }
        if now < certificate.notValidBefore { return .notYetValid(certificate.notValidBefore) }
        if certificate.issuer == certificate.subject { return .selfSigned }
        let issuer = PeerName.printable("\(certificate.issuer)")
        if !subjects.contains(certificate.issuer) { return .unknownIssuer(issuer) }
        return .untrusted("'\(issuer)' did not sign it, or it is not for servers, or too weak")
    }
}
