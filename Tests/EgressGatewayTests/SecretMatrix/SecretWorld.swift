import EgressControl
import EgressTLS
import JailPolicy
import NIOCore
import NIOSSL
import Testing

@testable import EgressGateway

/// A way out with one secret that is bound to GET and POST of one path of one port of a.test, and others that a request
/// could go to instead.
struct SecretWorld: Sendable {
    static let token = SecretJail.placeholder
    static let value = SecretJail.value
    static let bearer = "Authorization: Bearer \(token)\r\n"

    let gateway: TestGateway
    /// The bound one's port.
    let port: Int
    /// What the bound one has heard.
    let heard: @Sendable () -> String
    /// a.test on another port, b.test, a.test in cleartext, one that gets bytes as they are, one with TLS of its own.
    let otherPort: Origin
    let otherHost: Origin
    let clear: Origin
    let bytes: Origin
    let passed: Origin

    static func open(_ host: SecretCase.Host) async throws -> SecretWorld {
        let port: Int
        let heard: @Sendable () -> String
        switch host {
        case .http1(let kind):
            let origin = try await Origin.start(kind, tls: "a.test")
            (port, heard) = (origin.port, { text(origin) })
        case .http2(let answer):
            let origin = try await HTTP2Origin.start(answer)
            (port, heard) = (origin.port, { "\(origin.heads)" })
        case .raw(let script):
            let origin = try await Origin.start(.raw(script), tls: "a.test", alpn: "h2")
            (port, heard) = (origin.port, { text(origin) })
        }
        let otherPort = try await Origin.start(tls: "a.test")
        let otherHost = try await Origin.start(tls: "b.test")
        let clear = try await Origin.start()
        let bytes = try await Origin.start(.raw { _ in [] })
        let passed = try await Origin.start(tls: "b.test")
        let all = "methods: ['GET', 'POST', 'PUT'], websocket: true"
        let secrets = """
            [{ name: 'key', hosts: ['a.test'], ports: [\(port)], methods: ['GET', 'POST'], paths: ['/'], inject: 'bearer' }]
            """
        let gateway = try await TestGateway.start(
            """
            allow: [
              { hosts: ['a.test'], ports: [\(port), \(otherPort.port), \(clear.port)], \(all) },
              { hosts: ['b.test'], ports: [\(otherHost.port)], \(all) },
              { hosts: ['a.test'], ports: [\(bytes.port)], protocol: 'tcp' },
              { hosts: ['b.test'], ports: [\(passed.port)], inspect: false },
            ]
            """, secrets: try SecretRules(text: Array(secrets.utf8)))
        let placeholder = try #require(SecretPlaceholder(text: token))
        try await gateway.give(SecretGrant(name: "key", placeholder: placeholder, value: SecretValue(value.utf8)))
        return SecretWorld(
            gateway: gateway, port: port, heard: heard, otherPort: otherPort, otherHost: otherHost, clear: clear,
            bytes: bytes, passed: passed)
    }

    /// What all have heard who are to have nothing.
    var elsewhere: String { [otherPort, otherHost, clear, bytes, passed].map(Self.text).joined() }

    private static func text(_ origin: Origin) -> String {
        origin.requests.map { request in
            "\(request.method) \(request.target)\n\(request.headers)\n" + String(decoding: request.body, as: UTF8.self)
        }.joined() + origin.raw
    }

    // MARK: Clients

    /// A connection that speaks TLS with the way out, as if to this host and port.
    func client(_ name: String = "a.test", _ port: Int? = nil, serverName: String? = nil) async throws -> Client {
        let client = try await plain(name, port ?? self.port)
        try await client.secure(gateway.clientContext(["http/1.1"]), serverName ?? name, orFail: serverName == nil)
        return client
    }

    /// One that speaks for itself.
    func plain(_ name: String, _ port: Int) async throws -> Client {
        let destination = Destination(
            host: .name(try #require(HostName(wire: name.utf8))), port: UInt16(clamping: port))
        return try await Client.connect(gateway.listen(for: destination))
    }

    /// One request to the bound host, and all that is answered.
    func ask(_ method: String = "GET", _ target: String = "/", _ fields: String = "", body: String = "") async throws
        -> String
    { try await ask(client(), "a.test:\(port)", method, target, fields, body: body) }

    /// - Parameter authority: for `Host`.
    func ask(
        _ client: Client, _ authority: String, _ method: String = "GET", _ target: String = "/", _ fields: String,
        body: String = ""
    ) async throws -> String {
        try? await client.send(
            "\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n\(fields)\r\n\(body)")
        return try await client.receiveAll()
    }

    /// Through the proxy, as it is.
    func proxy(_ text: String) async throws -> String { try await Client.ask(gateway.proxyPort, text) }

    /// One stream of HTTP/2.
    func stream(
        _ more: [(String, String)], method: String = "GET", path: String = "/", authority: String? = nil,
        parts: [String]? = nil, trailers: [(String, String)] = []
    ) async throws -> String {
        let destination = Destination(host: .name("a.test"), port: UInt16(clamping: port))
        let client = try await HTTP2Client.connect(gateway, gateway.listen(for: destination))
        defer { client.close() }
        let fields = [
            (":method", method), (":scheme", "https"), (":authority", authority ?? "a.test:\(port)"), (":path", path),
        ]
        let heard = try await client.ask(fields + more, parts: parts?.map(ByteBuffer.init(string:)), trailers: trailers)
        return "HTTP/1.1 \(heard.status ?? "-")\n\(heard.headers)\n\(heard.text)"
    }

    /// A WebSocket with the secret in its handshake, these frames of the client's, and all that is heard.
    func socket(_ frames: [UInt8] = [], _ fields: String = bearer, until end: String? = nil) async throws -> String {
        let client = try await client()
        try await client.send(
            "GET / HTTP/1.1\r\nHost: a.test:\(port)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(WebSocketTests.key)\r\n\(fields)\r\n")
        _ = try await client.receive(until: end ?? "\r\n\r\n")
        defer { client.close() }
        guard end == nil else { return client.text }
        for byte in frames { try? await client.send([byte]) }
        return try await client.receiveAll()
    }

    /// A question for a name, over TCP.
    func resolve(_ labels: [String]) async throws -> String {
        let name = labels.flatMap { (label: String) -> [UInt8] in [UInt8(label.utf8.count)] + Array(label.utf8) } + [0]
        let query: [UInt8] = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + [0, 1, 0, 1]
        let client = try await Client.connect(gateway.dnsPort)
        try await client.send([0, UInt8(query.count)] + query)
        #expect(await eventually { client.count > 2 || client.end != nil })
        client.close()
        return client.text
    }

    /// TLS with an origin itself.
    static func originContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        let pem = try TestGateway.originAuthority.get().certificatePEM
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
        return try NIOSSLContext(configuration: configuration)
    }
}
