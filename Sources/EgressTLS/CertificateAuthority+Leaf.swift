internal import Crypto
package import FoundationEssentials
package import JailPolicy
internal import SwiftASN1
internal import X509

extension CertificateAuthority {
    /// A certificate for one host.
    package struct Leaf: Sendable {
        package let certificateDER: [UInt8]
        package let notAfter: Date
    }

    /// Its only name is the SAN: an empty subject, and so a critical SAN (RFC 5280, 4.2.1.6).
    package func leaf(for host: Host, now: Date = .now) throws -> Leaf {
        let name: GeneralName =
            switch host {
            case .name(let name): .dnsName(name.text)
            case .address(let address): .ipAddress(ASN1OctetString(contentBytes: address.certificateOctets[...]))
            }
        // A restarted gateway has an older CA; neither end of a leaf certificate's life is outside its issuer's.
        let notBefore = max(now.addingTimeInterval(-CertificateLife.tolerance), certificate.notValidBefore)
        let notAfter = min(now.addingTimeInterval(CertificateLife.leaf), certificate.notValidAfter)
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(leafKey.publicKey), notValidBefore: notBefore, notValidAfter: notAfter,
            issuer: certificate.subject, subject: DistinguishedName(), signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                Critical(SubjectAlternativeNames([name]))
                AuthorityKeyIdentifier(keyIdentifier: keyIdentifier)
            },
            issuerPrivateKey: Certificate.PrivateKey(privateKey))
        var serializer = DER.Serializer()
        try serializer.serialize(leaf)
        return Leaf(certificateDER: serializer.serializedBytes, notAfter: notAfter)
    }
}
