internal import Crypto
internal import SwiftASN1
internal import X509

/// So that a restarted gateway goes on with the CA that the jail's programs have read already.
extension CertificateAuthority {
    private static let magic = Array("clawjail-ca-1\n".utf8)
    private static let keyLength = 32

    /// The keys in the clear: for a sealed memfd of the supervisor, and nobody else.
    package var stateBytes: [UInt8] {
        Self.magic + privateKey.rawRepresentation + leafKey.rawRepresentation + certificateDER
    }

    /// - Throws: `Failure.unreadableState`, also when the certificate is not that of the key.
    package init(state: [UInt8]) throws {
        let keys = state.dropFirst(Self.magic.count)
        guard state.starts(with: Self.magic), keys.count > 2 * Self.keyLength else { throw Failure.unreadableState }
        do {
            let key = try P256.Signing.PrivateKey(rawRepresentation: keys.prefix(Self.keyLength))
            let leafKey = try P256.Signing.PrivateKey(
                rawRepresentation: keys.dropFirst(Self.keyLength).prefix(Self.keyLength))
            let certificate = try Certificate(derEncoded: Array(keys.dropFirst(2 * Self.keyLength)))
            guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else { throw Failure.unreadableState }
            try self.init(certificate: certificate, privateKey: key, leafKey: leafKey)
        } catch {
            throw Failure.unreadableState
        }
    }
}
