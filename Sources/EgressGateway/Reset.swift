internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Ends a connection so that the other side sees it at once, and as a refusal.
enum Reset {
    /// With SO_LINGER of no time close(2) sends a reset and forgets what was not sent, see socket(7).
    static func close(_ channel: any Channel) {
        guard let options = channel as? any SocketOptionProvider else { return channel.close(promise: nil) }
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }
}
