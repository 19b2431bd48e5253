internal import EgressControl
internal import EgressDNS
internal import EgressTLS
internal import JailCore
internal import JailPolicy
internal import NIOCore

/// What serves one jail, made from what its supervisor gave. Confined to the event loop.
final class GatewayService {
    private let loop: any EventLoop
    private let upstream: UpstreamRules
    private let connector: UpstreamConnector
    let authority: CertificateAuthority
    let state: GatewayState
    private let resolver: UpstreamResolver
    private var dns: DNSServer?
    private var listeners: [any Channel] = []
    private var clock: RepeatedTask?
    private var hasSockets = false

    init(_ setup: EgressSetup, loop: any EventLoop) throws {
        self.loop = loop
        upstream = setup.rules.upstream
        var policy = NetworkPolicy(setup.rules)
        policy.asks = setup.asks != nil
        authority =
            if let state = setup.state { try CertificateAuthority(state: state) } else {
                try CertificateAuthority.create(for: setup.jail)
            }
        resolver = UpstreamResolver(configuration: Self.configuration(upstream, setup.resolver), eventLoop: loop)
        connector = UpstreamConnector(loop: loop, policy: policy, resolver: resolver)
        let events = EventQueue(setup.channel, loop: loop)
        let pool = UpstreamPool(connector)
        let secrets = setup.secrets.isEmpty ? nil : SecretInjector(setup.secrets)
        state = GatewayState(
            loop: loop, jail: setup.jail, profile: setup.profile, policy: policy,
            events: events,
            names: try NameTable(descriptor: setup.names.borrowed.number, keeping: setup.names),
            contexts: try ServerContexts(authority: authority), pool: pool,
            spend: setup.spend.map { SpendMeter($0, setup.channel, loop: loop) },
            secrets: secrets,
            tokens: secrets.map {
                TokenKeeper($0, pool, events, RefreshReports(setup.channel, loop: loop))
            },
            canaries: setup.canaries.isEmpty ? nil : try CanaryGuard(setup.canaries),
            holds: setup.asks.map { RequestHolds(setup.channel, timeout: $0) })
    }

    /// The resolver that the profile names, or the host's. The host's own names count in both cases.
    private static func configuration(_ upstream: UpstreamRules, _ files: ResolverFiles) -> ResolverConfiguration {
        ResolverConfiguration(servers: upstream.resolvers, hosts: files.hosts)
            ?? ResolverConfiguration(resolvConf: files.resolvConf, hosts: files.hosts)
    }

    func identity(_ setup: EgressSetup) throws -> EgressIdentity {
        var identity = EgressIdentity(
            certificate: Array(authority.certificatePEM.utf8), state: authority.stateBytes)
        if setup.wantsJavaTrustStore {
            let host = try TrustBundle(pem: setup.trust).certificates
            identity.javaTrustStore = JavaTrustStore.bytes(certificates: host + [authority.certificateDER])
        }
        return identity
    }

    /// The certificates that origins are verified against. Until they are there nobody can be.
    func trust(_ roots: TrustRoots) { connector.tls = UpstreamTLS(trust: roots) }

    func carry(out order: EgressOrder) -> EventLoopFuture<Void> {
        switch order {
        case .resolver(let files):
            loop.makeCompletedFuture { resolver.configuration = Self.configuration(upstream, files) }
        case .verdict(let verdict): loop.makeCompletedFuture { state.holds?.take(verdict) }
        case .secret(let grant): loop.makeCompletedFuture { try take(grant) }
        case .revoke(let name, let placeholder): loop.makeCompletedFuture { try revoke(name, placeholder) }
        case .sockets(let sockets) where !hasSockets: serve(sockets)
        // Each exactly once, and those that are not for one jail.
        case .setup, .sockets, .share, .attach: loop.makeFailedFuture(SystemError(.check, .invalid))
        }
    }

    private func take(_ grant: SecretGrant) throws {
        guard state.secrets?.take(grant, now: .now()) == true else { throw SystemError(.check, .invalid) }
    }

    private func revoke(_ name: String, _ placeholder: SecretPlaceholder) throws {
        guard state.secrets?.revoke(name, placeholder, now: .now()) == true else { throw SystemError(.check, .invalid) }
    }

    private func serve(_ sockets: EgressSockets) -> EventLoopFuture<Void> {
        hasSockets = true
        let state = state
        let bound = state.bound
        clock = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.tick() }
        let responder = DNSResponder(
            table: state.names,
            // Before anything else is asked of a name, and of names as well that no host can have.
            isSuspect: { name in state.hasCanary(inName: name) },
            isAllowed: { name in
                if let denial = state.secrets?.misuse(in: name) {
                    state.recordDenial(.name, denial, Destination(host: .name(name), port: 0))
                    return false
                }
                return if case .allow = state.policy.reach(NetworkQuestion(host: .name(name))) { true } else { false }
            },
            onEvent: { event, untold in state.record(event, untold: untold) })
        let own = NIOLoopBound(self, eventLoop: loop)
        let started = DNSServer.start(
            udp: sockets.dnsDatagram.number, tcp: sockets.dnsStream.number, responder: responder, eventLoop: loop
        ).map { own.value.dns = $0 }
        let listening = ([(sockets.proxy, true)] + sockets.listeners.map { ($0, false) }).map { listener, isProxy in
            Intake.serve(listener, isProxy: isProxy, state).map { own.value.listeners.append($0) }
        }
        return EventLoopFuture.andAllComplete([started] + listening, on: loop).flatMap {
            EventLoopFuture.andAllSucceed([started] + listening, on: own.eventLoop)
        }
    }

    /// Takes everything down: what listens, what is connected on either side, and what is remembered of it.
    func end() {
        clock?.cancel()
        dns?.close()
        for listener in listeners { listener.close(promise: nil) }
        listeners = []
        state.end()
    }
}

extension GatewayState {
    fileprivate func record(_ seen: DNSResponder.Event, untold: Int) {
        var event = EgressEvent(.name, .denied, time: System.realtimeMilliseconds())
        event.scheme = "dns"
        switch seen {
        case .denied(let name):
            event.host = name
            event.reason = "no rule allows this name"
            if let host = HostName(wire: name.utf8),
                case .deny(let denial) = policy.decide(NetworkQuestion(host: .name(host)))
            {
                event.reason = denial.reason
                event.rule = denial.rule
                event.remedy = denial.remedy
            }
        case .noAddress(let name, let error):
            event.verdict = .failed
            event.host = name.text
            event.reason = error?.description ?? "too many names at the same time"
        case .tooManyQueries: event.reason = "too many queries"
        }
        if untold > 0 { event.reason = "\(event.reason ?? "") (and \(untold) more before it)" }
        record(event)
    }
}
