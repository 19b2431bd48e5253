package import EgressControl
internal import EgressDNS
internal import EgressTLS
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOPosix

/// The jail's one way out.
///
/// The first thread listens to the supervisor; everything else happens on one event loop, on a thread of its own.
package enum Gateway {
    /// Serves until the supervisor goes away. Called on the first thread, with no other one running, once the process is
    /// confined: no file can be opened any more.
    package static func run(_ setup: EgressSetup) -> Never {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        do {
            let service = try loop.submit { NIOLoopBound(try GatewayService(setup, loop: loop), eventLoop: loop) }
                .wait()
            // The jail goes on with its start, and needs no more than the CA for it.
            try setup.channel.announce(try loop.submit { try service.value.identity() }.wait())
            // Before the first order, which brings the sockets.
            try loop.submit { try service.value.readTrust() }.wait()
            while let order = try setup.channel.nextOrder() {
                try loop.flatSubmit { service.value.carry(out: order) }.wait()
            }
            System.exitNow(0)
        } catch {
            tell(setup, error)
            System.exitNow(1)
        }
    }

    /// Why it ends: the supervisor knows no more than that it did.
    private static func tell(_ setup: EgressSetup, _ error: any Error) {
        var event = EgressEvent(.gateway, .failed, time: System.realtimeMilliseconds())
        event.reason = "the way out ends: \(error)"
        // Nobody is left to tell if this fails as well.
        _ = try? setup.channel.report([event.line])
    }
}

/// What serves one jail, made from what the supervisor gave.
final class GatewayService {
    private let setup: EgressSetup
    private let loop: any EventLoop
    private let connector: UpstreamConnector
    let authority: CertificateAuthority
    let state: GatewayState
    private let resolver: UpstreamResolver
    private var dns: DNSServer?

    init(_ setup: EgressSetup, loop: any EventLoop) throws {
        self.setup = setup
        self.loop = loop
        let policy = NetworkPolicy(setup.rules)
        authority =
            if let state = setup.state { try CertificateAuthority(state: state) } else {
                try CertificateAuthority.create(for: setup.jail)
            }
        resolver = UpstreamResolver(configuration: Self.configuration(setup, setup.resolver), eventLoop: loop)
        connector = UpstreamConnector(loop: loop, policy: policy, resolver: resolver)
        state = GatewayState(
            loop: loop, jail: setup.jail, profile: setup.profile, policy: policy,
            events: EventQueue(setup.channel, tellsAllowed: setup.tellsAllowed, loop: loop),
            names: try NameTable(descriptor: setup.names.number),
            contexts: try ServerContexts(authority: authority), pool: UpstreamPool(connector))
    }

    /// The resolver that the profile names, or the host's. The host's own names count in both cases.
    private static func configuration(_ setup: EgressSetup, _ files: ResolverFiles) -> ResolverConfiguration {
        ResolverConfiguration(servers: setup.rules.upstream.resolvers, hosts: files.hosts)
            ?? ResolverConfiguration(resolvConf: files.resolvConf, hosts: files.hosts)
    }

    func identity() throws -> EgressIdentity {
        var identity = EgressIdentity(
            certificate: Array(authority.certificatePEM.utf8), state: authority.stateBytes)
        if setup.wantsJavaTrustStore {
            let host = try TrustBundle(pem: setup.trust).certificates
            identity.javaTrustStore = JavaTrustStore.bytes(certificates: host + [authority.certificateDER])
        }
        return identity
    }

    /// The certificates that origins are verified against: a hundred and more, which takes a while.
    func readTrust() throws {
        connector.tls = try UpstreamTLS(trust: try TrustBundle(pem: setup.trust))
    }

    func carry(out order: EgressOrder) -> EventLoopFuture<Void> {
        switch order {
        // Exactly once, and that was it.
        case .setup: loop.makeFailedFuture(SystemError(.check, .invalid))
        case .resolver(let files):
            loop.makeCompletedFuture { resolver.configuration = Self.configuration(setup, files) }
        case .sockets(let sockets): serve(sockets)
        }
    }

    private func serve(_ sockets: EgressSockets) -> EventLoopFuture<Void> {
        let state = state
        let bound = state.bound
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.tick() }
        let responder = DNSResponder(
            table: state.names,
            isAllowed: { name in
                if case .allow = state.policy.decide(NetworkQuestion(host: .name(name))) { true } else { false }
            },
            onEvent: { event, untold in state.record(event, untold: untold) })
        let own = NIOLoopBound(self, eventLoop: loop)
        let started = DNSServer.start(
            udp: sockets.dnsDatagram.number, tcp: sockets.dnsStream.number, responder: responder, eventLoop: loop
        ).map { own.value.dns = $0 }
        let all =
            [started, Intake.serve(sockets.proxy, isProxy: true, state)]
            + sockets.listeners.map { Intake.serve($0, isProxy: false, state) }
        return EventLoopFuture.andAllSucceed(all, on: loop)
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
        events.record(event)
    }
}
