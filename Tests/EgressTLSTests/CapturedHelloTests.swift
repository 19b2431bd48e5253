import JailCore
import JailPolicy
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import EgressTLS

/// ClientHellos of real programs, taken from loopback.
@Suite(.serialized) struct CapturedHelloTests {
    private static let name = "api.example.com"

    private static func capture(_ client: Client) throws -> [UInt8] {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: [UInt8].self)
        let server = try LoopbackServer { channel in
            try channel.pipeline.syncOperations.addHandler(FirstBytes(promise))
        }
        let directory = try TemporaryDirectory()
        let authority = try CertificateAuthority.create(for: "test")
        let store = try directory.file("trust.jks")
        let file = try System.open(store, [.writeOnly])
        try System.writeAll(file.borrowed, JavaTrustStore.bytes(certificates: [authority.certificateDER]))
        _ = try client.fetch(
            Client.Target(
                name: name, port: server.port, bundle: try directory.file("ca.pem", authority.certificatePEM),
                javaStore: store, directory: directory))
        // A client that never came must not block the test.
        promise.fail(TooEarly())
        return try promise.futureResult.wait()
    }

    @Test(arguments: [Client.openssl, .curl, .node, .nodeFetch, .python, .java, .git])
    func `the first bytes of real programs are read`(client: Client) throws {
        guard Program.path(of: client.program) != nil else { return print("NOT TESTED: \(client)") }
        let bytes = try Self.capture(client)
        guard case .hello(let hello) = parse(bytes) else {
            Issue.record("\(parse(bytes)): \(bytes)")
            return
        }
        print("\(client): \(bytes.count) bytes, ALPN \(hello.alpn), ECH \(hello.offersECH), \(hello.supportedVersions)")
        #expect(hello.serverName?.text == Self.name)
        #expect(hello.byteCount == bytes.count)
        #expect(hello.supportedVersions.contains(0x0304))
        if client == .curl { #expect(hello.alpn == ["h2", "http/1.1"]) }
        for count in bytes.indices { #expect(parse(Array(bytes.prefix(count))) == .needMore, "\(count) bytes") }
        let message = Array(bytes.dropFirst(5))
        for size in [100, 255, 1_000] {
            var cut = hello
            let records = HelloBytes.records(message, of: size)
            cut.byteCount = records.count
            #expect(parse(records) == .hello(cut))
        }
    }
}

/// Keeps what comes first, and hangs up.
private final class FirstBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let promise: EventLoopPromise<[UInt8]>
    private var parser = ClientHelloParser()
    private var bytes: [UInt8] = []

    init(_ promise: EventLoopPromise<[UInt8]>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        bytes += buffer.readableBytesView
        guard parser.feed(buffer) != .needMore else { return }
        promise.succeed(bytes)
        context.close(promise: nil)
    }
}
