import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import Testing

/// A client that sends what the test says, byte by byte, and keeps what it hears.
final class Client: Sendable {
    enum End: Sendable { case orderly, broken }

    struct State: Sendable {
        var bytes: [UInt8] = []
        var end: End?
        var isSecure = false
    }

    final class Box: Sendable {
        let value = Mutex(State())
    }

    let channel: any Channel
    private let box: Box

    private init(_ channel: any Channel, _ box: Box) {
        self.channel = channel
        self.box = box
    }

    /// Hears nothing more: the handlers that are added at the end do, also of what has come already.
    func handOver<Value: Sendable>(_ add: @escaping @Sendable (any Channel) throws -> Value) async throws -> Value {
        let (channel, box) = (channel, box)
        return try await channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let own = try pipeline.context(handlerType: ClientHandler.self)
            let value = try add(channel)
            let bytes = box.value.withLock(\.bytes)
            if !bytes.isEmpty { own.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes))) }
            pipeline.removeHandler(context: own, promise: nil)
            return value
        }.get()
    }

    static func connect(_ port: Int) async throws -> Client {
        let box = Box()
        let channel = try await ClientBootstrap(group: TestGateway.loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ClientHandler(box))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return Client(channel, box)
    }

    /// Through the proxy, with CONNECT.
    static func tunnel(_ gateway: TestGateway, to authority: String) async throws -> Client {
        let client = try await connect(gateway.proxyPort)
        try await client.send("CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n")
        #expect(try await client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        client.forget()
        return client
    }

    /// Speaks TLS from here on.
    ///
    /// - Parameter orFail: whoever does not want to is a failure.
    func secure(_ context: NIOSSLContext, _ name: String, orFail: Bool = true) async throws {
        let channel = channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLClientHandler(context: context, serverHostname: name), position: .first)
        }.get()
        let box = box
        _ = await eventually { box.value.withLock { $0.isSecure || $0.end != nil } }
        #expect(!orFail || box.value.withLock { $0.isSecure })
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func shutDown() async throws { try await channel.close(mode: .output).get() }

    func close() { channel.close(promise: nil) }

    func forget() { box.value.withLock { $0.bytes = [] } }

    var text: String { String(decoding: box.value.withLock(\.bytes), as: UTF8.self) }
    var count: Int { box.value.withLock(\.bytes.count) }
    var end: End? { box.value.withLock(\.end) }

    /// What has come once it contains the text, or once the connection has ended.
    func receive(until text: String) async throws -> String {
        _ = await eventually { self.text.contains(text) || self.end != nil }
        return self.text
    }

    /// Everything, up to the end of the connection.
    func receiveAll() async throws -> String {
        #expect(await eventually { self.end != nil }, "the connection does not end: \(text.prefix(2000))")
        return text
    }

    /// One request on a connection of its own, with all that is answered.
    static func ask(_ port: Int, _ request: String) async throws -> String {
        let client = try await connect(port)
        try await client.send(request)
        return try await client.receiveAll()
    }
}

private final class ClientHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let box: Client.Box

    init(_ box: Client.Box) { self.box = box }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        box.value.withLock { $0.bytes += buffer.readableBytesView }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { box.value.withLock { $0.isSecure = true } }
        if case ChannelEvent.inputClosed = event { end(.orderly) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) { end(.orderly) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.broken)
        context.close(promise: nil)
    }

    private func end(_ end: Client.End) { box.value.withLock { $0.end = $0.end ?? end } }
}
