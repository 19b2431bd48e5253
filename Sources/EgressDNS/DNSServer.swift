package import NIOCore
internal import NIOPosix

/// The jail's resolver on its two sockets. Answers leave from the socket that the query came to.
package final class DNSServer: Sendable {
    /// Bounds of the TCP side.
    package struct Limits: Sendable {
        package var connections = 64
        /// How long a connection may take for one whole query.
        package var idle = TimeAmount.seconds(10)
        /// Bytes of one query: a name, and EDNS with its options.
        package var querySize = 4_096

        package init() {}
    }

    private let datagrams: any Channel
    private let streams: any Channel
    /// Clients of the TCP side.
    private let connections: Connections

    private typealias Connections = NIOLoopBoundBox<[ObjectIdentifier: any Channel]>

    private init(datagrams: any Channel, streams: any Channel, connections: Connections) {
        self.datagrams = datagrams
        self.streams = streams
        self.connections = connections
    }

    /// Serves on sockets that are bound already, whose owner this becomes. To be called on the event loop.
    package static func start(
        udp: Int32, tcp: Int32, responder: DNSResponder, eventLoop: any EventLoop, limits: Limits = Limits()
    ) -> EventLoopFuture<DNSServer> {
        let bound = NIOLoopBound(responder, eventLoop: eventLoop)
        let datagrams = DatagramBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramResponder(bound.value))
                }
            }
            .withBoundSocket(udp)
        let connections = Connections([:], eventLoop: eventLoop)
        let streams = streamBootstrap(bound, connections, limits).withBoundSocket(tcp)
        // Both are waited for, so that none is left over when the other one fails.
        return datagrams.flatMap { datagrams in
            streams.map { DNSServer(datagrams: datagrams, streams: $0, connections: connections) }
                .flatMapError { error in
                    datagrams.close(promise: nil)
                    return eventLoop.makeFailedFuture(error)
                }
        }.flatMapError { error in
            streams.whenSuccess { $0.close(promise: nil) }
            return eventLoop.makeFailedFuture(error)
        }
    }

    private static func streamBootstrap(
        _ responder: NIOLoopBound<DNSResponder>, _ connections: Connections, _ limits: Limits
    ) -> ServerBootstrap {
        ServerBootstrap(group: responder.eventLoop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Answers are written after each read, and a client that does not take them is cut off soon.
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2_048))
            .childChannelInitializer { channel in
                guard connections.value.count < limits.connections else { return channel.close() }
                let identifier = ObjectIdentifier(channel)
                connections.value[identifier] = channel
                channel.closeFuture.assumeIsolated().whenComplete { _ in connections.value[identifier] = nil }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamResponder(responder.value, limits))
                }
            }
    }

    /// Fires when one of the sockets is gone; then the jail cannot look up all of its names any more.
    package var closed: EventLoopFuture<Void> {
        let promise = datagrams.eventLoop.makePromise(of: Void.self)
        datagrams.closeFuture.cascade(to: promise)
        streams.closeFuture.cascade(to: promise)
        return promise.futureResult
    }

    /// Closes both sockets, and the connections that are open. To be called on the event loop.
    package func close() {
        datagrams.close(promise: nil)
        streams.close(promise: nil)
        for connection in connections.value.values { connection.close(promise: nil) }
    }
}
