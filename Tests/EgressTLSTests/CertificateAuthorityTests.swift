import Crypto
import FoundationEssentials
import JailPolicy
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import EgressTLS

struct CertificateAuthorityTests {
    private let authority: CertificateAuthority

    init() throws { authority = try CertificateAuthority.create(for: "research") }

    @Test func `the CA says what it is and may only sign leaf certificates`() throws {
        let certificate = try Certificate(derEncoded: authority.certificateDER)
        #expect("\(certificate.subject)" == "CN=clawjail CA of research")
        #expect(try certificate.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
        #expect(try certificate.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
        #expect(certificate.extensions[oid: .X509ExtensionID.basicConstraints]?.critical == true)
        #expect(certificate.extensions[oid: .X509ExtensionID.keyUsage]?.critical == true)
        #expect(try certificate.extensions.subjectKeyIdentifier != nil)
        #expect(certificate.notValidBefore < .now)
    }

    @Test func `no two authorities have a key or number in common`() throws {
        let other = try CertificateAuthority.create(for: "research")
        #expect(authority.certificate.serialNumber != other.certificate.serialNumber)
        #expect(authority.certificate.publicKey != other.certificate.publicKey)
        #expect(authority.leafKey.rawRepresentation != other.leafKey.rawRepresentation)
    }

    @Test func `a long or strange jail name still makes a name`() throws {
        let certificate = try CertificateAuthority.create(for: "a\n\u{1B}" + String(repeating: "b", count: 200))
            .certificate
        #expect("\(certificate.subject)" == "CN=clawjail CA of a" + String(repeating: "b", count: 48))
    }

    @Test func `a leaf certificate has the host as its only name`() throws {
        let leaf = try Certificate(derEncoded: authority.leaf(for: host("api.example.com")).certificateDER)
        #expect(leaf.subject.isEmpty)
        #expect(try leaf.extensions.subjectAlternativeNames.map(Array.init) == [.dnsName("api.example.com")])
        #expect(leaf.extensions[oid: .X509ExtensionID.subjectAlternativeName]?.critical == true)
        #expect(try leaf.extensions.extendedKeyUsage.map(Array.init) == [.serverAuth])
        #expect(try leaf.extensions.authorityKeyIdentifier?.keyIdentifier == authority.keyIdentifier)
        #expect(try leaf.extensions.basicConstraints == .notCertificateAuthority)
    }

    @Test func `addresses of both families are written as octets`() throws {
        let four = try Certificate(derEncoded: authority.leaf(for: .address(.v4(0xC000_0201))).certificateDER)
        let octets: [UInt8] = [192, 0, 2, 1]
        #expect(
            try four.extensions.subjectAlternativeNames.map(Array.init)
                == [.ipAddress(ASN1OctetString(contentBytes: octets[...]))])
        #expect(
            IPAddress.v6(high: 0x2001_0DB8_0000_0001, low: 0x0102_0304_0506_0708).certificateOctets
                == [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func `a leaf certificate lives within its issuer's life and within what clients accept`() throws {
        let start = authority.certificate.notValidBefore
        let first = try Certificate(derEncoded: authority.leaf(for: host("a.example"), now: start).certificateDER)
        #expect(first.notValidBefore == start)
        #expect(first.notValidAfter.timeIntervalSince(start) < 90 * 86_400)
        let end = authority.certificate.notValidAfter
        let last = try authority.leaf(for: host("a.example"), now: end.addingTimeInterval(-60))
        #expect(last.notAfter == end)
    }

    @Test func `a restored authority is the same one`() throws {
        let restored = try CertificateAuthority(state: authority.stateBytes)
        #expect(restored.certificatePEM == authority.certificatePEM)
        #expect(restored.stateBytes == authority.stateBytes)
        #expect(restored.keyIdentifier == authority.keyIdentifier)
        let leaf = try Certificate(derEncoded: restored.leaf(for: host("a.example")).certificateDER)
        #expect(authority.certificate.publicKey.isValidSignature(leaf.signature, for: leaf))
    }

    @Test func `state that is cut, changed or another's is refused`() throws {
        let state = authority.stateBytes
        for count in state.indices {
            #expect(throws: CertificateAuthority.Failure.unreadableState) {
                try CertificateAuthority(state: Array(state.prefix(count)))
            }
        }
        let other = try CertificateAuthority.create(for: "other").stateBytes
        #expect(throws: CertificateAuthority.Failure.unreadableState) {
            try CertificateAuthority(state: Array(state.prefix(78)) + other.dropFirst(78))
        }
        #expect(throws: CertificateAuthority.Failure.unreadableState) {
            try CertificateAuthority(state: [0] + state.dropFirst())
        }
    }

    @Test(.needs("openssl")) func `openssl verifies a leaf certificate by the strict rules`() throws {
        let directory = try TemporaryDirectory()
        let ca = try directory.file("ca.pem", authority.certificatePEM)
        let der = try authority.leaf(for: host("api.example.com")).certificateDER
        let leaf = try directory.file("leaf.pem", PEMDocument(type: "CERTIFICATE", derBytes: der).pemString)
        let openssl = try #require(Program.path(of: "openssl"))
        let result = try Program.run(
            openssl,
            [
                "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "api.example.com", "-CAfile", ca,
                leaf,
            ])
        #expect(result.status == 0, "\(result.output)")
        let other = try Program.run(
            openssl, ["verify", "-x509_strict", "-verify_hostname", "b.example.com", "-CAfile", ca, leaf])
        #expect(other.status != 0, "\(other.output)")
    }
}
