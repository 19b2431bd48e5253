internal import Crypto

/// A trust store in the form that every Java reads: JKS, version 2 (as the JDK's `JavaKeyStore` writes it).
package enum JavaTrustStore {
    /// Java's own default. It protects nothing: what is in the file is public.
    package static let password = "changeit"

    /// - Parameter certificates: DER. The aliases are their numbers.
    package static func bytes(certificates: [[UInt8]]) -> [UInt8] {
        var store: [UInt8] = []
        store += big(0xFEED_FEED) + big(2) + big(UInt32(certificates.count))
        for (number, certificate) in certificates.enumerated() {
            // trustedCertEntry, alias, creation date (the epoch, so that equal stores are equal files), type, certificate.
            store += big(2) + text("clawjail-\(number)") + [UInt8](repeating: 0, count: 8) + text("X.509")
            store += big(UInt32(certificate.count)) + certificate
        }
        return store + digest(of: store)
    }

    /// The password in UTF-16, a fixed phrase, and the store.
    private static func digest(of store: [UInt8]) -> [UInt8] {
        var hash = Insecure.SHA1()
        hash.update(data: password.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
        hash.update(data: Array("Mighty Aphrodite".utf8))
        hash.update(data: store)
        return Array(hash.finalize())
    }

    /// Modified UTF-8 with its length; ASCII is the same in it.
    private static func text(_ text: String) -> [UInt8] {
        [UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 0xFF)] + Array(text.utf8)
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }
}
