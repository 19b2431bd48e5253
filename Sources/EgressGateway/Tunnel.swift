internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// A connection whose bytes go through as they are: to a named host and port, and bound to what that name resolved to.
final class Tunnel {
    private let gateway: GatewayState
    private let destination: Destination
    private let grant: NetworkGrant
    private let scheme: String
    private let connection: ConnectionGuard
    private let started = NIODeadline.now()
    private let early = EarlyBytes()
    /// Nothing is bound here, and what is passed through may be in cleartext.
    private var scanner: PlaceholderScanner?
    private var canaryScan: CanaryDetector.Scan?

    init(
        _ gateway: GatewayState, _ destination: Destination, _ grant: NetworkGrant, _ scheme: String,
        _ connection: ConnectionGuard
    ) {
        self.gateway = gateway
        self.destination = destination
        self.grant = grant
        self.scheme = scheme
        self.connection = connection
        scanner = gateway.secrets?.scanner
        canaryScan = gateway.canaries?.scan()
    }

    /// - Parameters:
    ///   - channel: the client's, which does not read at the moment.
    ///   - first: what it has said already.
    func open(_ channel: any Channel, first: ByteBuffer?) {
        connection.isSettled = true
        connection.mayIdle = true
        guard gateway.events.hasRoom else { return refuse(channel, .untellable) }
        if let first { early.bytes.writeImmutableBuffer(first) }
        do { try channel.pipeline.syncOperations.addHandler(early) } catch {
            return refuse(channel, .failure(.badGateway, UpstreamFailure.text(error)))
        }
        gateway.pool.dialTunnel(destination) { [self] result in
            switch result {
            case .failure(let denial): refuse(channel, denial)
            case .success(let upstream):
                do { try join(channel, upstream.channel) } catch {
                    upstream.channel.close(promise: nil)
                    refuse(channel, .failure(.badGateway, UpstreamFailure.text(error)))
                }
            }
        }
    }

    private func refuse(_ channel: any Channel, _ denial: Denial) {
        gateway.recordDenial(.connection, denial, destination, scheme)
        Reset.close(channel)
    }

    private func join(_ channel: any Channel, _ upstream: any Channel) throws {
        guard channel.isActive else {
            // The client has gone, but the origin was connected to.
            record(0, 0)
            return upstream.close(promise: nil)
        }
        let (client, origin) = RelayHandler.pair(
            up: { [self] in mayUpload($0) ? $0 : nil }, down: { $0 },
            ended: record)
        try channel.pipeline.syncOperations.addHandler(client)
        try upstream.pipeline.syncOperations.addHandler(origin)
        let pipeline = channel.pipeline.syncOperations
        pipeline.removeHandler(context: try pipeline.context(handler: early), promise: nil)
        if early.bytes.readableBytes > 0 { client.inject(early.bytes) }
        UpstreamConnector.begin(upstream)
        UpstreamConnector.begin(channel)
    }

    private func mayUpload(_ buffer: ByteBuffer) -> Bool {
        if let index = scanner?.feed(buffer.readableBytesView), let name = gateway.secrets?.name(index) {
            gateway.recordDenial(.connection, SecretInjector.misuse(name), destination, scheme)
            return false
        }
        if let ids = canaryScan?.feed(buffer.readableBytesView), !ids.isEmpty {
            gateway.tell(ids, in: .upload, to: destination, scheme)
            gateway.recordDenial(.connection, CanaryGuard.denial(ids), destination, scheme)
            return false
        }
        guard let budget = gateway.budgets.upload(buffer.readableBytes, .now()) else { return true }
        gateway.recordDenial(.connection, .usedUp(budget), destination, scheme)
        return false
    }

    private func record(_ up: Int, _ down: Int) {
        var event = gateway.event(.connection, .allowed, destination, scheme)
        event.rule = grant.rule
        event.sent = UInt64(up)
        event.received = UInt64(down)
        event.milliseconds = started.millisecondsAgo
        gateway.events.record(event)
    }
}

/// Keeps what a client says before there is somebody to tell it to: the rest of one read, since no other one follows.
private final class EarlyBytes: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    var bytes = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(Self.unwrapInboundIn(data))
    }
}
