internal import DNSMessages
internal import JailPolicy
internal import NIOCore

/// Both families of one name, asked for at the same time.
final class NameLookup {
    struct Found: Sendable {
        /// IPv4 first; empty: there is no such name, or it has no address.
        var addresses: [IPAddress]
        var timeToLive: UInt32
    }

    /// For everything, all servers and rounds.
    static let longest = TimeAmount.seconds(10)
    /// How long one family waits for the other, once it has addresses. A server that is silent about one type is no
    /// reason to wait for its time-out.
    static let grace = TimeAmount.milliseconds(250)

    private let name: DNSName
    private let configuration: ResolverConfiguration
    private let eventLoop: any EventLoop
    private let types: [DNSType]
    private let promise: EventLoopPromise<Found>
    private let isOver: NIOLoopBoundBox<Bool>
    private var results: [DNSType: Result<TypeLookup.Answer, any Error>] = [:]
    private var timer: Scheduled<Void>?

    init(_ name: HostName, configuration: ResolverConfiguration, eventLoop: any EventLoop) {
        self.name = DNSName(name)
        self.configuration = configuration
        self.eventLoop = eventLoop
        types = configuration.asksForIPv6 ? [.a, .aaaa] : [.a]
        promise = eventLoop.makePromise()
        isOver = NIOLoopBoundBox(false, eventLoop: eventLoop)
    }

    func run() -> EventLoopFuture<Found> {
        let deadline = NIODeadline.now() + Self.longest
        for type in types {
            let lookup = TypeLookup(
                name: name, type: type, configuration: configuration, eventLoop: eventLoop, deadline: deadline,
                isOver: isOver)
            lookup.run().assumeIsolated().whenComplete { self.receive($0, type) }
        }
        return promise.futureResult
    }

    private func receive(_ result: Result<TypeLookup.Answer, any Error>, _ type: DNSType) {
        guard !isOver.value else { return }
        results[type] = result
        switch result {
        case _ where results.count == types.count: finish()
        // NXDOMAIN ends nothing here: servers exist that say so when they mean "not of this type" (RFC 4074, 4.2).
        case .success(.addresses):
            timer = eventLoop.assumeIsolated().scheduleTask(in: Self.grace) { self.finish() }
        default: return
        }
    }

    private func finish() {
        guard !isOver.value else { return }
        isOver.value = true
        timer?.cancel()
        var found = Found(addresses: [], timeToLive: .max)
        var exists = true
        var failure: (any Error)?
        for type in types {
            switch results[type] {
            case .success(.addresses(let addresses, let timeToLive)):
                found.addresses += addresses
                found.timeToLive = min(found.timeToLive, timeToLive)
            case .success(.none(let nameExists)): exists = exists && nameExists
            case .failure(let error): failure = failure ?? error
            case nil: continue
            }
        }
        if let failure, exists, found.addresses.isEmpty { return promise.fail(failure) }
        promise.succeed(found)
    }
}
