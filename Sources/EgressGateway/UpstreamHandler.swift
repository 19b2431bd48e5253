internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// Who waits for an answer.
protocol ResponseReceiver: AnyObject {
    func receive(head: HTTPResponseHead)
    func receive(body: ByteBuffer)
    func receiveEnd(trailers: HTTPHeaders?)
    /// What was received so far can go on its way.
    func flushResponse()
    /// The answer will not come, or not to its end.
    func responseFailed(_ denial: Denial, isStale: Bool)
    /// More of the request can be sent.
    func upstreamIsWritable()
    /// More of the answer can be taken.
    var canReceive: Bool { get }
}

/// Ends a connection on which an origin speaks without having been asked: the parser would take half an answer for the
/// beginning of the next one.
final class UnaskedBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private weak var handler: UpstreamHandler?

    init(_ handler: UpstreamHandler) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let handler, handler.isServing else {
            handler?.cancel()
            return
        }
        context.fireChannelRead(data)
    }
}

/// One request and its answer at a time, on a connection of HTTP/1.1 or on a stream of HTTP/2.
final class UpstreamHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPClientRequestPart

    /// Takes a connection back that can serve again; nil for a stream.
    private let recycle: ((UpstreamHandler) -> Void)?
    /// Where it leads, checked again before it is used again.
    let address: IPAddress
    private(set) var channel: any Channel
    /// Of a stream.
    private let unindexed: UnindexedFields?
    private var context: ChannelHandlerContext?
    private(set) weak var receiver: (any ResponseReceiver)?
    private var wantsRead = false
    private var hasSentRequest = false
    private var hasAnswer = false
    private var staysOpen = false
    private var isClosing = false
    private var served = 0
    var idleSince = NIODeadline.now()

    init(
        _ channel: any Channel, address: IPAddress, unindexed: UnindexedFields? = nil,
        recycle: ((UpstreamHandler) -> Void)?
    ) {
        self.unindexed = unindexed
        self.channel = channel
        self.address = address
        self.recycle = recycle
    }

    /// Whether it has served somebody before: a failure may then only mean that the origin had closed it meanwhile.
    var isReused: Bool { served > 1 }
    /// For a stream of a connection that has been used before.
    func markReused() { served = max(served, 1) }

    /// TLS takes its time to close.
    var isOpen: Bool { context != nil && channel.isActive && !isClosing }
    var isServing: Bool { receiver != nil }
    var isWritable: Bool { channel.isWritable }

    // MARK: The request

    func serve(_ receiver: any ResponseReceiver) {
        self.receiver = receiver
        served += 1
        hasSentRequest = false
        hasAnswer = false
        staysOpen = false
    }

    /// - Parameter fields: those of it that hold secrets, as HTTP/2 names them.
    func send(_ head: HTTPRequestHead, hiding fields: Set<String> = []) {
        unindexed?.names = fields
        context?.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    }

    func send(_ body: ByteBuffer) { context?.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }

    func sendEnd() {
        hasSentRequest = true
        context?.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func flush() { context?.flush() }

    /// Nobody waits any more: whatever still comes is of no use. An origin that has heard half of a request is to see that
    /// it was broken off, and not that it ended.
    func cancel() {
        receiver = nil
        guard let context else { return }
        if recycle != nil, served > 0, !hasSentRequest {
            isClosing = true
            Reset.close(channel)
        } else {
            close(context)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(promise: nil)
    }

    func resumeReading() {
        guard wantsRead, receiver?.canReceive ?? true else { return }
        wantsRead = false
        context?.read()
    }

    // MARK: The answer

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        // Without anybody who waits reading goes on, to see the end of the connection.
        if receiver?.canReceive ?? true { context.read() } else { wantsRead = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let receiver else { return close(context) }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            guard !hasAnswer else { return close(context) }
            hasAnswer = true
            staysOpen = head.isKeepAlive
            receiver.receive(head: head)
        case .body(let buffer): receiver.receive(body: buffer)
        case .end(let trailers): end(context, receiver, trailers)
        }
    }

    private func end(_ context: ChannelHandlerContext, _ receiver: any ResponseReceiver, _ trailers: HTTPHeaders?) {
        self.receiver = nil
        let canServeAgain = staysOpen && hasSentRequest
        if canServeAgain, let recycle {
            // In the next turn: what else has come in this one is nobody's answer, and ends the connection.
            context.eventLoop.assumeIsolated().execute {
                guard self.isOpen, self.receiver == nil else { return }
                self.idleSince = .now()
                recycle(self)
            }
        }
        receiver.receiveEnd(trailers: trailers)
        if recycle == nil ? !hasSentRequest : !canServeAgain { close(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        receiver?.flushResponse()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { receiver?.upstreamIsWritable() }
        context.fireChannelWritabilityChanged()
    }

    /// The parser has had its say already: what is not complete by now never will be.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            fail(.failure(.badGateway, "the origin closed the connection before its answer was complete"))
            close(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.failure(.badGateway, "the origin closed the connection before its answer was complete"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let text = UpstreamFailure.text(error)
        fail(.failure(.badGateway, text))
        close(context)
    }

    private func fail(_ denial: Denial) {
        guard let receiver else { return }
        self.receiver = nil
        receiver.responseFailed(denial, isStale: isReused && !hasAnswer)
    }
}
