import Crypto
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

@testable import EgressTLS

/// A certificate of an origin, every part of which can be wrong.
struct OriginCertificate {
    var names: [GeneralName]? = [.dnsName("api.example.com")]
    var commonName = "api.example.com"
    var notBefore = Date.now.addingTimeInterval(-86_400)
    var notAfter = Date.now.addingTimeInterval(86_400)
    var usage = ExtendedKeyUsage.Usage.serverAuth

    /// A CA that signs origins.
    struct Issuer {
        var name: String
        let key = P256.Signing.PrivateKey()

        /// - Parameter parent: nil makes it a root.
        func certificate(signedBy parent: Issuer? = nil) throws -> Certificate {
            try Certificate(
                version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
                notValidBefore: .now.addingTimeInterval(-86_400 * 9),
                notValidAfter: .now.addingTimeInterval(86_400 * 9),
                issuer: DistinguishedName { CommonName(parent?.name ?? name) },
                subject: DistinguishedName { CommonName(name) },
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    Critical(KeyUsage(keyCertSign: true))
                },
                issuerPrivateKey: .init(parent?.key ?? key))
        }

        func trust() throws -> TrustRoots {
            try TrustRoots(pem: Array(PEMDocument(type: "CERTIFICATE", derBytes: certificate().der).pemString.utf8))
        }
    }

    /// - Parameters:
    ///   - issuer: nil makes it self-signed.
    ///   - between: what is sent besides it.
    func serverContext(signedBy issuer: Issuer?, between: [Certificate] = [], version: TLSVersion? = nil) throws
        -> NIOSSLContext
    {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(commonName) }
        let issuerName = try issuer.map { issuer in try DistinguishedName { CommonName(issuer.name) } }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: notBefore,
            notValidAfter: notAfter, issuer: issuerName ?? subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                try ExtendedKeyUsage([usage])
                if let names { SubjectAlternativeNames(names) }
            },
            issuerPrivateKey: .init(issuer?.key ?? key))
        let chain = try ([certificate] + between).map { try NIOSSLCertificate(bytes: $0.der, format: .der) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)))
        configuration.minimumTLSVersion = version ?? .tlsv12
        configuration.maximumTLSVersion = version
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}

extension Certificate {
    var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(self)
            return serializer.serializedBytes
        }
    }
}
