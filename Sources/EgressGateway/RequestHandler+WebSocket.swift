internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

extension RequestHandler {
    /// On a connection of its own. Only once the origin has proved that it speaks WebSocket does the client hear of it.
    func openWebSocket(_ exchange: Exchange) {
        gateway.prepare(exchange) { [self] denial in
            guard self.exchange === exchange, phase == .handingOver else { return }
            if let denial { failWebSocket(denial, exchange) } else { dialWebSocket(exchange) }
        }
    }

    private func dialWebSocket(_ exchange: Exchange) {
        let request = exchange.request
        gateway.pool.dial(request.destination, request.scheme) { [self] result in
            guard self.exchange === exchange, phase == .handingOver else {
                if case .success(let connection) = result { connection.channel.close(promise: nil) }
                return
            }
            switch result {
            case .failure(let denial): failWebSocket(denial, exchange)
            case .success(let connection):
                do {
                    let head = try exchange.head(gateway.policy, gateway.decoderMemory)
                    let handshake = WebSocketHandshake(exchange.request, head) { [self] in
                        finish($0, exchange, connection.channel)
                    }
                    handshake.unauthorized = { [self] in gateway.unauthorized(exchange) }
                    try connection.channel.pipeline.syncOperations.addHandshake(handshake)
                    UpstreamConnector.begin(connection.channel)
                    handshake.send()
                } catch let denial as Denial {
                    connection.channel.close(promise: nil)
                    failWebSocket(denial, exchange)
                } catch {
                    connection.channel.close(promise: nil)
                    failWebSocket(.failure(.badGateway, UpstreamFailure.text(error)), exchange)
                }
            }
        }
    }

    private func failWebSocket(_ denial: Denial, _ exchange: Exchange) {
        self.exchange = nil
        deny(denial, exchange.request)
    }

    private func finish(_ result: Result<HTTPResponseHead, Denial>, _ exchange: Exchange, _ upstream: any Channel) {
        guard self.exchange === exchange, phase == .handingOver, let context else {
            return upstream.close(promise: nil)
        }
        switch result {
        case .failure(let denial):
            upstream.close(promise: nil)
            failWebSocket(denial, exchange)
        case .success(let head):
            // What is refused has told the client so.
            guard let head = filtered(head, exchange) else { return upstream.close(promise: nil) }
            let channel = context.channel
            context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
            do {
                try join(channel, upstream, exchange)
            } catch {
                upstream.close(promise: nil)
                channel.close(promise: nil)
            }
        }
    }

    private func join(_ channel: any Channel, _ upstream: any Channel, _ exchange: Exchange) throws {
        connection.mayIdle = true
        exchange.status = 101
        var fromClient = WebSocketFrames(fromClient: true)
        fromClient.scanner = gateway.secrets?.scanner
        fromClient.canaryScan = gateway.canaries?.scan()
        let handler = self
        let (client, origin) = RelayHandler.pair(
            up: {
                let isWellFormed = fromClient.accept($0)
                let mayPass = handler.mayPass(
                    $0, isWellFormed, exchange, misused: fromClient.found, canaries: fromClient.canaries)
                return mayPass ? $0 : nil
            },
            down: fromOrigin(exchange),
            ended: { up, down in
                exchange.sent = up
                exchange.received = down
                handler.record(exchange, .allowed)
            })
        try channel.pipeline.syncOperations.addHandler(client)
        try upstream.pipeline.syncOperations.addHandler(origin)
        try leaveHTTP(channel)
        let decoder = try upstream.pipeline.syncOperations.removeHTTP1Client()
        // Either side may have said something already, which goes on now; the origin's parser first, which takes what is
        // written through it for HTTP.
        upstream.pipeline.syncOperations.removeHandler(context: decoder, promise: nil)
        try releaseBytes(channel)
        // Both go in the next turn, outside of any read, at whose end it would be sent.
        channel.eventLoop.assumeIsolated().execute {
            channel.flush()
            upstream.flush()
        }
    }
}

extension RequestHandler {
    /// What becomes of an origin's frames: with a secret in the handshake they are looked through for it.
    fileprivate func fromOrigin(_ exchange: Exchange) -> (ByteBuffer) -> ByteBuffer? {
        guard let traces = exchange.traces else {
            var frames = WebSocketFrames(fromClient: false)
            return { frames.accept($0) ? $0 : nil }
        }
        var cover = WebSocketCover(traces)
        return { buffer in
            let covered = cover.cover(buffer)
            self.tellReturned(cover.takeFound(), exchange)
            return covered
        }
    }

    fileprivate func mayPass(
        _ buffer: ByteBuffer, _ isWellFormed: Bool, _ exchange: Exchange, misused: Int?, canaries: [String]
    ) -> Bool {
        let reason: String
        if !canaries.isEmpty {
            let request = exchange.request
            gateway.tell(canaries, in: .upload, to: request.destination, request.scheme.rawValue)
            record(exchange, .denied, CanaryGuard.denial(canaries).reason)
            return false
        }
        if let misused, let name = gateway.secrets?.name(misused) {
            record(exchange, .denied, SecretInjector.misuse(name).reason, secret: name)
            return false
        }
        if !isWellFormed {
            reason = "what the client sent is no sequence of WebSocket frames"
        } else if let budget = gateway.budgets.upload(buffer.readableBytes, .now()) {
            reason = Denial.usedUp(budget).reason
        } else {
            return true
        }
        record(exchange, .denied, reason)
        return false
    }
}

/// The client's part of a WebSocket handshake (RFC 6455, 4.1), with the key of the client in the jail.
final class WebSocketHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: CheckedRequest
    private var head: HTTPRequestHead?
    private var then: ((Result<HTTPResponseHead, Denial>) -> Void)?
    /// The origin wants other credentials.
    var unauthorized: (() -> Void)?
    private var context: ChannelHandlerContext?

    /// - Parameter head: goes out once, and is forgotten.
    init(
        _ request: CheckedRequest, _ head: HTTPRequestHead, _ then: @escaping (Result<HTTPResponseHead, Denial>) -> Void
    ) {
        self.request = request
        self.head = head
        self.then = then
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        context.eventLoop.assumeIsolated().scheduleTask(in: UpstreamConnector.handshakeTime) {
            self.finish(.failure(.failure(.gatewayTimeout, "the origin does not answer the WebSocket handshake")))
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func send() {
        guard let head else { return }
        self.head = nil
        context?.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context?.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            answer = check(head)
            if case .failure = answer { finish(answer) }
        case .body: break
        // The parser has let go of what follows.
        case .end: finish(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(.failure(.badGateway, "the origin closed the connection during the WebSocket handshake")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(.failure(.badGateway, UpstreamFailure.text(error))))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<HTTPResponseHead, Denial>) {
        guard let then else { return }
        self.then = nil
        then(result)
    }

    private var answer: Result<HTTPResponseHead, Denial> = .failure(.failure(.badGateway, "the origin gives no answer"))

    private func check(_ head: HTTPResponseHead) -> Result<HTTPResponseHead, Denial> {
        if head.status == .unauthorized { unauthorized?() }
        guard head.status == .switchingProtocols else {
            return .failure(
                .failure(.badGateway, "the origin does not open a WebSocket: it answers \(head.status.code)"))
        }
        let accepts = head.headers["sec-websocket-accept"]
        guard accepts.count == 1, let key = request.webSocketKey, accepts[0].trimmed == WebSocketAccept.answer(to: key),
            head.headers["sec-websocket-extensions"].isEmpty,
            head.headers["upgrade"].map({ $0.isASCIIEqual(to: "websocket") }) == [true]
        else {
            return .failure(.failure(.badGateway, "the origin's WebSocket handshake is wrong"))
        }
        let offered = request.headers["sec-websocket-protocol"].flatMap {
            $0.split(separator: ",").map { String($0).trimmed }
        }
        let chosen = head.headers["sec-websocket-protocol"].map(\.trimmed)
        guard chosen.count <= 1, chosen.allSatisfy(offered.contains) else {
            return .failure(.failure(.badGateway, "the origin chooses a WebSocket protocol that was not offered"))
        }
        var headers = HTTPHeaders([
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accepts[0].trimmed),
        ])
        if let name = chosen.first { headers.add(name: "Sec-WebSocket-Protocol", value: name) }
        for value in head.headers["set-cookie"] where FieldValue.isClean(value) {
            headers.add(name: "Set-Cookie", value: value)
        }
        return .success(HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers))
    }
}

extension ChannelPipeline.SynchronousOperations {
    fileprivate func addHandshake(_ handshake: WebSocketHandshake) throws {
        var encoding = HTTPRequestEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        try addHandlers(
            HTTPRequestEncoder(configuration: encoding),
            ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes)), handshake)
    }

    /// - Returns: the parser, which is still there.
    fileprivate func removeHTTP1Client() throws -> ChannelHandlerContext {
        let decoder = try context(handlerType: ByteToMessageHandler<HTTPResponseDecoder>.self)
        removeHandler(context: try context(handlerType: WebSocketHandshake.self), promise: nil)
        removeHandler(context: try context(handlerType: HTTPRequestEncoder.self), promise: nil)
        return decoder
    }
}
