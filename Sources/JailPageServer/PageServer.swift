internal import HTTPTypes
internal import HummingbirdCore
package import JailPage
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PageControl
internal import Synchronization

/// HTTP for ``PageSite``, on listeners that somebody else has made.
package struct PageServer: Sendable {
    /// Connections at the same time; further ones are closed.
    package static let mostConnections = 64
    /// Seconds that a request may take to come in, and that a connection may be idle.
    private static let patience: Int64 = 15

    private let site: PageSite
    private let open = Counter()

    package init(_ site: PageSite) { self.site = site }

    /// Starts, on one thread besides the caller's: there are a few people, and nothing that takes long is done here.
    ///
    /// - Parameter ended: is told once, when a listener has failed.
    package func start(listeners: [Int32], ended: @escaping @Sendable (any Error) -> Void) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        Task(executorPreference: LoopExecutor(group.next())) {
            do {
                try await run(listeners, group)
                ended(ChannelError.eof)
            } catch { ended(error) }
        }
    }

    private func run(_ listeners: [Int32], _ group: MultiThreadedEventLoopGroup) async throws {
        let logger = Logger(label: "clawjail-web") { _ in SwiftLogNoOpLogHandler() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for listener in listeners {
                tasks.addTask { try await self.serve(listener, group, logger) }
            }
            try await tasks.waitForAll()
        }
    }

    private func serve(_ listener: Int32, _ group: MultiThreadedEventLoopGroup, _ logger: Logger) async throws {
        let http = HTTP1Channel(
            responder: { request, writer, channel in try await self.respond(request, writer, channel) },
            configuration: .init(
                idleTimeout: .seconds(Self.patience),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64)))
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(listener) { channel -> EventLoopFuture<HTTP1Channel.Value> in
                guard open.enter(most: Self.mostConnections) else {
                    return channel.close().flatMapThrowing { () -> HTTP1Channel.Value in throw ChannelError.eof }
                }
                channel.closeFuture.whenComplete { _ in open.leave() }
                return http.setup(channel: channel, logger: logger)
            }
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await connection in connections {
                    tasks.addTask { await http.handle(value: connection, logger: logger) }
                }
            }
        }
    }

    // MARK: One request

    private func respond(
        _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        let reply: PageReply
        do {
            reply = await site.reply(to: try await Self.ask(request, channel))
        } catch is NIOTooManyBytesError {
            reply = PageReply(413, "text/plain; charset=utf-8", Array("this is too much\n".utf8))
        }
        var fields = HTTPFields()
        for (name, value) in PageReply.everywhere + reply.headers + [("Content-Type", reply.type)] {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        // What is left of a body that nobody reads is not waited for.
        if reply.status >= 400 { fields[.connection] = "close" }
        let status = HTTPResponse.Status(code: reply.status)
        guard let cookie = reply.events else {
            fields[.contentLength] = "\(reply.body.count)"
            let response = Response(
                status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body)))
            try await writer.write(response: response.head, body: response.body)
            if reply.status >= 400 { Self.leave(channel) }
            return
        }
        let body = ResponseBody { writer in try await Self.stream(self.site, cookie, channel, to: &writer) }
        let response = Response(status: status, headers: fields, body: body)
        do { try await writer.write(response: response.head, body: response.body) } catch {
            await site.closeStream(cookie)
            throw error
        }
        await site.closeStream(cookie)
    }

    /// The other one hears the answer first: what it has sent meanwhile and nobody has read would take it away again.
    private static func leave(_ channel: any Channel) {
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private static func ask(_ request: Request, _ channel: any Channel) async throws -> PageAsk {
        var ask = PageAsk(
            request.method.rawValue, request.head.path ?? "", address: channel.remoteAddress?.ipAddress ?? "")
        ask.host = request.head.authority
        // Of several the values come in one, which none is equal to.
        ask.origin = request.headers[.origin]
        ask.cookie = request.headers[.cookie]
        ask.contentType = request.headers[.contentType]
        if let name = HTTPField.Name("Sec-Fetch-Site") { ask.fetchSite = request.headers[name] }
        guard request.method == .post else { return ask }
        // Whoever says a byte now and then is not waited for.
        let timer = channel.eventLoop.scheduleTask(in: .seconds(patience)) { channel.close(promise: nil) }
        defer { timer.cancel() }
        var request = request
        let body = try await request.collectBody(upTo: PageForm.sizeLimit)
        ask.body = Array(buffer: body)
        return ask
    }

    private static func stream(
        _ site: PageSite, _ cookie: String, _ channel: any Channel, to writer: inout any ResponseBodyWriter
    ) async throws {
        var events = PageEvents { order in await site.look(cookie, order) }
        while channel.isActive, let bytes = await events.next() {
            if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
            // Not by a clock of the library of tasks, which has threads of its own.
            try await channel.eventLoop.scheduleTask(in: .seconds(1)) {}.futureResult.get()
        }
        try await writer.finish(nil)
    }
}

/// How many there are, of any thread.
private final class Counter: Sendable {
    private let count = Mutex(0)

    /// False: there are so many already.
    func enter(most: Int) -> Bool {
        count.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
