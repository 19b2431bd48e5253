internal import DNSMessages
internal import JailPolicy
internal import NIOCore

/// The addresses of one family, from the first server that can tell.
struct TypeLookup: Sendable {
    enum Answer: Equatable, Sendable {
        case addresses([IPAddress], timeToLive: UInt32)
        /// The name has no address of this type; with `nameExists` false it has none of any.
        case none(nameExists: Bool)
    }

    /// Addresses of one answer; more are left out, before anybody judges them.
    static let mostAddresses = 32

    let name: DNSName
    let type: DNSType
    let configuration: ResolverConfiguration
    let eventLoop: any EventLoop
    /// Of the lookup as a whole.
    let deadline: NIODeadline
    /// Set when nobody waits for this any more: then no further query goes out.
    let isOver: NIOLoopBoundBox<Bool>

    /// Fails with a ``ResolutionError``.
    func run() -> EventLoopFuture<Answer> { ask(0, lastError: .timedOut) }

    /// All servers in their order, and that as often as the configuration says.
    private func ask(_ number: Int, lastError: ResolutionError) -> EventLoopFuture<Answer> {
        let servers = configuration.servers
        guard number < servers.count * configuration.attempts, !isOver.value, NIODeadline.now() < deadline else {
            return eventLoop.makeFailedFuture(lastError)
        }
        return ask(servers[number % servers.count], withExtensions: true).flatMapError { error in
            ask(number + 1, lastError: error as? ResolutionError ?? .unreachable)
        }
    }

    private func ask(_ server: Endpoint, withExtensions: Bool) -> EventLoopFuture<Answer> {
        var random = SystemRandomNumberGenerator()
        let query = DNSQuery(
            id: random.next(), question: DNSQuestion(name: name.withRandomCase(using: &random), type: type),
            extensions: withExtensions ? DNSExtensions(payloadSize: 1232) : nil)
        return exchange(query, with: server).flatMap { response in
            switch response.code {
            case .noError, .nameError: return eventLoop.makeCompletedFuture(judge(response))
            // Servers from before EDNS (RFC 6891, 7).
            case .formatError where withExtensions, .notImplemented where withExtensions,
                .badVersion where withExtensions:
                return ask(server, withExtensions: false)
            default: return eventLoop.makeFailedFuture(ResolutionError.serverFailure(response.code))
            }
        }
    }

    private func exchange(_ query: DNSQuery, with server: Endpoint) -> EventLoopFuture<DNSResponse> {
        let address: SocketAddress
        do {
            address = try NumericAddress.socketAddress(server.address, port: server.port)
        } catch {
            return eventLoop.makeFailedFuture(ResolutionError.unreachable)
        }
        let exchange = Exchange(query: query, server: address, eventLoop: eventLoop)
        if configuration.usesStreams { return exchange.overTCP(until: tryDeadline) }
        return exchange.overUDP(until: tryDeadline).flatMap { response in
            response.isTruncated ? exchange.overTCP(until: tryDeadline) : eventLoop.makeSucceededFuture(response)
        }
    }

    private var tryDeadline: NIODeadline { min(.now() + configuration.timeout, deadline) }

    private func judge(_ response: DNSResponse) -> Result<Answer, any Error> {
        guard let found = response.addresses else { return .failure(ResolutionError.badAnswer) }
        guard response.code == .noError else { return .success(.none(nameExists: false)) }
        guard !found.addresses.isEmpty else { return .success(.none(nameExists: true)) }
        let addresses = Array(found.addresses.prefix(Self.mostAddresses))
        return .success(.addresses(addresses, timeToLive: found.timeToLive))
    }
}
