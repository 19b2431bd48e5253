import JailPolicy
import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS
import SwiftASN1
import Testing
import X509

@testable import EgressTLS

/// Origins that do not speak TLS, or stop.
struct UpstreamPeerTests {
    private let trust = OriginCertificate.Issuer(name: "Known Root")

    private func reason(_ server: LoopbackServer) throws -> UpstreamTLSError.Reason {
        let outcome = try dial(host("api.example.com"), port: server.port, trusting: trust.trust())
        guard case .failure(let error) = outcome.handshake else { throw TooEarly() }
        return try #require(error as? UpstreamTLSError, "\(error)").reason
    }

    @Test func `an origin that speaks something else is told apart from a bad certificate`() throws {
        let plain = try LoopbackServer { channel in try channel.pipeline.syncOperations.addHandler(ShortPage()) }
        guard case .handshake = try reason(plain) else {
            Issue.record("no handshake error")
            return
        }
    }

    @Test func `an origin that hangs up is told apart from a bad certificate`() throws {
        let closing = try LoopbackServer { channel in channel.close(promise: nil) }
        guard case .handshake = try reason(closing) else {
            Issue.record("no handshake error")
            return
        }
    }

    @Test func `nothing is read from an origin that is not verified`() throws {
        // NIOSSL lets this certificate pass, and the origin speaks first.
        let octets = ASN1OctetString(contentBytes: [127, 0, 0, 1])
        for (names, text) in [([GeneralName.ipAddress(octets)], ""), ([.dnsName("api.example.com")], "greeting")] {
            let context = try OriginCertificate(names: names).serverContext(signedBy: trust)
            let server = try LoopbackServer { channel in
                try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), Greeting()])
            }
            #expect(try dial(host("api.example.com"), port: server.port, trusting: trust.trust()).text == text)
        }
    }

    @Test func `what comes before the handshake ends is not passed on`() throws {
        let verifier = try UpstreamTLS(trust: trust.trust()).handlers(for: host("api.example.com"), alpn: [])[1]
        let channel = EmbeddedChannel(handlers: [verifier])
        try channel.writeInbound(ByteBuffer(string: "early"))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    }

    @Test func `nothing is written before the origin is verified`() throws {
        let handlers = try UpstreamTLS(trust: trust.trust()).handlers(for: host("api.example.com"), alpn: [])
        let channel = EmbeddedChannel(handlers: handlers)
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 443)).wait()
        #expect(try channel.readOutbound(as: ByteBuffer.self) != nil, "the ClientHello")
        var failure: (any Error)?
        channel.writeAndFlush(ByteBuffer(string: "secret")).assumeIsolated().whenFailure { failure = $0 }
        #expect(failure is UpstreamTLSError)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test func `the ClientHello names the host, and no address`() throws {
        for (host, name) in [(try host("api.example.com"), "api.example.com"), (loopback, nil)] {
            let handlers = try UpstreamTLS(trust: trust.trust()).handlers(for: host, alpn: ["h2", "http/1.1"])
            let channel = EmbeddedChannel(handlers: handlers)
            defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 443)).wait()
            var parser = ClientHelloParser()
            var progress = ClientHelloParser.Progress.needMore
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { progress = parser.feed(bytes) }
            guard case .hello(let hello) = progress else {
                Issue.record("\(progress)")
                return
            }
            #expect(hello.serverName?.text == name)
            #expect(hello.alpn == ["h2", "http/1.1"])
            #expect(Set(hello.supportedVersions.filter { $0 >> 8 == 3 }) == [0x0303, 0x0304])
        }
    }
}

/// Speaks first, and hangs up.
private final class Greeting: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "greeting")), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { context.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
