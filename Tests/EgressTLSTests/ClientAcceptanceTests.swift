import JailCore
import JailPolicy
import NIOSSL
import TestSupport
import Testing

@testable import EgressTLS

/// What the programs of a jail make of its CA.
@Suite(.serialized) struct ClientAcceptanceTests {
    private let name = "api.example.com"

    private func fetch(
        _ client: Client, host: Host, named name: String, serving authority: CertificateAuthority,
        trusting trusted: CertificateAuthority
    ) throws -> (trusted: Bool, output: String) {
        let directory = try TemporaryDirectory()
        let contexts = try ServerContexts(authority: authority)
        let server = try LoopbackServer(contexts.context(for: host, alpn: ["http/1.1"]))
        let store = JavaTrustStore.bytes(certificates: [trusted.certificateDER])
        let javaStore = try directory.file("trust.jks")
        let file = try System.open(javaStore, [.writeOnly])
        try System.writeAll(file.borrowed, store)
        return try client.fetch(
            Client.Target(
                name: name, isAddress: host == loopback, port: server.port,
                bundle: try directory.file("bundle.pem", trusted.certificatePEM), javaStore: javaStore,
                directory: directory))
    }

    /// wget has no way to be told an address.
    private static let clientsOfNames = Client.allCases.filter { $0 != .wget }

    @Test(arguments: clientsOfNames) func `a name's certificate is accepted`(client: Client) throws {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let authority = try CertificateAuthority.create(for: "test")
        let result = try fetch(client, host: host(name), named: name, serving: authority, trusting: authority)
        #expect(result.trusted, "\(result.output)")
    }

    @Test(arguments: Client.allCases) func `an address's certificate is accepted`(client: Client) throws {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let authority = try CertificateAuthority.create(for: "test")
        let result = try fetch(client, host: loopback, named: "127.0.0.1", serving: authority, trusting: authority)
        #expect(result.trusted, "\(result.output)")
    }

    @Test(arguments: clientsOfNames) func `a CA limited to names is accepted`(client: Client) throws {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let limits = NameLimits(names: try [hostName("example.com")])
        let authority = try CertificateAuthority.create(for: "test", constraints: limits)
        let result = try fetch(client, host: host(name), named: name, serving: authority, trusting: authority)
        #expect(result.trusted, "\(result.output)")
    }

    /// Java does not look at the constraints of a certificate that is trusted itself.
    private static let clientsThatKnowLimits = Client.allCases.filter { $0 != .java }

    @Test(arguments: clientsThatKnowLimits.filter { $0 != .wget }) func `a name outside the limits is not accepted`(
        client: Client
    ) throws {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let limits = NameLimits(names: try [hostName("example.org")])
        let authority = try CertificateAuthority.create(for: "test", constraints: limits)
        let result = try fetch(client, host: host(name), named: name, serving: authority, trusting: authority)
        #expect(!result.trusted, "\(result.output)")
    }

    @Test(arguments: clientsThatKnowLimits) func `an address outside the limits is not accepted`(client: Client) throws
    {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let limits = NameLimits(names: try [hostName("example.com")])
        let authority = try CertificateAuthority.create(for: "test", constraints: limits)
        let result = try fetch(client, host: loopback, named: "127.0.0.1", serving: authority, trusting: authority)
        #expect(!result.trusted, "\(result.output)")
    }

    @Test(arguments: Client.allCases) func `another jail's CA is not accepted`(client: Client) throws {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let result = try fetch(
            client, host: loopback, named: "127.0.0.1", serving: CertificateAuthority.create(for: "test"),
            trusting: CertificateAuthority.create(for: "test"))
        #expect(!result.trusted, "\(result.output)")
    }
}
