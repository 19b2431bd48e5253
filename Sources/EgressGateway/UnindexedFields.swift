internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// Keeps fields that hold secrets out of the tables of HPACK, of this connection and of whoever passes them on (RFC 7541,
/// 7.1.3): there they would stay for as long as the connection does, and requests of others could be told by their size.
final class UnindexedFields: ChannelOutboundHandler {
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// In small letters.
    var names: Set<String> = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !names.isEmpty, case .headers(var head) = Self.unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        var fields = HPACKHeaders()
        fields.reserveCapacity(head.headers.count)
        for (name, value, indexing) in head.headers {
            fields.add(name: name, value: value, indexing: names.contains(name) ? .neverIndexed : indexing)
        }
        head.headers = fields
        context.write(Self.wrapOutboundOut(.headers(head)), promise: promise)
    }
}
