import EgressControl
import EgressTLS
import JailCore
import JailPolicy
import NIOCore
import NIOPosix
import NIOSSL
import SecretTraces
import Testing

@testable import EgressGateway

/// The whole gateway on loopback: its proxy, and connections that go in as transparent ones do.
///
/// Names come from a hosts file of the test's own; nobody is ever asked for them.
struct TestGateway: Sendable {
    /// All gateways, origins and clients of the tests.
    static let loop: any EventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    /// Signs for all origins.
    static let originAuthority = Result { try CertificateAuthority.create(for: "origins") }

    let service: NIOLoopBound<GatewayService>
    let proxyPort: Int
    /// Of the resolver, for TCP.
    let dnsPort: Int
    let certificatePEM: String
    /// The supervisor's end. It stays open: without it the gateway would end the process.
    private let supervisor: Descriptor

    /// - Parameters:
    ///   - rules: the inside of `network`; 127.0.0.1 is allowed by it.
    ///   - names: those of origins, all on 127.0.0.1.
    ///   - spend: what may be spent.
    ///   - secrets: which secrets go where; they come with ``give(_:)``.
    ///   - canaries: what is looked for.
    static func start(
        _ rules: String, names: [String] = ["a.test", "b.test"], spend: SpendSetup? = nil,
        secrets: SecretRules = SecretRules(), canaries: [KnownCanary] = [], asks: UInt64? = nil
    ) async throws -> TestGateway {
        let pair = try System.makeSocketPair(.sequencedPacket).release()
        for end in [pair.first, pair.second] { try System.setNonBlocking(Descriptor(end)) }
        let file = try System.makeMemoryFile("names", [], sealed: false).release()
        let trust = try originAuthority.get().certificatePEM
        let hosts = names.map { "127.0.0.1 \($0)\n" }.joined()
        let setup = EgressSetup(
            jail: "test", profile: "test",
            rules: try NetworkRules(text: Array("{ allowPrivate: ['127.0.0.1/32'], \(rules) }".utf8)),
            trust: Array(trust.utf8), resolver: ResolverFiles(resolvConf: [], hosts: Array(hosts.utf8)), state: nil,
            names: KeptDescriptor(OwnedDescriptor(file)), wantsJavaTrustStore: false,
            spend: spend, secrets: secrets, canaries: canaries, asks: asks,
            channel: EgressChannel(OwnedDescriptor(pair.first)))
        let resolver = try listener()
        let sockets = EgressSockets(
            dnsDatagram: try bound(System.makeDatagramSocket()).0, dnsStream: resolver.socket,
            proxy: try listener(), listeners: [])
        let loop = Self.loop
        let service = try await loop.submit {
            let service = try GatewayService(setup, loop: loop)
            service.trust(try TrustRoots(pem: Array(trust.utf8)))
            return NIOLoopBound(service, eventLoop: loop)
        }.get()
        try await loop.flatSubmit { service.value.carry(out: .sockets(sockets)) }.get()
        let pem = try await loop.submit { service.value.authority.certificatePEM }.get()
        return TestGateway(
            service: service, proxyPort: Int(sockets.proxy.port), dnsPort: Int(resolver.port), certificatePEM: pem,
            supervisor: Descriptor(pair.second))
    }

    /// A secret, as the supervisor gives it.
    func give(_ grant: SecretGrant) async throws {
        let service = service
        try await Self.loop.flatSubmit { service.value.carry(out: .secret(grant)) }.get()
    }

    /// What it asks next: waits for it.
    func asked() async throws -> EgressAsk {
        for _ in 0..<6000 {
            guard let packet = try? System.receive(supervisor, most: 256 << 10) else {
                try await Task.sleep(for: .milliseconds(10))
                continue
            }
            if case .ask(let ask)? = try EgressMessage.report(packet.bytes, []) { return ask }
        }
        throw SystemError(.check, .invalid)
    }

    /// What the supervisor says to it.
    func answer(_ verdict: EgressVerdict) async throws {
        let service = service
        try await Self.loop.flatSubmit { service.value.carry(out: .verdict(verdict)) }.get()
    }

    private static func bound(_ socket: consuming OwnedDescriptor) throws -> (Descriptor, UInt16) {
        try System.bind(socket.borrowed, address: 0x7F00_0001, port: 0)
        let port = try System.localPort(socket.borrowed)
        return (Descriptor(socket.release()), port)
    }

    private static func listener() throws -> EgressSockets.Listener {
        let (socket, port) = try bound(System.makeInternetSocket())
        try System.listen(socket)
        return EgressSockets.Listener(socket: socket, port: port)
    }

    /// A port on which every connection is one to the destination.
    func listen(for destination: Destination) async throws -> Int {
        let service = service
        let channel = try await ServerBootstrap(group: Self.loop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let state = service.value.state
                    guard let connection = try Intake.admit(channel, state) else { return }
                    try Intake.open(channel, destination, connection, state)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return try #require(channel.localAddress?.port)
    }

    /// What the supervisor is told, until nothing more has come for a moment.
    ///
    /// - Parameter patience: how long a moment is, in hundredths of a second.
    private func reports(patience: Int = 10) async throws -> [EgressMessage.Report] {
        var reports: [EgressMessage.Report] = []
        var quiet = 0
        while quiet < patience {
            guard let packet = try? System.receive(supervisor, most: 256 << 10) else {
                quiet += 1
                // What a busy loop has still to tell comes first.
                try await Self.loop.submit {}.get()
                try await Task.sleep(for: .milliseconds(10))
                continue
            }
            quiet = 0
            if let report = try EgressMessage.report(packet.bytes, []) { reports.append(report) }
        }
        return reports
    }

    /// What was told last of what is spent, and which limits were told to be reached, in all.
    func spent() async throws -> (last: SpendReport?, refused: [SpendLimit]) {
        var last: SpendReport?
        var refused: [SpendLimit] = []
        for case .spend(let report) in try await reports() {
            last = report
            refused += report.refused
        }
        return (last, refused)
    }

    /// What was told so far, once nothing more has come for a moment.
    ///
    /// - Parameter patience: how long a moment is, in hundredths of a second.
    func events(patience: Int = 10) async throws -> [EgressEvent] {
        var events: [EgressEvent] = []
        for case .events(let some) in try await reports(patience: patience) {
            events += some
        }
        return events
    }

    /// Refresh tokens that were told to have taken the place of others, with their secrets' names.
    func renewed() async throws -> [String] {
        var told: [String] = []
        for case .renewed(let name, let value) in try await reports() {
            let text = value.withBytes { span in String(decoding: span.indices.map { span[$0] }, as: UTF8.self) }
            told.append("\(name) \(text)")
        }
        return told
    }

    /// On the loop.
    func with<Value: Sendable>(_ body: @escaping @Sendable (GatewayState) throws -> Value) async throws -> Value {
        let service = service
        return try await Self.loop.submit { try body(service.value.state) }.get()
    }

    /// TLS for a client in the jail.
    func clientContext(_ protocols: [String]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(certificatePEM.utf8))
        configuration.trustRoots = .certificates(certificates)
        configuration.applicationProtocols = protocols
        return try NIOSSLContext(configuration: configuration)
    }
}

/// Waits until something is so, for at most a minute: beside all other tests a loop may have to wait for its turn.
func eventually(_ condition: @Sendable () throws -> Bool) async rethrows -> Bool {
    for _ in 0..<12_000 {
        if try condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return try condition()
}
