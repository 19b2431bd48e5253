internal import Crypto
package import FoundationEssentials
internal import JailPolicy
internal import SwiftASN1
internal import X509

/// The certificate authority of one jail: what the programs in it trust, so that their TLS can be read. P-256, made when the
/// jail starts, and never on a disk.
package struct CertificateAuthority: Sendable {
    package enum Failure: Error, Equatable, Sendable {
        /// The bytes are not what `stateBytes` was.
        case unreadableState
    }

    let certificate: Certificate
    let privateKey: P256.Signing.PrivateKey
    /// One for all leaf certificates: whoever has one of them is this very process.
    let leafKey: P256.Signing.PrivateKey
    /// RFC 5280, 4.2.1.2.
    let keyIdentifier: ArraySlice<UInt8>

    /// What a jail's programs read: the certificate in DER.
    package let certificateDER: [UInt8]

    /// - Parameters:
    ///   - jail: goes into the name that people see in a client's error.
    ///   - constraints: the name constraints, if the CA shall have any.
    package static func create(
        for jail: String, constraints: NameLimits? = nil, now: Date = .now
    ) throws -> CertificateAuthority {
        let key = P256.Signing.PrivateKey()
        let identifier = SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
        let name = try DistinguishedName { CommonName(Self.name(for: jail)) }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: now.addingTimeInterval(-CertificateLife.tolerance),
            notValidAfter: now.addingTimeInterval(CertificateLife.authority), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                // pathlen 0: it signs leaf certificates, never another CA.
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                identifier
                if let constraints { Critical(constraints.nameConstraints) }
            },
            issuerPrivateKey: Certificate.PrivateKey(key))
        return try CertificateAuthority(
            certificate: certificate, privateKey: key, leafKey: P256.Signing.PrivateKey())
    }

    init(
        certificate: Certificate, privateKey: P256.Signing.PrivateKey, leafKey: P256.Signing.PrivateKey
    ) throws {
        self.certificate = certificate
        self.privateKey = privateKey
        self.leafKey = leafKey
        keyIdentifier = SubjectKeyIdentifier(hash: Certificate.PublicKey(privateKey.publicKey)).keyIdentifier
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        certificateDER = serializer.serializedBytes
    }

    /// What goes into the jail's trust bundle.
    package var certificatePEM: String {
        PEMDocument(type: TrustBundle.certificateLabel, derBytes: certificateDER).pemString + "\n"
    }

    /// A common name has at most 64 characters (RFC 5280, ub-common-name).
    private static func name(for jail: String) -> String {
        String(
            "clawjail CA of \(jail)".unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(64).map(
                Character.init))
    }
}

/// How long certificates are valid, in seconds.
enum CertificateLife {
    /// A clock in the jail that is a little slow shall not see a certificate of the future.
    static let tolerance: Double = 3_600
    /// Longer than any jail runs; a CA has no upper limit that clients check.
    static let authority: Double = 10 * 365 * 86_400
    /// Clients refuse leaf certificates of more than 397 days (CA/Browser Forum, 6.3.2), some of more than 90.
    static let leaf: Double = 30 * 86_400
    /// A leaf certificate with less than this is made anew.
    static let renewal: Double = 7 * 86_400
}
