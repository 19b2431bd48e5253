import JailCore
import JailPolicy
import SwiftASN1
import TestSupport
import Testing

@testable import EgressTLS

struct TrustFileTests {
    private let authority: CertificateAuthority
    private let other: CertificateAuthority

    init() throws {
        authority = try CertificateAuthority.create(for: "one")
        other = try CertificateAuthority.create(for: "two")
    }

    @Test func `only certificates of a bundle are kept`() throws {
        let key = PEMDocument(type: "PRIVATE KEY", derBytes: [0x30, 0]).pemString
        let text = "# a comment\n\(authority.certificatePEM)Some Root\n====\n\(key)\n\(other.certificatePEM)\n"
        let bundle = try TrustBundle(pem: Array(text.utf8))
        #expect(bundle.certificates == [authority.certificateDER, other.certificateDER])
        let combined = String(
            decoding: try TrustBundle(pem: Array(other.certificatePEM.utf8)).combined(with: authority), as: UTF8.self)
        #expect(combined == other.certificatePEM + authority.certificatePEM)
        #expect(!String(decoding: bundle.combined(with: authority), as: UTF8.self).contains("PRIVATE"))
    }

    @Test func `a bundle without a certificate is refused`() {
        #expect(throws: TrustBundle.Failure.noCertificate) { try TrustBundle(pem: []) }
        #expect(throws: TrustBundle.Failure.noCertificate) { try TrustBundle(pem: Array("nothing".utf8)) }
    }

    @Test func `a bundle that is cut is refused`() throws {
        let text = authority.certificatePEM + other.certificatePEM
        for count in (authority.certificatePEM.utf8.count + 30)..<(text.utf8.count - 30) {
            #expect(throws: TrustBundle.Failure.self, "\(count) bytes") {
                try TrustBundle(pem: Array(text.utf8.prefix(count)))
            }
        }
    }

    @Test func `the host's own bundle is read whole`() throws {
        let path = "/etc/ssl/certs/ca-certificates.crt"
        guard let pem = try? System.readFile(path) else { return print("NOT TESTED, for want of \(path)") }
        let bundle = try TrustBundle(pem: Array(pem))
        #expect(
            bundle.certificates.count == String(decoding: pem, as: UTF8.self).split(separator: "BEGIN CERT").count - 1)
        let combined = try TrustBundle(pem: bundle.combined(with: authority))
        #expect(combined.certificates == bundle.certificates + [authority.certificateDER])
        #expect(try TrustRoots(pem: pem).unreadable == 0)
    }

    @Test func `a certificate that nobody can read is counted, and nothing else left is refused`() throws {
        let odd = PEMDocument(type: "CERTIFICATE", derBytes: [0x30, 0]).pemString + "\n"
        #expect(try TrustRoots(pem: Array((odd + authority.certificatePEM).utf8)).unreadable == 1)
        #expect(throws: TrustBundle.Failure.noCertificate) { try TrustRoots(pem: Array(odd.utf8)) }
    }

    @Test func `line ends of other systems are read`() throws {
        let bytes = authority.certificatePEM.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        #expect(try TrustBundle(pem: bytes).certificates == [authority.certificateDER])
    }

    @Test(.needs("keytool")) func `keytool reads a trust store with all its certificates`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("trust.jks")
        let store = JavaTrustStore.bytes(certificates: [authority.certificateDER, other.certificateDER])
        let file = try System.open(path, [.writeOnly])
        try System.writeAll(file.borrowed, store)
        let keytool = try #require(Program.path(of: "keytool"))
        let arguments = ["-list", "-v", "-keystore", path, "-storepass", JavaTrustStore.password]
        let result = try Program.run(keytool, arguments)
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("Your keystore contains 2 entries"), "\(result.output)")
        #expect(result.output.contains("CN=clawjail CA of one") && result.output.contains("CN=clawjail CA of two"))
        // One changed byte is noticed: the digest is the right one.
        let changed = try System.open(path, [.writeOnly])
        try System.writeAll(changed.borrowed, store.prefix(100) + [store[100] ^ 1] + store.dropFirst(101))
        #expect(try Program.run(keytool, arguments).status != 0)
    }

    @Test func `equal stores are equal files`() {
        let certificates = [authority.certificateDER]
        #expect(JavaTrustStore.bytes(certificates: certificates) == JavaTrustStore.bytes(certificates: certificates))
    }
}
