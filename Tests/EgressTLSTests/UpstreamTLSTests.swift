import FoundationEssentials
import JailPolicy
import NIOCore
import NIOSSL
import SwiftASN1
import Testing
import X509

@testable import EgressTLS

struct UpstreamTLSTests {
    private let issuer = OriginCertificate.Issuer(name: "Known Root")
    private let octets = ASN1OctetString(contentBytes: [127, 0, 0, 1])

    private func outcome(
        _ certificate: OriginCertificate, for host: Host, signedBy signer: OriginCertificate.Issuer?,
        version: TLSVersion? = nil, alpn: [String] = ["http/1.1"]
    ) throws -> UpstreamOutcome {
        let server = try LoopbackServer(certificate.serverContext(signedBy: signer, version: version))
        return try dial(host, port: server.port, trusting: issuer.trust(), alpn: alpn)
    }

    private func refusal(
        _ certificate: OriginCertificate, for host: Host, signedBy signer: OriginCertificate.Issuer?,
        version: TLSVersion? = nil
    ) throws -> UpstreamTLSError {
        let outcome = try outcome(certificate, for: host, signedBy: signer, version: version)
        #expect(outcome.text == "")
        guard case .failure(let error) = outcome.handshake else {
            Issue.record("accepted")
            return UpstreamTLSError(host: host, reason: .selfSigned)
        }
        return try #require(error as? UpstreamTLSError, "\(error)")
    }

    @Test(arguments: [TLSVersion.tlsv12, .tlsv13]) func `a good certificate is accepted`(version: TLSVersion) throws {
        for (name, names) in [
            ("api.example.com", [GeneralName.dnsName("api.example.com")]),
            ("api.example.com", [.dnsName("other.example"), .dnsName("*.example.com")]),
            ("api.example.com", [.dnsName("API.Example.Com")]),
        ] {
            let outcome = try outcome(
                OriginCertificate(names: names), for: host(name), signedBy: issuer, version: version)
            #expect(try outcome.handshake.get() == "http/1.1")
            #expect(outcome.text.hasSuffix(ShortPage.text))
        }
    }

    @Test func `an address with its own certificate is accepted`() throws {
        let outcome = try outcome(OriginCertificate(names: [.ipAddress(octets)]), for: loopback, signedBy: issuer)
        #expect(outcome.text.hasSuffix(ShortPage.text))
    }

    @Test func `protocols are negotiated`() throws {
        let origin = OriginCertificate()
        #expect(
            try outcome(origin, for: host("api.example.com"), signedBy: issuer, alpn: ["h2"]).handshake.get() == "h2")
        #expect(try outcome(origin, for: host("api.example.com"), signedBy: issuer, alpn: []).handshake.get() == nil)
    }

    @Test func `an expired certificate is named with its date`() throws {
        let date = Date(timeIntervalSince1970: 1_700_000_000)
        let expired = OriginCertificate(notBefore: date.addingTimeInterval(-86_400), notAfter: date)
        let error = try refusal(expired, for: host("api.example.com"), signedBy: issuer)
        #expect(error.reason == .expired(date))
        #expect(error.description == "the certificate of api.example.com expired on 2023-11-14")
    }

    @Test func `a certificate of the future is named with its date`() throws {
        let date = Date(timeIntervalSince1970: 4_000_000_000)
        let future = OriginCertificate(notBefore: date, notAfter: date.addingTimeInterval(86_400))
        let error = try refusal(future, for: host("api.example.com"), signedBy: issuer)
        #expect(error.reason == .notYetValid(date))
        #expect(error.description == "the certificate of api.example.com is not valid before 2096-10-02")
    }

    @Test(arguments: [
        ["other.example"], ["*.api.example.com"], ["*.com"], ["*"], ["a*.example.com"], ["*.*.com"],
        ["*.example.com.evil"],
        ["api.example.com.evil"], ["example.com"], ["api.example.com\0.evil"],
    ]) func `a certificate for other names is refused, and says which`(names: [String]) throws {
        let other = OriginCertificate(names: names.map { .dnsName($0) })
        let error = try refusal(other, for: host("api.example.com"), signedBy: issuer)
        #expect(error.reason == .wrongName(names.map(PeerName.printable)))
    }

    @Test func `an asterisk stands for no name under a top-level domain`() throws {
        let wide = OriginCertificate(names: [.dnsName("*.com")])
        #expect(try refusal(wide, for: host("example.com"), signedBy: issuer).reason == .wrongName(["*.com"]))
    }

    @Test func `a common name is no name`() throws {
        let error = try refusal(OriginCertificate(names: nil), for: host("api.example.com"), signedBy: issuer)
        #expect(error.reason == .wrongName([]))
        #expect(error.description == "the certificate is not for api.example.com, but for no name at all")
    }

    @Test func `a certificate for the address that was dialled is not one for the name`() throws {
        let address = OriginCertificate(names: [.ipAddress(octets)])
        let error = try refusal(address, for: host("api.example.com"), signedBy: issuer)
        #expect(error.reason == .wrongName(["127.0.0.1"]))
    }

    @Test func `a certificate for a name is not one for an address`() throws {
        let text = OriginCertificate(names: [.dnsName("127.0.0.1"), .dnsName("api.example.com")])
        #expect(
            try refusal(text, for: loopback, signedBy: issuer).reason == .wrongName(["127.0.0.1", "api.example.com"]))
        let other = OriginCertificate(names: [.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 2]))])
        #expect(try refusal(other, for: loopback, signedBy: issuer).reason == .wrongName(["127.0.0.2"]))
    }

    @Test func `a self-signed certificate is called that`() throws {
        let error = try refusal(OriginCertificate(), for: host("api.example.com"), signedBy: nil)
        #expect(error.description == "the certificate of api.example.com is self-signed")
    }

    @Test func `an unknown issuer is named`() throws {
        let stranger = OriginCertificate.Issuer(name: "Stranger\u{1B}[31m")
        let error = try refusal(OriginCertificate(), for: host("api.example.com"), signedBy: stranger)
        #expect(error.reason == .unknownIssuer("CN=Stranger?[31m"))
    }

    @Test func `a chain is followed, and a gap in it is named`() throws {
        let between = OriginCertificate.Issuer(name: "Between")
        let origin = OriginCertificate()
        let certificate = try between.certificate(signedBy: issuer)
        let whole = try LoopbackServer(origin.serverContext(signedBy: between, between: [certificate]))
        let outcome = try dial(host("api.example.com"), port: whole.port, trusting: issuer.trust())
        #expect(outcome.text.hasSuffix(ShortPage.text))
        let error = try refusal(origin, for: host("api.example.com"), signedBy: between)
        #expect(error.reason == .unknownIssuer("CN=Between"))
    }

    @Test func `who takes the name of a known issuer is not trusted`() throws {
        let impostor = OriginCertificate.Issuer(name: "Known Root")
        let error = try refusal(OriginCertificate(), for: host("api.example.com"), signedBy: impostor)
        guard case .untrusted = error.reason else { throw error }
    }

    @Test func `a certificate for clients is not trusted`() throws {
        let client = OriginCertificate(usage: .clientAuth)
        let error = try refusal(client, for: host("api.example.com"), signedBy: issuer)
        guard case .untrusted = error.reason else { throw error }
    }

    @Test func `an origin of TLS 1.1 is refused`() throws {
        let error = try refusal(
            OriginCertificate(), for: host("api.example.com"), signedBy: issuer, version: .tlsv11)
        guard case .handshake = error.reason else { throw error }
    }
}
