import EgressTLS
import JailPolicy
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import Testing

@testable import EgressGateway

/// An origin on loopback that keeps what it is told, and answers as the test says.
final class Origin: Sendable {
    /// One request, so far.
    struct Received: Sendable {
        var method: String
        var target: String
        var headers: HTTPHeaders
        var body: [UInt8] = []
        var isComplete = false
        /// Counts from 0.
        var connection: Int

        /// The value of a header field that is there once.
        subscript(name: String) -> String? { headers[name].count == 1 ? headers[name].first : nil }
    }

    enum Step: Sendable {
        case send(String)
        case bytes([UInt8])
        case zeros(Int)
        case close
        case reset
        case later([Step], TimeAmount)
    }

    /// Called with the head of a request, and again with the whole of it.
    typealias Script = @Sendable (Received) -> [Step]

    struct Log: Sendable {
        var requests: [Received] = []
        var connections = 0
        /// Of these.
        var closed = 0
        /// All bytes of connections that speak no HTTP, or that are a WebSocket by now.
        var raw: [UInt8] = []
    }

    let port: Int
    private let log: Box

    final class Box: Sendable {
        let value = Mutex(Log())
    }

    var requests: [Received] { log.value.withLock(\.requests) }
    var connections: Int { log.value.withLock(\.connections) }
    var closed: Int { log.value.withLock(\.closed) }
    var raw: String { String(decoding: log.value.withLock(\.raw), as: UTF8.self) }
    var rawCount: Int { log.value.withLock(\.raw.count) }

    static let ok: Script = { request in
        let body = request.method == "HEAD" ? "" : "ok"
        return request.isComplete ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\(body)")] : []
    }

    enum Kind: Sendable {
        case http(Script)
        /// Anything else: called with all bytes so far whenever some have come.
        case raw(@Sendable ([UInt8]) -> [Step])
    }

    /// - Parameters:
    ///   - tls: the name that it proves to be.
    ///   - alpn: what it says that it speaks.
    static func start(_ kind: Kind = .http(ok), tls name: String? = nil, alpn: String = "http/1.1") async throws
        -> Origin
    {
        let box = Box()
        let context = try name.map { name in
            let contexts = try ServerContexts(authority: TestGateway.originAuthority.get())
            let host = try #require(Host(wire: name.utf8))
            return try contexts.context(for: host, alpn: [alpn])
        }
        let channel = try await ServerBootstrap(group: TestGateway.loop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    let connection = box.value.withLock { log in
                        log.connections += 1
                        return log.connections - 1
                    }
                    switch kind {
                    case .raw(let script): try pipeline.addHandler(RawOriginHandler(box, script))
                    case .http(let script):
                        try pipeline.addHandlers(
                            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)),
                            OriginHandler(box, connection, script))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Origin(port: try #require(channel.localAddress?.port), box)
    }

    private init(port: Int, _ log: Box) {
        self.port = port
        self.log = log
    }
}

extension [Origin.Step] {
    func carryOut(_ context: ChannelHandlerContext) {
        for step in self {
            switch step {
            case .send(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
            case .bytes(let bytes): context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
            case .zeros(let count):
                context.writeAndFlush(NIOAny(ByteBuffer(repeating: 0x30, count: count)), promise: nil)
            case .close: context.close(promise: nil)
            case .reset:
                Reset.arm(context.channel)
                // Past TLS, which would say goodbye.
                context.channel.pipeline.syncOperations.first?.close(promise: nil)
            case .later(let steps, let time):
                context.eventLoop.assumeIsolated().scheduleTask(in: time) { steps.carryOut(context) }
            }
        }
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// The handler next to the socket.
    fileprivate var first: ChannelHandlerContext? {
        (try? context(handlerType: NIOSSLServerHandler.self)) ?? (try? context(handlerType: OriginHandler.self))
            ?? (try? context(handlerType: RawOriginHandler.self))
    }
}

private final class OriginHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let log: Origin.Box
    private let connection: Int
    private let script: Origin.Script
    private var index: Int?

    init(_ log: Origin.Box, _ connection: Int, _ script: @escaping Origin.Script) {
        self.log = log
        self.connection = connection
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            let request = Origin.Received(
                method: head.method.rawValue, target: head.uri, headers: head.headers, connection: connection)
            index = log.value.withLock { log in
                log.requests.append(request)
                return log.requests.count - 1
            }
            script(request).carryOut(context)
        case .body(let buffer): change { $0.body += buffer.readableBytesView }
        case .end: if let request = change({ $0.isComplete = true }) { script(request).carryOut(context) }
        }
    }

    @discardableResult private func change(_ body: (inout Origin.Received) -> Void) -> Origin.Received? {
        guard let index else { return nil }
        return log.value.withLock { log in
            body(&log.requests[index])
            return log.requests[index]
        }
    }

    func channelInactive(context: ChannelHandlerContext) { log.value.withLock { $0.closed += 1 } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }
}

private final class RawOriginHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: Origin.Box
    private let script: @Sendable ([UInt8]) -> [Origin.Step]

    init(_ log: Origin.Box, _ script: @escaping @Sendable ([UInt8]) -> [Origin.Step]) {
        self.log = log
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        let all = log.value.withLock { log in
            log.raw += buffer.readableBytesView
            return log.raw
        }
        script(all).carryOut(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }
}
