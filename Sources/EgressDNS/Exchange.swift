internal import DNSMessages
internal import NIOCore
internal import NIOPosix

/// One query to one server, and its answer. Every exchange has a socket of its own, so that a forger has to guess the
/// port as well (RFC 5452, 9.2); it is connected, so that the kernel takes datagrams of that server alone.
struct Exchange: Sendable {
    let query: DNSQuery
    let server: SocketAddress
    let eventLoop: any EventLoop

    func overUDP(until deadline: NIODeadline) -> EventLoopFuture<DNSResponse> {
        let pending = PendingAnswer(query: query, eventLoop: eventLoop, deadline: deadline)
        let bound = NIOLoopBound(pending, eventLoop: eventLoop)
        let server = server
        let channel = DatagramBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramExchange(bound.value, server))
                }
            }
            .connect(to: server)
        return pending.answer(on: channel)
    }

    func overTCP(until deadline: NIODeadline) -> EventLoopFuture<DNSResponse> {
        let pending = PendingAnswer(query: query, eventLoop: eventLoop, deadline: deadline)
        let bound = NIOLoopBound(pending, eventLoop: eventLoop)
        let channel = ClientBootstrap(group: eventLoop)
            .connectTimeout(max(deadline - .now(), .milliseconds(1)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamExchange(bound.value))
                }
            }
            .connect(to: server)
        return pending.answer(on: channel)
    }
}

/// What an exchange waits for. The first outcome counts, and closes the channel.
final class PendingAnswer {
    let query: DNSQuery
    private let promise: EventLoopPromise<DNSResponse>
    private let deadline: NIODeadline
    private var isDone = false

    init(query: DNSQuery, eventLoop: any EventLoop, deadline: NIODeadline) {
        self.query = query
        self.deadline = deadline
        promise = eventLoop.makePromise()
    }

    func finish(_ result: Result<DNSResponse, ResolutionError>) {
        guard !isDone else { return }
        isDone = true
        promise.completeWith(result.mapError { $0 })
    }

    func answer(on channel: EventLoopFuture<any Channel>) -> EventLoopFuture<DNSResponse> {
        let eventLoop = promise.futureResult.eventLoop.assumeIsolated()
        let timer = eventLoop.scheduleTask(deadline: deadline) { self.finish(.failure(.timedOut)) }
        channel.assumeIsolated().whenFailure { error in
            // The time for connecting is the time for the answer.
            let isLate = if case .connectTimeout = error as? ChannelError { true } else { false }
            self.finish(.failure(isLate ? .timedOut : .unreachable))
        }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            timer.cancel()
            channel.whenSuccess { $0.close(promise: nil) }
        }
        return promise.futureResult
    }
}

/// The client's side of a datagram exchange. What is not the answer is passed over: a forged datagram must not end the
/// wait for the right one.
final class DatagramExchange: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let pending: PendingAnswer
    private let server: SocketAddress

    init(_ pending: PendingAnswer, _ server: SocketAddress) {
        self.pending = pending
        self.server = server
    }

    func channelActive(context: ChannelHandlerContext) {
        let envelope = AddressedEnvelope(remoteAddress: server, data: ByteBuffer(bytes: pending.query.bytes))
        context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard envelope.remoteAddress == server,
            let response = try? DNSResponse(Array(envelope.data.readableBytesView)), response.answers(pending.query)
        else { return }
        pending.finish(.success(response))
    }

    func channelInactive(context: ChannelHandlerContext) { pending.finish(.failure(.unreachable)) }

    /// Such as ECONNREFUSED, when nobody listens there.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { pending.finish(.failure(.unreachable)) }
}

/// The client's side of an exchange over TCP.
final class StreamExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let pending: PendingAnswer
    private var buffer = ByteBuffer()

    init(_ pending: PendingAnswer) { self.pending = pending }

    func channelActive(context: ChannelHandlerContext) {
        let query = pending.query.bytes
        var bytes = ByteBuffer(integer: UInt16(query.count))
        bytes.writeBytes(query)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            let message = buffer.getBytes(at: buffer.readerIndex + 2, length: Int(length))
        else { return }
        // Nobody else can speak here: a wrong answer is the server's.
        guard let response = try? DNSResponse(message), response.answers(pending.query), !response.isTruncated else {
            return pending.finish(.failure(.badAnswer))
        }
        pending.finish(.success(response))
    }

    func channelInactive(context: ChannelHandlerContext) { pending.finish(.failure(.unreachable)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { pending.finish(.failure(.unreachable)) }
}
