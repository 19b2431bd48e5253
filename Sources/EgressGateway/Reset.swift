internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Ends a connection so that the other side sees it at once, and as broken off.
enum Reset {
    /// With SO_LINGER of no time close(2) sends a reset and forgets what was not sent, see socket(7). Past TLS, which would
    /// say goodbye first.
    static func close(_ channel: any Channel) {
        arm(channel)
        guard let cutter = try? channel.pipeline.syncOperations.handler(type: Cutter.self) else {
            return channel.close(promise: nil)
        }
        cutter.cut()
    }

    /// On the channel's loop: what is set there is set at once.
    static func arm(_ channel: any Channel) {
        guard let options = channel as? any SocketOptionProvider else { return }
        // What cannot be set belongs to a socket that is closed already.
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
    }
}

/// The first handler of a connection: what it closes, nobody in between delays.
final class Cutter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func cut() { context?.close(promise: nil) }
}
