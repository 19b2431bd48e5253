internal import EgressDNS
internal import EgressTLS
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS

/// Makes connections to origins. The second stage of every decision lies here, on the only way out: each address that a
/// name resolved to is judged, and exactly those are dialled.
final class UpstreamConnector {
    private let loop: any EventLoop
    private var policy: NetworkPolicy
    private let resolver: UpstreamResolver
    /// nil: the trust store has not been read yet, so nobody could be verified.
    var tls: UpstreamTLS?
    private let own = HostAddresses()
    /// Nobody asks any more: what is under way comes to nothing.
    var isEnded = false

    static let connectTime = TimeAmount.seconds(10)
    static let handshakeTime = TimeAmount.seconds(10)

    typealias Completion = (Result<Connection, Denial>) -> Void

    struct Connection {
        var channel: any Channel
        var address: IPAddress
        /// What TLS agreed on; nil: nothing, or no TLS.
        var protocolName: String?
    }

    init(loop: any EventLoop, policy: NetworkPolicy, resolver: UpstreamResolver) {
        self.loop = loop
        self.policy = policy
        self.resolver = resolver
    }

    /// nil: it may be dialled.
    func refusal(of address: IPAddress, for destination: Destination) -> Denial? {
        do { policy.ownAddresses = try own.current() } catch {
            return Denial.failure(.badGateway, "the host's own addresses cannot be listed: \(error)")
        }
        // A deny that names an address and a method, say, has been weighed already where the address was asked for.
        if case .address(address) = destination.host {
            return policy.specialRefusal(of: address, port: destination.port).map(Denial.init)
        }
        return policy.refusal(of: address, port: destination.port).map(Denial.init)
    }

    /// TCP only. The channel does not read until its handlers are there, see ``begin(_:)``.
    func connect(to destination: Destination, _ then: @escaping Completion) {
        switch destination.host {
        case .address(let address): dial([address], destination, then)
        case .name(let name):
            resolver.resolve(name).hop(to: loop).assumeIsolated().whenComplete { result in
                switch result {
                case .success(let addresses): self.dial(addresses, destination, then)
                case .failure(let error):
                    let status: HTTPResponseStatus =
                        (error as? ResolutionError) == .timedOut ? .gatewayTimeout : .badGateway
                    then(.failure(.failure(status, "'\(name.text)': \(error)")))
                }
            }
        }
    }

    private func dial(_ addresses: [IPAddress], _ destination: Destination, _ then: @escaping Completion) {
        guard !isEnded else { return then(.failure(Self.ended)) }
        guard !addresses.isEmpty else { return then(.failure(.failure(.badGateway, "the name has no address"))) }
        // All or nothing: a name with one special answer is not to be trusted with the others.
        for address in addresses {
            guard var denial = refusal(of: address, for: destination) else { continue }
            if case .name(let name) = destination.host {
                denial.reason = "'\(name.text)' resolves to \(denial.reason)"
                denial.told = "'\(name.text)' resolves to an address that is not public"
            }
            return then(.failure(denial))
        }
        guard let answers = try? CheckedAnswers(addresses, port: destination.port, loop: loop) else {
            return then(.failure(.failure(.badGateway, "an address of the origin has no form")))
        }
        ClientBootstrap(group: loop)
            .resolver(answers)
            .connectTimeout(Self.connectTime)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: destination.host.text, port: Int(destination.port))
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel): self.confirm(channel, among: addresses, then)
                case .failure(let error):
                    let status: HTTPResponseStatus = UpstreamFailure.isTimeout(error) ? .gatewayTimeout : .badGateway
                    then(.failure(.failure(status, UpstreamFailure.text(error))))
                }
            }
    }

    /// The kernel says where it went; and that it did not come back to this host.
    private func confirm(_ channel: any Channel, among addresses: [IPAddress], _ then: Completion) {
        guard !isEnded else {
            channel.close(promise: nil)
            return then(.failure(Self.ended))
        }
        guard let remote = channel.remoteAddress.flatMap(IPAddress.init), addresses.contains(remote) else {
            channel.close(promise: nil)
            return then(.failure(.failure(.badGateway, "the connection did not reach a checked address")))
        }
        if channel.localAddress.flatMap(IPAddress.init) == remote {
            // One that has come since the addresses were listed.
            policy.ownAddresses.insert(remote)
            let port = channel.remoteAddress?.port.flatMap { UInt16(exactly: $0) }
            if let denial = policy.specialRefusal(of: remote, port: port) {
                channel.close(promise: nil)
                return then(.failure(Denial(denial)))
            }
        }
        do { try channel.pipeline.syncOperations.addHandler(Cutter(), position: .first) } catch {
            return then(.failure(.failure(.badGateway, UpstreamFailure.text(error))))
        }
        then(.success(Connection(channel: channel, address: remote)))
    }

    static let ended = Denial.failure(.badGateway, "the way out has ended")

    /// Reads from here on.
    static func begin(_ channel: any Channel) {
        channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
    }

    // MARK: TLS

    /// - Parameter protocols: for ALPN, the preferred one first.
    func connectTLS(to destination: Destination, protocols: [String], _ then: @escaping Completion) {
        connect(to: destination) { result in
            switch result {
            case .failure: then(result)
            case .success(let connection): self.secure(connection, destination, protocols, then)
            }
        }
    }

    private func secure(
        _ connection: Connection, _ destination: Destination, _ protocols: [String], _ then: @escaping Completion
    ) {
        guard let tls else {
            connection.channel.close(promise: nil)
            return then(.failure(.failure(.badGateway, "the trust store is not there")))
        }
        do {
            let pipeline = connection.channel.pipeline.syncOperations
            try pipeline.addHandlers(try tls.handlers(for: destination.host, alpn: protocols))
            let ready = UpstreamHandshake(deadline: Self.handshakeTime) { result in
                then(
                    result.map {
                        var connection = connection
                        connection.protocolName = $0
                        return connection
                    })
            }
            try pipeline.addHandler(ready)
            Self.begin(connection.channel)
        } catch {
            connection.channel.close(promise: nil)
            then(.failure(.failure(.badGateway, UpstreamFailure.text(error))))
        }
    }
}

/// Waits for the end of a TLS handshake with an origin, then leaves.
private final class UpstreamHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var then: ((Result<String?, Denial>) -> Void)?
    private let deadline: TimeAmount

    init(deadline: TimeAmount, _ then: @escaping (Result<String?, Denial>) -> Void) {
        self.deadline = deadline
        self.then = then
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: deadline) {
            self.finish(context, .failure(.failure(.gatewayTimeout, "the origin does not finish the TLS handshake")))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(let name) = event { return finish(context, .success(name)) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(context, .failure(.failure(.badGateway, UpstreamFailure.text(error))))
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context, .failure(.failure(.badGateway, "the origin closed the connection during the TLS handshake")))
        context.fireChannelInactive()
    }

    private func finish(_ context: ChannelHandlerContext, _ result: Result<String?, Denial>) {
        guard let then else { return }
        self.then = nil
        if case .failure = result { context.close(promise: nil) }
        then(result)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

/// Gives NIO's connection race the addresses that were checked, and no others.
private final class CheckedAnswers: Resolver, Sendable {
    private let v4: [SocketAddress]
    private let v6: [SocketAddress]
    private let loop: any EventLoop

    init(_ addresses: [IPAddress], port: UInt16, loop: any EventLoop) throws {
        self.loop = loop
        v4 = try addresses.filter { $0.width == 32 }.map { try $0.socketAddress(port: port) }
        v6 = try addresses.filter { $0.width == 128 }.map { try $0.socketAddress(port: port) }
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { loop.makeSucceededFuture(v4) }
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { loop.makeSucceededFuture(v6) }
    func cancelQueries() {}
}
