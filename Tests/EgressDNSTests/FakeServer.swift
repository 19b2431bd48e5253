import DNSMessages
import JailPolicy
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import EgressDNS

/// A name server on loopback that does as the test says, and writes down what it was asked.
final class FakeServer: Sendable {
    struct Question: Sendable {
        var query: DNSQuery
        /// The asker's.
        var port: Int
        var isStream: Bool
        var name: String { query.question.name.folded.text }
        var type: DNSType { query.question.type }
    }

    enum Action: Sendable {
        case send([UInt8])
        /// From a socket with another port.
        case sendFromElsewhere([UInt8])
        /// After so many milliseconds.
        case sendLater([UInt8], Int64)
        /// A stream: without length, as it is.
        case sendRaw([UInt8])
        case close
    }

    typealias Behaviour = @Sendable (Question) -> [Action]

    let port: UInt16
    private let log = Mutex<[Question]>([])
    private let malformed = Mutex(0)

    var questions: [Question] { log.withLock { $0 } }
    /// Datagrams and messages that were no query.
    var misunderstood: Int { malformed.withLock { $0 } }
    var server: Endpoint { Endpoint(address: .v4(0x7F00_0001), port: port) }

    private init(port: UInt16) { self.port = port }

    /// On a port of 127.0.0.1 that is free for both transports.
    static func start(on loop: any EventLoop, _ behaviour: @escaping Behaviour) async throws -> FakeServer {
        for _ in 0..<20 {
            let socket = try Socket(.datagram)
            try socket.bind(0x7F00_0001, port: 0)
            let server = FakeServer(port: socket.localPort)
            let descriptor = socket.release()
            let streams = ServerBootstrap(group: loop)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(FakeStream(server, behaviour))
                    }
                }
            guard (try? await streams.bind(host: "127.0.0.1", port: Int(server.port)).get()) != nil else { continue }
            let elsewhere = try await DatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
            _ = try await DatagramBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(FakeDatagrams(server, behaviour, elsewhere))
                    }
                }
                .withBoundSocket(descriptor).get()
            return server
        }
        throw ResolutionError.unreachable
    }

    fileprivate func read(_ bytes: [UInt8], from address: SocketAddress?, isStream: Bool) -> Question? {
        guard case .query(let query) = DNSQuery.read(bytes) else {
            malformed.withLock { $0 += 1 }
            return nil
        }
        let question = Question(query: query, port: address?.port ?? 0, isStream: isStream)
        log.withLock { $0.append(question) }
        return question
    }
}

private final class FakeDatagrams: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let server: FakeServer
    private let behaviour: FakeServer.Behaviour
    private let elsewhere: any Channel

    init(_ server: FakeServer, _ behaviour: @escaping FakeServer.Behaviour, _ elsewhere: any Channel) {
        self.server = server
        self.behaviour = behaviour
        self.elsewhere = elsewhere
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let (channel, asker) = (context.channel, envelope.remoteAddress)
        guard let question = server.read(Array(envelope.data.readableBytesView), from: asker, isStream: false) else {
            return
        }
        func reply(_ bytes: [UInt8]) -> AddressedEnvelope<ByteBuffer> {
            AddressedEnvelope(remoteAddress: asker, data: ByteBuffer(bytes: bytes))
        }
        for action in behaviour(question) {
            switch action {
            case .send(let bytes), .sendRaw(let bytes): channel.writeAndFlush(reply(bytes), promise: nil)
            case .sendFromElsewhere(let bytes): elsewhere.writeAndFlush(reply(bytes), promise: nil)
            case .sendLater(let bytes, let time):
                let envelope = reply(bytes)
                context.eventLoop.scheduleTask(in: .milliseconds(time)) {
                    channel.writeAndFlush(envelope, promise: nil)
                }
            case .close: break
            }
        }
    }
}

private final class FakeStream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: FakeServer
    private let behaviour: FakeServer.Behaviour
    private var buffer = ByteBuffer()

    init(_ server: FakeServer, _ behaviour: @escaping FakeServer.Behaviour) {
        self.server = server
        self.behaviour = behaviour
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        guard let message = buffer.readLengthPrefixedSlice(as: UInt16.self),
            let question = server.read(
                Array(message.readableBytesView), from: context.channel.remoteAddress, isStream: true)
        else { return }
        let channel = context.channel
        for action in behaviour(question) {
            switch action {
            case .send(let bytes), .sendFromElsewhere(let bytes):
                // Byte by byte: the length and the message may come in any pieces.
                for byte in [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes {
                    channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil)
                }
            case .sendRaw(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            case .sendLater: break
            case .close: channel.close(promise: nil)
            }
        }
    }
}

/// Records for answers that the package itself never writes.
struct FakeRecord: Sendable {
    var name: String
    var type: DNSType
    var timeToLive: UInt32 = 60
    var data: [UInt8]

    static func address(_ name: String, _ address: IPAddress, timeToLive: UInt32 = 60) -> FakeRecord {
        func bytes(_ number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
            stride(from: number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
        }
        switch address {
        case .v4(let number): return FakeRecord(name: name, type: .a, timeToLive: timeToLive, data: bytes(number))
        case .v6(let high, let low):
            return FakeRecord(name: name, type: .aaaa, timeToLive: timeToLive, data: bytes(high) + bytes(low))
        }
    }

    static func alias(_ name: String, _ target: String) -> FakeRecord {
        FakeRecord(name: name, type: .cname, data: wire(target))
    }

    static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    var bytes: [UInt8] {
        let head = [type.rawValue, 1, UInt16(timeToLive >> 16), UInt16(timeToLive & 0xFFFF), UInt16(data.count)]
        return Self.wire(name) + head.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + data
    }
}

extension FakeServer.Question {
    /// The answer with these records.
    func answer(_ records: [FakeRecord], code: DNSResponseCode = .noError) -> [UInt8] {
        var bytes = DNSReply(to: query, code: code).bytes
        let extensions = query.extensions == nil ? 0 : 11
        bytes.insert(contentsOf: records.flatMap(\.bytes), at: bytes.count - extensions)
        bytes[7] = UInt8(records.count)
        return bytes
    }

    /// The address of its type among these.
    func answer(_ addresses: [IPAddress], timeToLive: UInt32 = 60) -> [UInt8] {
        let records = addresses.map { FakeRecord.address(name, $0, timeToLive: timeToLive) }
        return answer(records.filter { $0.type == type })
    }

    var truncated: [UInt8] {
        var bytes = DNSReply(to: query).bytes
        bytes[2] |= 2
        return bytes
    }
}

/// The resolver under test, on its event loop.
struct TestResolver: Sendable {
    private let box: NIOLoopBoundBox<UpstreamResolver?>

    init(_ configuration: ResolverConfiguration, on loop: any EventLoop) async throws {
        let box = NIOLoopBoundBox<UpstreamResolver?>.makeEmptyBox(eventLoop: loop)
        self.box = box
        try await loop.submit { box.value = UpstreamResolver(configuration: configuration, eventLoop: loop) }.get()
    }

    init(
        _ servers: [Endpoint], on loop: any EventLoop, hosts: String = "", timeout: TimeAmount = .seconds(5),
        attempts: Int = 1
    ) async throws {
        let configuration = ResolverConfiguration(
            servers: servers, hosts: Array(hosts.utf8), timeout: timeout, attempts: attempts)
        try await self.init(#require(configuration), on: loop)
    }

    func configure(_ configuration: ResolverConfiguration) async throws {
        try await box.eventLoop.submit { [box] in box.value?.configuration = configuration }.get()
    }

    func start(_ name: String) throws -> EventLoopFuture<[IPAddress]> {
        let name = try host(name)
        return box.eventLoop.flatSubmit { [box] in
            box.value?.resolve(name) ?? box.eventLoop.makeFailedFuture(ResolutionError.unreachable)
        }
    }

    func resolve(_ name: String) async throws -> [IPAddress] { try await start(name).get() }

    /// The error, or nil if there is none.
    func failure(_ name: String) async throws -> ResolutionError? {
        do {
            _ = try await resolve(name)
            return nil
        } catch let error as ResolutionError {
            return error
        }
    }
}
