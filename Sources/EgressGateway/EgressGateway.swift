package import EgressControl
internal import Glibc
internal import JailCore
internal import NIOCore
internal import NIOPosix

/// The jail's one way out.
package enum Gateway {
    /// Serves until the supervisor goes away. Called on the first thread, with no other one running, once the process is
    /// confined: no file can be opened any more.
    ///
    /// Announces itself at once; its sockets arrive when the jail has made them.
    package static func run(_ setup: EgressSetup) -> Never {
        do {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let certificate = "-----BEGIN CERTIFICATE-----\nnone yet\n-----END CERTIFICATE-----\n"
            try setup.channel.announce(
                EgressIdentity(
                    certificate: setup.state ?? Array(certificate.utf8), state: setup.state ?? Array(certificate.utf8),
                    javaTrustStore: setup.wantsJavaTrustStore ? Array("none yet\n".utf8) : []))
            // The first thread waits for orders, the event loop does the rest.
            while let order = try setup.channel.nextOrder() {
                if case .sockets(let sockets) = order { try refuseAll(sockets, setup, on: group) }
            }
            exit(0)
        } catch {
            exit(1)
        }
    }

    /// Placeholder: every connection is accepted, told of, and dropped.
    private static func refuseAll(
        _ sockets: EgressSockets, _ setup: EgressSetup, on group: MultiThreadedEventLoopGroup
    ) throws {
        for listener in [sockets.proxy] + sockets.listeners {
            _ = try ServerBootstrap(group: group).childChannelInitializer { channel in
                var event = EgressEvent(.connection, .denied, time: System.realtimeSeconds() * 1000)
                event.scheme = "tcp"
                event.host = channel.localAddress?.ipAddress
                event.port = listener.port
                event.reason = "nothing is allowed yet"
                let isTold = (try? setup.channel.report(event)) ?? false
                return isTold ? channel.close() : channel.eventLoop.makeSucceededVoidFuture()
            }.withBoundSocket(listener.socket.number).wait()
        }
        _ = try DatagramBootstrap(group: group).withBoundSocket(sockets.dnsDatagram.number).wait()
        _ = try ServerBootstrap(group: group).withBoundSocket(sockets.dnsStream.number).wait()
    }
}
