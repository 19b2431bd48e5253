import EgressTLS
import JailPolicy
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// An origin that speaks HTTP/2, keeps the heads that it is told, and answers each request with the same fields and body.
final class HTTP2Origin: Sendable {
    final class Box: Sendable {
        let value = Mutex([HPACKHeaders]())
    }

    struct Answer: Sendable {
        var fields: [(String, String)] = []
        var body = "ok"
        var trailers: [(String, String)] = []
    }

    let port: Int
    private let box: Box
    var heads: [HPACKHeaders] { box.value.withLock(\.self) }

    private init(_ port: Int, _ box: Box) {
        self.port = port
        self.box = box
    }

    static func start(_ answer: Answer = Answer()) async throws -> HTTP2Origin {
        let box = Box()
        let contexts = try ServerContexts(authority: TestGateway.originAuthority.get())
        let context = try contexts.context(for: try #require(Host(wire: "a.test".utf8)), alpn: ["h2"])
        let channel = try await ServerBootstrap(group: TestGateway.loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    _ = try pipeline.configureHTTP2Pipeline(
                        mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
                    ) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(StreamHandler(box, answer))
                        }
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HTTP2Origin(try #require(channel.localAddress?.port), box)
    }

    private final class StreamHandler: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload
        typealias OutboundOut = HTTP2Frame.FramePayload

        private let box: Box
        private let answer: Answer

        init(_ box: Box, _ answer: Answer) {
            self.box = box
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .headers(let head):
                box.value.withLock { $0.append(head.headers) }
                if head.endStream { respond(context) }
            case .data(let data) where data.endStream: respond(context)
            default: break
            }
        }

        private func respond(_ context: ChannelHandlerContext) {
            let head = HPACKHeaders([(":status", "200")] + answer.fields)
            context.write(Self.wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
            let body = HTTP2Frame.FramePayload.Data(
                data: .byteBuffer(ByteBuffer(string: answer.body)), endStream: answer.trailers.isEmpty)
            context.writeAndFlush(Self.wrapOutboundOut(.data(body)), promise: nil)
            guard !answer.trailers.isEmpty else { return }
            let trailers = HTTP2Frame.FramePayload.Headers(headers: HPACKHeaders(answer.trailers), endStream: true)
            context.writeAndFlush(Self.wrapOutboundOut(.headers(trailers)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
