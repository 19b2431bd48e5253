internal import EgressControl
internal import EgressDNS
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Takes connections from the jail, and finds out what they are for.
enum Intake {
    /// Queued by the kernel until they are taken here.
    private static let backlog: Int32 = 256

    /// On a socket that was made in the jail and listens already.
    static func serve(
        _ listener: EgressSockets.Listener, isProxy: Bool, _ gateway: GatewayState
    ) -> EventLoopFuture<any Channel> {
        let bound = gateway.bound
        return ServerBootstrap(group: gateway.loop)
            .serverChannelOption(.backlog, value: backlog)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if isProxy { try proxy(channel, bound.value) } else { try transparent(channel, bound.value) }
                }
            }
            .withBoundSocket(listener.socket.number)
    }

    /// Counted from its first moment; nil, and reset, if it is one too many, or nobody is served any more.
    static func admit(_ channel: any Channel, _ gateway: GatewayState) throws -> ConnectionGuard? {
        guard !gateway.isEnded else {
            Reset.close(channel)
            return nil
        }
        if let budget = gateway.budgets.openConnection(.now()) {
            var event = EgressEvent(.connection, .denied, time: System.realtimeMilliseconds())
            event.reason = Denial.usedUp(budget).reason
            gateway.events.record(event)
            Reset.close(channel)
            return nil
        }
        let connection = ConnectionGuard(gateway)
        try channel.pipeline.syncOperations.addHandlers(Cutter(), connection)
        return connection
    }

    private static func proxy(_ channel: any Channel, _ gateway: GatewayState) throws {
        guard let connection = try admit(channel, gateway) else { return }
        try channel.pipeline.syncOperations.addHTTP1Server(
            RequestHandler(gateway, .proxy, isHTTP2: false, on: connection), gateway)
    }

    /// What the client dialled is what the socket says its own address is.
    private static func transparent(_ channel: any Channel, _ gateway: GatewayState) throws {
        guard let connection = try admit(channel, gateway) else { return }
        guard let address = channel.localAddress.flatMap(IPAddress.init), let port = channel.localAddress?.port else {
            return Reset.close(channel)
        }
        let destination = Destination(host: .address(address), port: UInt16(clamping: port))
        guard case .v4(let synthetic) = address, NameTable.range.contains(synthetic) else {
            return try open(channel, destination, connection, gateway)
        }
        guard let name = gateway.names.name(of: synthetic, now: .now()) else {
            gateway.recordDenial(
                .connection, Denial(.forbidden, "this address stands for no name (any more): look the name up again"),
                destination)
            return Reset.close(channel)
        }
        try open(
            channel, Destination(host: .name(name), port: destination.port), connection, gateway)
    }

    /// The first judgement, with nothing known but host and port: what no rule could allow ends here, at once.
    static func open(
        _ channel: any Channel, _ destination: Destination, _ connection: ConnectionGuard, _ gateway: GatewayState
    ) throws {
        switch gateway.policy.reach(destination.question()) {
        case .deny(let denial):
            gateway.recordDenial(.connection, Denial(denial), destination)
            Reset.close(channel)
        case .allow(let grant):
            try carry(channel, destination, grant, connection, gateway)
        }
    }

    /// Goes on with a connection that may be something allowed.
    static func carry(
        _ channel: any Channel, _ destination: Destination, _ grant: NetworkGrant, _ connection: ConnectionGuard,
        _ gateway: GatewayState
    ) throws {
        // Nothing that is limited goes through unseen. Profiles that would let it do not load.
        if grant.handling != .inspect, gateway.spend?.rules.isMetered(destination.host) == true {
            gateway.recordDenial(
                .connection, SpendMeter.refusal("nothing to this host goes out without being counted"), destination)
            return Reset.close(channel)
        }
        switch grant.handling {
        case .tcp:
            try channel.syncOptions?.setOption(.autoRead, value: false)
            Tunnel(gateway, destination, grant, "tcp", connection).open(channel, first: nil)
        case .inspect, .passThrough:
            try channel.pipeline.syncOperations.addHandler(
                ProtocolChooser(gateway, destination, grant, on: connection))
        }
    }
}

/// Bytes that wait behind a request for another protocol, which the parser does not read. It keeps no others.
private let mostUnparsed = 64 << 10

extension ChannelPipeline.SynchronousOperations {
    /// What speaks HTTP/1.1 with the jail. Framing is made by the handler.
    func addHTTP1Server(
        _ handler: RequestHandler, _ gateway: GatewayState, position: Position = .last
    ) throws {
        var encoding = HTTPResponseEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = Int(clamping: gateway.policy.rules.budgets.headerSize)
        try addHandlers(
            HTTPResponseEncoder(configuration: encoding),
            ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits),
                maximumBufferSize: mostUnparsed),
            handler, position: position)
    }
}
