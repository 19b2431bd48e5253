import JailPolicy
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL
import Synchronization
import Testing

@testable import EgressGateway

/// A client of HTTP/2 in the jail, which says what the test says.
final class HTTP2Client: Sendable {
    struct Heard: Sendable {
        var status: String?
        var headers = HPACKHeaders()
        var body: [UInt8] = []
        var isComplete = false
        var isClosed = false
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    final class Box: Sendable {
        let value = Mutex(Heard())
    }

    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

    private init(_ channel: any Channel, _ multiplexer: NIOHTTP2Handler.StreamMultiplexer) {
        self.channel = channel
        self.multiplexer = multiplexer
    }

    static func connect(_ way: Way) async throws -> HTTP2Client { try await connect(way.gateway, way.port) }

    static func connect(_ gateway: TestGateway, _ port: Int) async throws -> HTTP2Client {
        let client = try await Client.connect(port)
        try await client.secure(gateway.clientContext(["h2"]), "a.test")
        let multiplexer = try await client.handOver { channel in
            try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
            ) { $0.close() }
        }
        return HTTP2Client(client.channel, multiplexer)
    }

    func close() { channel.close(promise: nil) }

    /// One stream: its fields, and parts of a body; nil: the stream ends with its head.
    func ask(_ fields: [(String, String)], body: [Int]? = nil, ends: Bool = true) async throws -> Heard {
        try await ask(fields, parts: body?.map { ByteBuffer(repeating: 0x78, count: $0) }, ends: ends)
    }

    func ask(
        _ fields: [(String, String)], parts: [ByteBuffer]?, ends: Bool = true, trailers: [(String, String)] = []
    ) async throws -> Heard {
        let box = Box()
        let stream = try await multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture { try stream.pipeline.syncOperations.addHandler(StreamHandler(box)) }
        }.get()
        let head = HTTP2Frame.FramePayload.Headers(
            headers: HPACKHeaders(fields), endStream: parts == nil)
        stream.writeAndFlush(HTTP2Frame.FramePayload.headers(head), promise: nil)
        for (index, part) in (parts ?? []).enumerated() {
            let data = HTTP2Frame.FramePayload.Data(
                data: .byteBuffer(part),
                endStream: ends && trailers.isEmpty && index == (parts?.count ?? 0) - 1)
            stream.writeAndFlush(HTTP2Frame.FramePayload.data(data), promise: nil)
        }
        if !trailers.isEmpty {
            let end = HTTP2Frame.FramePayload.Headers(headers: HPACKHeaders(trailers), endStream: true)
            stream.writeAndFlush(HTTP2Frame.FramePayload.headers(end), promise: nil)
        }
        _ = await eventually { box.value.withLock { $0.isComplete || $0.isClosed } }
        return box.value.withLock(\.self)
    }

    func ask(_ way: Way, _ method: String = "GET", _ path: String = "/", _ more: [(String, String)] = []) -> [(
        String, String
    )] {
        [(":method", method), (":scheme", "https"), (":authority", way.authority), (":path", path)] + more
    }
}

private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private let box: HTTP2Client.Box

    init(_ box: HTTP2Client.Box) { self.box = box }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        box.value.withLock { heard in
            switch frame {
            case .headers(let content):
                heard.status = heard.status ?? content.headers.first(name: ":status")
                heard.headers.add(contentsOf: content.headers)
                heard.isComplete = content.endStream
            case .data(let content):
                if case .byteBuffer(let buffer) = content.data { heard.body += buffer.readableBytesView }
                heard.isComplete = content.endStream
            default: break
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { box.value.withLock { $0.isClosed = true } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
