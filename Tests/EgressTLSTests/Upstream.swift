import FoundationEssentials
import JailPolicy
import NIOCore
import NIOPosix
import NIOTLS

@testable import EgressTLS

/// What a connection to an origin came to.
struct UpstreamOutcome: Sendable {
    var handshake: Result<String?, any Error>
    /// What came through after that, until the origin closed.
    var text = ""
}

/// Dials 127.0.0.1 as the gateway dials origins, sends a request after the handshake, and reads to the end.
func dial(_ host: Host, port: Int, trusting trust: TrustRoots, alpn: [String] = ["http/1.1"]) throws -> UpstreamOutcome
{
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let promise = loop.makePromise(of: UpstreamOutcome.self)
    let channel = try ClientBootstrap(group: loop)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handlers = try UpstreamTLS(trust: trust).handlers(for: host, alpn: alpn)
                try channel.pipeline.syncOperations.addHandlers(handlers + [OutcomeHandler(promise)])
            }
        }
        .connect(host: "127.0.0.1", port: port).wait()
    defer { channel.close(promise: nil) }
    return try promise.futureResult.wait()
}

private final class OutcomeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let promise: EventLoopPromise<UpstreamOutcome>
    private var outcome: UpstreamOutcome?
    private var errors = 0

    init(_ promise: EventLoopPromise<UpstreamOutcome>) { self.promise = promise }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated) = event as? TLSUserEvent else { return }
        outcome = UpstreamOutcome(handshake: .success(negotiated))
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if outcome == nil { outcome = UpstreamOutcome(handshake: .failure(TooEarly())) }
        outcome?.text += String(buffer: unwrapInboundIn(data))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        errors += 1
        if outcome == nil || errors > 1 {
            outcome = UpstreamOutcome(handshake: .failure(errors > 1 ? TooEarly() : error))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.succeed(outcome ?? UpstreamOutcome(handshake: .failure(TooEarly())))
    }
}

/// Something came before the handshake's end, or twice, or not at all.
struct TooEarly: Error {}
