internal import Crypto
internal import FoundationEssentials
internal import JailCore

/// The key that signs the next checkpoint: Ed25519 (RFC 8032), made in memory and never written anywhere.
///
/// Each signs once. Its checkpoint names the public half of the one after it, and then it is gone: whoever takes over the
/// process afterwards can go on with the log, and cannot sign what was written before.
struct AuditKey: Sendable {
    /// Bytes of a signature.
    static let signatureSize = 64

    private let key: Curve25519.Signing.PrivateKey

    /// From the kernel's random numbers: a library's generator has a state, of which each cloned process has a copy.
    init() throws(SystemError) {
        var seed = try System.randomBytes(32)
        defer { for index in seed.indices { seed[index] = 0 } }
        do { key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed) } catch {
            throw SystemError(.check, .invalid)
        }
    }

    /// 64 hexadecimal digits.
    var publicText: String { Hexadecimal.text(key.publicKey.rawRepresentation) }

    /// - Throws: EINVAL of `check`, whatever the library has; a log that cannot be signed is not written on.
    func sign(_ content: [UInt8]) throws(SystemError) -> String {
        do { return Hexadecimal.text(try key.signature(for: Self.context + content)) } catch {
            throw SystemError(.check, .invalid)
        }
    }

    static func isValid(_ signature: [UInt8], of content: some Collection<UInt8>, by publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureSize,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature, for: context + content)
    }

    /// What else might ever be signed does not begin like this.
    private static let context = Array("clawjail audit 1\n".utf8)
}
