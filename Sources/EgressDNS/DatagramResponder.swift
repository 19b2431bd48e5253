internal import NIOCore

/// One datagram, one answer.
final class DatagramResponder: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let responder: DNSResponder

    init(_ responder: DNSResponder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        // Nothing can be sent to port 0; the error would close the socket. An answer that does not fit into the buffers
        // is lost, as datagrams may be.
        guard envelope.remoteAddress.port ?? 0 > 0, context.channel.isWritable,
            let answer = responder.answer(Array(envelope.data.readableBytesView))
        else { return }
        let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: answer))
        context.write(wrapOutboundOut(reply), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    /// The channel closes itself where an error is final, and ``DNSServer/closed`` tells of it; any other concerns one
    /// datagram.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
