internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Ends a connection so that the other side sees it at once, and as a refusal.
enum Reset {
    /// With SO_LINGER of no time close(2) sends a reset and forgets what was not sent, see socket(7).
    static func close(_ channel: any Channel) {
        let lingering = linger(l_onoff: 1, l_linger: 0)
        channel.setOption(.socketOption(.so_linger), value: lingering).whenComplete { _ in channel.close(promise: nil) }
    }
}
