import EgressControl
import EgressTLS
import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import EgressGateway

/// A process that several jails share, as its holder and their supervisors see it. Its first thread is the test's: it takes
/// a turn when the test says so.
final class SharedGateway {
    let jails: ServedJails
    private let holder: SharedDescriptor

    init() throws {
        let (ours, theirs) = try Self.makeChannel()
        holder = ours
        jails = ServedJails(TestGateway.loop, attachedBy: EgressChannel(theirs.take()))
    }

    fileprivate static func makeChannel() throws -> (SharedDescriptor, SharedDescriptor) {
        let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
        for number in [ours, theirs] { try System.setNonBlocking(Descriptor(number)) }
        return (SharedDescriptor(OwnedDescriptor(ours)), SharedDescriptor(OwnedDescriptor(theirs)))
    }

    /// What the holder says.
    func say(_ packet: EgressMessage.Packet, _ descriptors: [Descriptor] = []) throws -> Bool {
        try System.send(holder.borrowed, packet.bytes, descriptors: descriptors)
        return try jails.serveOnce()
    }

    func leave() throws -> Bool {
        _ = holder.take()
        return try jails.serveOnce()
    }

    func attach(_ name: String) throws -> SharedJail {
        let (ours, theirs) = try Self.makeChannel()
        #expect(try say(EgressMessage.attach, [theirs.borrowed]))
        return SharedJail(name, ours, jails)
    }

    /// One that is served already.
    func start(_ name: String, _ rules: String, names: [String] = ["a.test", "b.test"]) throws -> SharedJail {
        let jail = try attach(name)
        try jail.setUp(rules, names: names)
        try jail.serve()
        return jail
    }
}

/// A jail of a shared process, and its supervisor.
final class SharedJail {
    let name: String
    private(set) var proxyPort = 0
    private(set) var identity: EgressIdentity?
    private(set) var events: [EgressEvent] = []
    private(set) var hasEnded = false
    private let supervisor: SharedDescriptor
    private let jails: ServedJails

    init(_ name: String, _ supervisor: SharedDescriptor, _ jails: ServedJails) {
        self.name = name
        self.supervisor = supervisor
        self.jails = jails
    }

    /// - Parameter names: those of origins, all on 127.0.0.1.
    func setUp(
        _ rules: String, names: [String] = ["a.test", "b.test"], trust: String? = nil, state: [UInt8]? = nil
    ) throws {
        let trust = try trust ?? TestGateway.originAuthority.get().certificatePEM
        let policy = try NetworkRules(text: Array("{ allowPrivate: ['127.0.0.1/32'], \(rules) }".utf8))
        let hosts = names.map { "127.0.0.1 \($0)\n" }.joined()
        var files = try [policy.json.text(), trust, "", hosts].map {
            SharedDescriptor(try System.makeMemoryFile("test", Array($0.utf8)))
        }
        files.append(SharedDescriptor(try System.makeMemoryFile("names", [], sealed: false)))
        if let state { files.append(SharedDescriptor(try System.makeMemoryFile("state", state))) }
        try say(EgressMessage.setup(jail: name, profile: name, wantsJavaTrustStore: false).bytes, files)
    }

    func serve() throws {
        let sockets = [
            SharedDescriptor(try System.makeDatagramSocket()), SharedDescriptor(try System.makeInternetSocket()),
            SharedDescriptor(try System.makeInternetSocket()),
        ]
        for (index, socket) in sockets.enumerated() {
            try System.bind(socket.borrowed, address: 0x7F00_0001, port: 0)
            if index > 0 { try System.listen(socket.borrowed) }
        }
        let port = try System.localPort(sockets[2].borrowed)
        proxyPort = Int(port)
        try say(EgressMessage.sockets(proxy: port, ports: []).bytes, sockets)
    }

    /// Says something, and lets the process take a turn.
    func say(_ bytes: [UInt8], _ descriptors: [SharedDescriptor] = []) throws {
        try withExtendedLifetime(descriptors) {
            try System.send(supervisor.borrowed, bytes, descriptors: descriptors.map(\.borrowed))
        }
        #expect(try jails.serveOnce())
        try read()
    }

    func leave() throws {
        _ = supervisor.take()
        #expect(try jails.serveOnce())
    }

    /// What the process has said so far.
    func read() throws {
        while !hasEnded {
            let received: (bytes: [UInt8], descriptors: [Int32])
            do throws(SystemError) {
                received = try System.receive(supervisor.borrowed, most: EgressMessage.sizeLimit, descriptors: 3)
            } catch  where error.errno == .wouldBlock { return }
            hasEnded = received.bytes.isEmpty
            defer { for number in received.descriptors { System.close(number) } }
            switch try EgressMessage.report(received.bytes, received.descriptors.map(Descriptor.init)) {
            case .ready(let identity): self.identity = identity
            case .events(let some): events += some
            case .spend, .renewed, .ask, .withdrawn: break
            case .failure, nil: #expect(hasEnded)
            }
        }
    }

    /// The status line of an answer that the jail's proxy gives.
    func ask(_ method: String, _ url: String, _ authority: String) async throws -> String {
        let text = "\(method) \(url) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n\r\n"
        return String(try await Client.ask(proxyPort, text).prefix { $0 != "\r\n" })
    }
}
