internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2

/// Connections to origins, kept for a while and used again: a new one costs a lookup, a dial and a handshake.
final class UpstreamPool {
    /// What makes two requests' connections the same: never less than what was judged.
    private struct Key: Hashable {
        var destination: Destination
        var scheme: NetworkScheme
        var isHTTP2: Bool
    }

    private let connector: UpstreamConnector
    private var idle: [Key: [UpstreamHandler]] = [:]
    private var shared: [Key: [SharedConnection]] = [:]
    /// Who waits for the first connection to an origin that may speak HTTP/2: one is enough for all of them.
    private var waiting: [Key: [Completion]] = [:]
    private var idleCount = 0

    /// Kept open without use, for one origin and in all.
    private static let mostIdlePerOrigin = 64
    private static let mostIdle = 256
    static let idleTime = TimeAmount.seconds(20)

    typealias Completion = (Result<UpstreamHandler, Denial>) -> Void

    init(_ connector: UpstreamConnector) { self.connector = connector }

    /// A connection for one request.
    ///
    /// - Parameters:
    ///   - http2: the client speaks HTTP/2, so the origin may as well.
    ///   - fresh: not one that has been used before.
    func acquire(
        _ destination: Destination, _ scheme: NetworkScheme, http2: Bool, fresh: Bool, _ then: @escaping Completion
    ) {
        let key = Key(destination: destination, scheme: scheme, isHTTP2: http2 && scheme == .https)
        if !fresh {
            if let connection = shared[key]?.first(where: \.hasRoom), mayUse(connection.address, key) {
                return connection.open(then)
            }
            if let handler = takeIdle(key) { return then(.success(handler)) }
        }
        guard scheme == .https else {
            connector.connect(to: destination) { self.finish($0, key, then) }
            return
        }
        guard key.isHTTP2 else {
            connector.connectTLS(to: destination, protocols: ["http/1.1"]) { self.finish($0, key, then) }
            return
        }
        if waiting[key] != nil {
            waiting[key]?.append(then)
            return
        }
        waiting[key] = []
        connector.connectTLS(to: destination, protocols: ["h2", "http/1.1"]) { result in
            self.finish(result, key, then)
            for then in self.waiting.removeValue(forKey: key) ?? [] { self.serve(then, after: result, key) }
        }
    }

    /// Somebody who waited for the same first connection.
    private func serve(
        _ then: @escaping Completion, after result: Result<UpstreamConnector.Connection, Denial>, _ key: Key
    ) {
        if case .failure(let denial) = result { return then(.failure(denial)) }
        if let connection = shared[key]?.first(where: \.hasRoom) { return connection.open(then) }
        // The origin speaks HTTP/1.1: one connection serves one at a time.
        connector.connectTLS(to: key.destination, protocols: ["http/1.1"]) { self.finish($0, key, then) }
    }

    /// A connection of its own, which never comes back: for what is no HTTP any more after the first answer.
    func dial(_ destination: Destination, _ scheme: NetworkScheme, _ then: @escaping UpstreamConnector.Completion) {
        if scheme == .https {
            connector.connectTLS(to: destination, protocols: ["http/1.1"], then)
        } else {
            connector.connect(to: destination, then)
        }
    }

    /// Likewise, and of bytes alone.
    func dialTunnel(_ destination: Destination, _ then: @escaping UpstreamConnector.Completion) {
        connector.connect(to: destination, then)
    }

    /// The rules may know more addresses of the host's by now.
    private func mayUse(_ address: IPAddress, _ key: Key) -> Bool {
        connector.refusal(of: address, for: key.destination) == nil
    }

    private func takeIdle(_ key: Key) -> UpstreamHandler? {
        while let handler = idle[key]?.popLast() {
            idleCount -= 1
            if handler.isOpen, mayUse(handler.address, key) { return handler }
            handler.cancel()
        }
        idle[key] = nil
        return nil
    }

    private func finish(
        _ result: Result<UpstreamConnector.Connection, Denial>, _ key: Key, _ then: @escaping Completion
    ) {
        switch result {
        case .failure(let denial): then(.failure(denial))
        case .success(let connection) where connector.isEnded:
            connection.channel.close(promise: nil)
            then(.failure(UpstreamConnector.ended))
        case .success(let connection):
            do {
                if key.isHTTP2, connection.protocolName == "h2" {
                    try share(connection, key).open(then)
                } else {
                    then(.success(try serveHTTP1(connection, key)))
                }
            } catch {
                connection.channel.close(promise: nil)
                then(.failure(.failure(.badGateway, UpstreamFailure.text(error))))
            }
        }
    }

    private func serveHTTP1(_ connection: UpstreamConnector.Connection, _ key: Key) throws -> UpstreamHandler {
        let handler = UpstreamHandler(connection.channel, address: connection.address) { [weak self] in
            self?.keep($0, key)
        }
        try connection.channel.pipeline.syncOperations.addHTTP1Client(handler)
        UpstreamConnector.begin(connection.channel)
        return handler
    }

    private func keep(_ handler: UpstreamHandler, _ key: Key) {
        guard !connector.isEnded, idleCount < Self.mostIdle, idle[key, default: []].count < Self.mostIdlePerOrigin
        else {
            return handler.cancel()
        }
        idle[key, default: []].append(handler)
        idleCount += 1
    }

    private func share(_ connection: UpstreamConnector.Connection, _ key: Key) throws -> SharedConnection {
        let made = try SharedConnection(connection)
        shared[key, default: []].append(made)
        UpstreamConnector.begin(connection.channel)
        return made
    }

    /// Closes every connection, and takes none back.
    func end() {
        connector.isEnded = true
        for handler in idle.values.joined() { handler.cancel() }
        for connection in shared.values.joined() { connection.close() }
        idle = [:]
        shared = [:]
        idleCount = 0
    }

    func tick(_ now: NIODeadline) {
        for (key, handlers) in idle {
            let kept = handlers.filter { $0.isOpen && now - $0.idleSince < Self.idleTime }
            guard kept.count < handlers.count else { continue }
            for handler in handlers where !kept.contains(where: { $0 === handler }) { handler.cancel() }
            idleCount -= handlers.count - kept.count
            idle[key] = kept.isEmpty ? nil : kept
        }
        for (key, connections) in shared {
            let kept = connections.filter { !$0.isDone(now) }
            for connection in connections where connection.isDone(now) { connection.close() }
            shared[key] = kept.isEmpty ? nil : kept
        }
    }
}

/// A connection of HTTP/2, whose streams serve one request each.
private final class SharedConnection {
    let address: IPAddress
    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private var streams = 0
    private var total = 0
    private var idleSince = NIODeadline.now()

    /// RFC 9113, 6.5.2 recommends that no origin allows fewer.
    private static let mostStreams = 100
    /// Stream identifiers are used up once.
    private static let mostInAll = 1 << 20

    init(_ connection: UpstreamConnector.Connection) throws {
        address = connection.address
        channel = connection.channel
        multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .client, connectionConfiguration: .gateway(.client), streamConfiguration: .gateway
        ) { stream in
            // Pushed by the origin, which was told not to.
            stream.close()
        }
        // Last: whatever is wrong with the connection as a whole ends it, and with it every stream that would wait.
        try channel.pipeline.syncOperations.addHandler(ConnectionErrors())
    }

    var hasRoom: Bool { channel.isActive && streams < Self.mostStreams && total < Self.mostInAll }

    func isDone(_ now: NIODeadline) -> Bool {
        !channel.isActive || (streams == 0 && now - idleSince >= UpstreamPool.idleTime)
    }

    func close() { if channel.isActive { channel.close(promise: nil) } }

    func open(_ then: @escaping UpstreamPool.Completion) {
        streams += 1
        total += 1
        let loop = channel.eventLoop
        let promise = loop.makePromise(of: (any Channel).self)
        multiplexer.createStreamChannel(promise: promise) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers(
                    UnindexedFields(), HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .https))
            }
        }
        promise.futureResult.assumeIsolated().whenComplete { result in
            do {
                let stream = try result.get()
                let unindexed = try stream.pipeline.syncOperations.handler(type: UnindexedFields.self)
                let handler = UpstreamHandler(stream, address: self.address, unindexed: unindexed, recycle: nil)
                if self.total > 1 { handler.markReused() }
                try stream.pipeline.syncOperations.addHandler(handler)
                stream.closeFuture.assumeIsolated().whenComplete { _ in self.ended() }
                then(.success(handler))
            } catch {
                self.ended()
                then(.failure(.failure(.badGateway, UpstreamFailure.text(error))))
            }
        }
    }

    private func ended() {
        streams -= 1
        idleSince = .now()
    }
}

extension NIOHTTP2Handler.ConnectionConfiguration {
    /// Header lists as bounded as those of HTTP/1.1; windows that let a download run.
    static func gateway(_ mode: NIOHTTP2Handler.ParserMode) -> Self {
        var configuration = Self()
        configuration.targetWindowSize = 1 << 20
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10),
            HTTP2Setting(parameter: .initialWindowSize, value: 256 << 10),
        ]
        if mode == .client { configuration.initialSettings.append(HTTP2Setting(parameter: .enablePush, value: 0)) }
        return configuration
    }
}

extension NIOHTTP2Handler.StreamConfiguration {
    static var gateway: Self {
        var configuration = Self()
        configuration.targetWindowSize = 256 << 10
        configuration.outboundBufferSizeHighWatermark = 64 << 10
        configuration.outboundBufferSizeLowWatermark = 16 << 10
        return configuration
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// What speaks HTTP/1.1 with an origin. Framing is made by who sends, and is not to be guessed at again here.
    func addHTTP1Client(_ handler: UpstreamHandler) throws {
        var encoding = HTTPRequestEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        try addHandlers(
            UnaskedBytes(handler), HTTPRequestEncoder(configuration: encoding),
            ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes)), handler)
    }
}
