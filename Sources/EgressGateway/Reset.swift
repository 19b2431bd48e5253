internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Ends a connection so that the other side sees it at once, and as a refusal.
enum Reset {
    /// With SO_LINGER of no time close(2) sends a reset and forgets what was not sent, see socket(7).
    static func close(_ channel: any Channel) {
        arm(channel)
        channel.close(promise: nil)
    }

    /// On the channel's loop: what is set there is set at once.
    static func arm(_ channel: any Channel) {
        guard let options = channel as? any SocketOptionProvider else { return }
        // What cannot be set belongs to a socket that is closed already.
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
    }
}
