internal import SwiftASN1

/// A file of CA certificates in PEM (RFC 7468), such as `/etc/ssl/certs/ca-certificates.crt`.
package struct TrustBundle: Sendable {
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case notPEM(String)
        case noCertificate

        package var description: String {
            switch self {
            case .notPEM(let reason): "the trust store is not PEM: \(reason)"
            case .noCertificate: "the trust store has no certificate"
            }
        }
    }

    static let certificateLabel = "CERTIFICATE"

    /// DER, in the file's order.
    package let certificates: [[UInt8]]

    /// Only the blocks with the label CERTIFICATE count; text around them, which many bundles have, is left out.
    package init(pem: [UInt8]) throws(Failure) {
        let documents: [PEMDocument]
        do { documents = try PEMDocument.parseMultiple(pemString: String(decoding: pem, as: UTF8.self)) } catch {
            throw .notPEM("\(error)")
        }
        certificates = documents.filter { $0.discriminator == Self.certificateLabel }.map(\.derBytes)
        guard !certificates.isEmpty else { throw .noCertificate }
    }

    /// The bundle of a jail: these certificates and the one of its CA, with nothing in between.
    package func combined(with authority: CertificateAuthority) -> [UInt8] {
        let blocks = certificates.map { PEMDocument(type: Self.certificateLabel, derBytes: $0).pemString }
        return Array((blocks.joined(separator: "\n") + "\n" + authority.certificatePEM).utf8)
    }
}
