package import JailPolicy
package import NIOCore

/// Looks up names that are about to be dialled. A stub resolver (RFC 1034, 5.3.1): a static program has none of the C
/// library's, and this one says nothing to anybody but the configured servers. Confined to one event loop.
package final class UpstreamResolver {
    /// Names looked up at the same time; one more fails with ``ResolutionError/overloaded``.
    package static let mostLookups = 128

    private let eventLoop: any EventLoop
    private var cache = ResolverCache()
    private var running: [HostName: EventLoopFuture<[IPAddress]>] = [:]
    /// Counts configurations: what an earlier one found out does not count any more.
    private var generation = 0

    /// May be replaced at any time; lookups that are under way end with the former one.
    package var configuration: ResolverConfiguration {
        didSet {
            guard configuration != oldValue else { return }
            generation += 1
            cache = ResolverCache()
            running = [:]
        }
    }

    package init(configuration: ResolverConfiguration, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.eventLoop = eventLoop
    }

    /// All addresses of a name, IPv4 first, never none: the hosts file's if it has the name, otherwise what the servers
    /// say. Nobody has judged them yet. Ends within ten seconds; fails with a ``ResolutionError``. To be called on the
    /// event loop, and only for a name that may be dialled.
    package func resolve(_ name: HostName) -> EventLoopFuture<[IPAddress]> {
        eventLoop.preconditionInEventLoop()
        if let addresses = configuration.hosts[name] { return eventLoop.makeSucceededFuture(addresses) }
        guard name.isPublic else { return failed(.notLookedUp) }
        if let addresses = cache.addresses(of: name, now: .now()) {
            return addresses.isEmpty ? failed(.notFound) : eventLoop.makeSucceededFuture(addresses)
        }
        if let lookup = running[name] { return lookup }
        guard running.count < Self.mostLookups else { return failed(.overloaded) }
        return start(name)
    }

    private func start(_ name: HostName) -> EventLoopFuture<[IPAddress]> {
        let generation = generation
        let lookup = NameLookup(name, configuration: configuration, eventLoop: eventLoop).run()
        let addresses = lookup.flatMapThrowing { found throws -> [IPAddress] in
            guard !found.addresses.isEmpty else { throw ResolutionError.notFound }
            return found.addresses
        }
        running[name] = addresses
        lookup.assumeIsolated().whenComplete { result in
            guard generation == self.generation else { return }
            self.running[name] = nil
            guard case .success(let found) = result else { return }
            let time = found.addresses.isEmpty ? ResolverCache.negativeTime : found.timeToLive
            self.cache.store(found.addresses, of: name, timeToLive: time, now: .now())
        }
        return addresses
    }

    private func failed(_ error: ResolutionError) -> EventLoopFuture<[IPAddress]> { eventLoop.makeFailedFuture(error) }
}
