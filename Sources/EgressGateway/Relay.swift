internal import NIOCore

/// Passes bytes from one connection to another, no faster than that one takes them, each side's end as such.
final class RelayHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private weak var partner: RelayHandler?
    private var wantsRead = false
    /// It has been told everything.
    private var hasFinished = false
    private(set) var bytes = 0
    /// Makes what passes of what comes; nil ends both sides.
    private let judge: (ByteBuffer) -> ByteBuffer?
    private let ended: () -> Void

    private init(judge: @escaping (ByteBuffer) -> ByteBuffer?, ended: @escaping () -> Void) {
        self.judge = judge
        self.ended = ended
    }

    /// Both sides, to be added to their pipelines as the last handlers.
    ///
    /// - Parameter ended: called once, with the bytes towards the second side and back.
    static func pair(
        up: @escaping (ByteBuffer) -> ByteBuffer?, down: @escaping (ByteBuffer) -> ByteBuffer?,
        ended: @escaping (_ up: Int, _ down: Int) -> Void
    ) -> (RelayHandler, RelayHandler) {
        var finish: (() -> Void)?
        let first = RelayHandler(judge: up) { finish?() }
        let second = RelayHandler(judge: down) { finish?() }
        first.partner = second
        second.partner = first
        finish = { [weak first, weak second] in
            finish = nil
            ended(first?.bytes ?? 0, second?.bytes ?? 0)
        }
        return (first, second)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        close()
    }

    /// Bytes that were read before this handler was there.
    func inject(_ buffer: ByteBuffer) {
        guard let context else { return }
        channelRead(context: context, data: NIOAny(buffer))
        partner?.context?.flush()
    }

    private var isWritable: Bool { context?.channel.isWritable ?? false }

    func read(context: ChannelHandlerContext) {
        if partner?.isWritable ?? false { context.read() } else { wantsRead = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let buffer = judge(Self.unwrapInboundIn(data)), let target = partner?.context else { return close() }
        bytes += buffer.readableBytes
        guard buffer.readableBytes > 0 else { return }
        target.write(Self.wrapOutboundOut(buffer), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, let partner, partner.wantsRead else { return }
        partner.wantsRead = false
        partner.context?.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        partner?.finishWriting()
    }

    /// The other side has said everything. Once that is written the end follows; closing earlier would forget what is not,
    /// where this side has closed its half already.
    private func finishWriting() {
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.hasFinished = true
            // Both have said and heard everything.
            if self.partner?.hasFinished ?? true { return self.close() }
            self.context?.close(mode: .output, promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: written)
    }

    func channelInactive(context: ChannelHandlerContext) { close() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    private func close() {
        ended()
        let other = partner
        partner = nil
        context?.close(promise: nil)
        other?.close()
    }
}
