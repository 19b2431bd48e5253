import JailCore
import JailPolicy
import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import EgressTLS

/// Prints what things cost; asserts nothing about time. Debug builds are several times slower than what is shipped.
@Suite(.serialized) struct MeasurementTests {
    private let clock = ContinuousClock()

    private func residentKilobytes() throws -> Int {
        let status = String(decoding: try System.readFile("/proc/self/status"), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.split(separator: " ")[1].filter(\.isNumber)))
    }

    @Test func `cost of a leaf certificate with its context`() throws {
        let contexts = try ServerContexts(authority: .create(for: "test"))
        _ = try contexts.context(for: host("warm.example"), alpn: ["h2", "http/1.1"])
        let hosts = try (0..<1_000).map { try host("host-\($0).example.com") }
        let before = try residentKilobytes()
        let time = try clock.measure {
            for host in hosts { _ = try contexts.context(for: host, alpn: ["h2", "http/1.1"]) }
        }
        print(
            "1,000 leaf certificates with contexts: \(time / 1_000) and \((try residentKilobytes() - before)) KiB / 1,000 each"
        )
        #expect(contexts.count == 1_001)
    }

    @Test func `cost of the host's trust store`() throws {
        guard let pem = try? System.readFile("/etc/ssl/certs/ca-certificates.crt") else { return }
        let before = try residentKilobytes()
        var upstream: UpstreamTLS?
        let time = try clock.measure { upstream = try UpstreamTLS(trust: TrustRoots(pem: Array(pem))) }
        let parsed = try residentKilobytes()
        let lists = (0..<100).map { ["p\($0)"] }
        let contexts = try clock.measure {
            for list in lists { _ = try upstream?.handlers(for: loopback, alpn: list) }
        }
        print(
            "trust store: \(time), \(parsed - before) KiB; 100 contexts of it: \(contexts), \(try residentKilobytes() - parsed) KiB"
        )
    }

    @Test func `cost of a handshake`() throws {
        let authority = try CertificateAuthority.create(for: "test")
        let contexts = try ServerContexts(authority: authority)
        let name = try host("api.example.com")
        let upstream = try UpstreamTLS(trust: TrustRoots(pem: Array(authority.certificatePEM.utf8)))
        let count = 200
        let time = try clock.measure {
            for _ in 0..<count { try handshake(contexts.context(for: name, alpn: ["h2"]), upstream, name) }
        }
        print("handshake, both sides and verified: \(time / count)")
    }

    /// Both ends on one thread, without sockets.
    private func handshake(_ context: NIOSSLContext, _ upstream: UpstreamTLS, _ host: Host) throws {
        let server = EmbeddedChannel(handler: NIOSSLServerHandler(context: context))
        let client = EmbeddedChannel(handlers: try upstream.handlers(for: host, alpn: ["h2"]))
        defer {
            for channel in [client, server] {
                channel.close(promise: nil)
                // Nobody answers the farewell.
                channel.embeddedEventLoop.advanceTime(by: .seconds(60))
            }
        }
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 443)
        try server.connect(to: address).wait()
        try client.connect(to: address).wait()
        var moved = true
        while moved {
            moved = false
            while let bytes = try client.readOutbound(as: ByteBuffer.self) {
                try server.writeInbound(bytes)
                moved = true
            }
            while let bytes = try server.readOutbound(as: ByteBuffer.self) {
                try client.writeInbound(bytes)
                moved = true
            }
        }
        try client.writeOutbound(ByteBuffer(string: "after the handshake"))
        #expect(try client.readOutbound(as: ByteBuffer.self) != nil)
    }
}
