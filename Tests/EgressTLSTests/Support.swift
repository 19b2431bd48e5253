import FoundationEssentials
import JailCore
import JailPolicy
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import EgressTLS

func hostName(_ name: String) throws -> HostName { try #require(HostName(wire: name.utf8)) }

func host(_ name: String) throws -> Host { .name(try hostName(name)) }

let loopback = Host.address(.v4(0x7F00_0001))

/// The number of random inputs: CLAWJAIL_FUZZ_RUNS, or 20,000.
let fuzzRuns = System.environmentValue("CLAWJAIL_FUZZ_RUNS").flatMap(Int.init) ?? 20_000

/// A server on a loopback port of its own, gone with the value.
final class LoopbackServer: Sendable {
    let port: Int
    private let channel: any Channel

    /// - Parameter initialize: adds what a connection needs.
    init(_ initialize: @escaping @Sendable (any Channel) throws -> Void) throws {
        channel = try ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try initialize(channel) } }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = try #require(channel.localAddress?.port)
    }

    /// Speaks TLS and answers whatever comes first with a short page.
    convenience init(_ context: NIOSSLContext) throws {
        try self.init { channel in
            try channel.pipeline.syncOperations.addHandlers([
                NIOSSLServerHandler(context: context), ShortPage(),
            ])
        }
    }

    deinit { channel.close(promise: nil) }
}

final class ShortPage: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    static let text = "a page of the test"

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Length: \(Self.text.utf8.count)\r\nConnection: close\r\n\r\n\(Self.text)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        context.close(promise: nil)
    }

    /// Clients that do not trust the server hang up: that is what some tests want.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
