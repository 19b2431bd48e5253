internal import NIOCore

/// Queries over TCP, each behind two bytes of length (RFC 7766, 8), answered in their order.
final class StreamResponder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let responder: DNSResponder
    private let limits: DNSServer.Limits
    private var buffer = ByteBuffer()
    private var deadline: Scheduled<Void>?
    private var isEnding = false

    init(_ responder: DNSResponder, _ limits: DNSServer.Limits) {
        self.responder = responder
        self.limits = limits
    }

    func channelActive(context: ChannelHandlerContext) {
        restartClock(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        answerWholeQueries(context)
        buffer.discardReadBytes()
        // Whoever asks without taking the answers has enough of them under way.
        if !context.channel.isWritable { context.close(promise: nil) }
    }

    private func answerWholeQueries(_ context: ChannelHandlerContext) {
        var answers = ByteBuffer()
        while let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) {
            guard (1...limits.querySize).contains(Int(length)) else { return end(context, after: answers) }
            guard buffer.readableBytes >= 2 + Int(length) else { break }
            buffer.moveReaderIndex(forwardBy: 2)
            // What deserves no answer as a datagram deserves no connection either.
            guard let query = buffer.readBytes(length: Int(length)), let answer = responder.answer(query) else {
                return end(context, after: answers)
            }
            answers.writeInteger(UInt16(answer.count))
            answers.writeBytes(answer)
            restartClock(context)
        }
        if answers.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(answers), promise: nil) }
    }

    /// Counts from the last whole query, so that single bytes buy no time.
    private func restartClock(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limits.idle) { channel.close(promise: nil) }
    }

    /// Closes when what was written is with the kernel; the clock runs on in case that never happens.
    private func end(_ context: ChannelHandlerContext, after answers: ByteBuffer = ByteBuffer()) {
        guard !isEnding else { return }
        isEnding = true
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(answers)).whenComplete { _ in channel.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The client has asked all that it will ask.
        if case .some(.inputClosed) = event as? ChannelEvent { end(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
