internal import EgressControl
internal import EgressTLS
internal import JailPolicy
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP1
internal import NIOHTTP2
internal import NIOSSL
internal import NIOTLS

/// Reads the first bytes of a connection: TLS, or plain HTTP. Then it makes way.
final class ProtocolChooser: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let gateway: GatewayState
    private let destination: Destination
    private let grant: NetworkGrant
    private let connection: ConnectionGuard
    private var received = ByteBuffer()
    private var parser = ClientHelloParser()
    private var hasChosen = false
    /// A handshake record of TLS, see RFC 8446, 5.1.
    private static let handshakeType: UInt8 = 22

    init(_ gateway: GatewayState, _ destination: Destination, _ grant: NetworkGrant, on connection: ConnectionGuard) {
        self.gateway = gateway
        self.destination = destination
        self.grant = grant
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        received.writeImmutableBuffer(buffer)
        guard !hasChosen else { return }
        guard let first = received.getInteger(at: received.readerIndex, as: UInt8.self) else { return }
        do {
            if first == Self.handshakeType { try readHello(context, buffer) } else { try servePlain(context) }
        } catch {
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // It said nothing that could be understood, and will not say more.
        if case ChannelEvent.inputClosed = event, !hasChosen { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func servePlain(_ context: ChannelHandlerContext) throws {
        hasChosen = true
        let handler = RequestHandler(gateway, .connection(destination, .http), isHTTP2: false, on: connection)
        try context.pipeline.syncOperations.addHTTP1Server(handler, gateway, position: .after(self))
        makeWay(context)
    }

    /// What was read goes to whoever stands here now.
    private func makeWay(_ context: ChannelHandlerContext) {
        context.fireChannelRead(Self.wrapInboundOut(received))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    // MARK: TLS

    private func readHello(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) throws {
        switch parser.feed(bytes) {
        case .needMore: break
        case .refused(let reason): refuse(context, "malformed ClientHello: \(reason)")
        case .hello(let hello):
            hasChosen = true
            // Without a name the address that was dialled says which one is meant.
            if let name = hello.serverName, .name(name) != destination.host {
                return refuse(context, "TLS for '\(name.text)' on a connection to '\(destination.host.text)'")
            }
            if grant.handling == .passThrough { try passThrough(context, hello) } else { try terminate(context, hello) }
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ reason: String) {
        hasChosen = true
        gateway.recordDenial(.connection, Denial(.forbidden, reason), destination, "https")
        Reset.close(context.channel)
    }

    /// The name in the ClientHello is all that can be judged, so it has to be there, and readable.
    private func passThrough(_ context: ChannelHandlerContext, _ hello: ClientHello) throws {
        guard !hello.offersECH else { return refuse(context, "an encrypted ClientHello, whose name cannot be read") }
        if case .name = destination.host, hello.serverName == nil {
            return refuse(context, "TLS without a server name, which is not passed through")
        }
        let tunnel = Tunnel(gateway, destination, grant, "https", connection)
        try context.channel.syncOptions?.setOption(.autoRead, value: false)
        let first = received
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        tunnel.open(channel, first: first)
    }

    private func terminate(_ context: ChannelHandlerContext, _ hello: ClientHello) throws {
        let offered = Set(hello.alpn)
        let protocols = ["h2", "http/1.1"].filter(offered.contains)
        guard hello.alpn.isEmpty || !protocols.isEmpty else {
            return refuse(context, "TLS for none of HTTP/1.1 and HTTP/2: \(hello.alpn.joined(separator: ", ").excerpt)")
        }
        let tls = NIOSSLServerHandler(context: try gateway.contexts.context(for: destination.host, alpn: protocols))
        let ready = ServerHandshake(gateway, destination, on: connection)
        try context.pipeline.syncOperations.addHandlers(tls, ready, position: .after(self))
        makeWay(context)
    }
}

/// Waits for the end of a TLS handshake with the jail; then HTTP is spoken in the version that was agreed on.
private final class ServerHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let gateway: GatewayState
    private let destination: Destination
    private let connection: ConnectionGuard

    init(_ gateway: GatewayState, _ destination: Destination, on connection: ConnectionGuard) {
        self.gateway = gateway
        self.destination = destination
        self.connection = connection
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted(let name) = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            if name == "h2" { try serveHTTP2(context) } else { try serveHTTP1(context) }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    /// Mostly a client that does not trust the jail's CA.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        gateway.recordDenial(
            .connection, .failure(.badGateway, "the client broke the TLS handshake off: \(error)"), destination, "https"
        )
        context.close(promise: nil)
    }

    private func serveHTTP1(_ context: ChannelHandlerContext) throws {
        try context.pipeline.syncOperations.addHTTP1Server(
            RequestHandler(gateway, .connection(destination, .https), isHTTP2: false, on: connection), gateway)
    }

    private func serveHTTP2(_ context: ChannelHandlerContext) throws {
        connection.isSettled = true
        let bound = NIOLoopBound((gateway, connection), eventLoop: context.eventLoop)
        let entry = RequestEntry.connection(destination, .https)
        _ = try context.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: .gateway(.server), streamConfiguration: .gateway
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let (gateway, connection) = bound.value
                try stream.pipeline.syncOperations.addHandlers(
                    PseudoFieldCheck(), HTTP2FramePayloadToHTTP1ServerCodec(),
                    RequestHandler(gateway, entry, isHTTP2: true, on: connection))
            }
        }
        try context.pipeline.syncOperations.addHandler(ConnectionErrors())
    }
}

/// Ends a stream whose `:scheme` is not that of its connection, since some origins believe it, or whose Host is another
/// than its `:authority` (RFC 9113, 8.3.1). The codec behind this looks at neither.
private final class PseudoFieldCheck: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload

    private var hasHead = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .headers(let content) = Self.unwrapInboundIn(data), !hasHead {
            hasHead = true
            let authority = content.headers[":authority"]
            guard content.headers[":scheme"] == ["https"], authority.count == 1,
                content.headers["host"].allSatisfy({ $0 == authority[0] })
            else { return context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }
}

/// Ends a connection of HTTP/2 whose other side breaks the protocol: the library says goodbye, and hears nothing any more.
final class ConnectionErrors: ChannelInboundHandler {
    typealias InboundIn = Never

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
