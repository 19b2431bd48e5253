internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// Judges and carries out the requests of one connection of HTTP/1.1, one after the other, or the one of a stream of
/// HTTP/2.
///
/// Nothing goes upstream before a head has been understood and allowed as a whole, and what goes is written anew.
final class RequestHandler: ChannelDuplexHandler, RemovableChannelHandler, Timed {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        case idle, exchange
        /// Somebody is asked whether it may go out.
        case asking
        /// Allowed to be something else than HTTP: whoever that is takes over.
        case handingOver
        /// Answered for the last time: what still comes is dropped.
        case refusing
        case ended
    }

    let gateway: GatewayState
    let entry: RequestEntry
    let isHTTP2: Bool
    let connection: ConnectionGuard
    private let check: RequestCheck
    /// The rules that matter here, where all requests are for one destination.
    private let candidates: NetworkCandidates?
    var phase = Phase.idle
    var exchange: Exchange?
    private(set) var context: ChannelHandlerContext?
    /// Of requests that came before the answer to an earlier one.
    var pipelined = CircularBuffer<HTTPServerRequestPart>()
    private var wantsRead = false
    /// The request that somebody is asked about.
    var held: Held?
    /// The client has said all that it will, and waits for that one's answer.
    private(set) var isHalfClosed = false
    private var needsFlush = false
    private var dropped = 0
    /// Looks for canaries in the request that is under way, from its head to its trailers; nil: the jail has none.
    private var canaryScan: CanaryDetector.Scan?
    private static let mostDropped = 256 << 10
    /// What is to be done once a handover's request has ended.
    var atEnd: (() -> Void)?

    init(_ gateway: GatewayState, _ entry: RequestEntry, isHTTP2: Bool, on connection: ConnectionGuard) {
        self.gateway = gateway
        self.entry = entry
        self.isHTTP2 = isHTTP2
        self.connection = connection
        candidates =
            if case .connection(let destination, let scheme) = entry {
                gateway.policy.candidates(host: destination.host, port: destination.port, scheme: scheme)
            } else { nil }
        let limits = gateway.policy.rules.budgets
        check = RequestCheck(
            entry, isHTTP2: isHTTP2, mostTarget: Int(clamping: limits.urlSize),
            mostHeaders: Int(clamping: limits.headerSize))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection.remove(self)
        abandon("the client went away")
    }

    // MARK: From the jail

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        switch phase {
        case .idle: begin(part)
        case .exchange where exchange?.hasWholeRequest == false: proceed(part)
        case .exchange, .asking: pipelined.append(part)
        case .handingOver:
            if case .end = part { atEnd?() }
        case .refusing: drop(part)
        case .ended: break
        }
    }

    /// What a client still sends after its answer: taken for a while, so that it reads the answer.
    private func drop(_ part: HTTPServerRequestPart) {
        guard case .body(let buffer) = part else { return }
        dropped += buffer.readableBytes
        if dropped > Self.mostDropped { context?.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if needsFlush {
            needsFlush = false
            exchange?.upstream?.flush()
        }
        context.fireChannelReadComplete()
    }

    private func begin(_ part: HTTPServerRequestPart) {
        guard case .head(let head) = part else { return }
        connection.isSettled = true
        if entry == .proxy, head.method == .CONNECT { return connect(head) }
        do throws(RequestRefusal) {
            let request = try check.check(head)
            judge(request, head, version: isHTTP2 ? .http2 : head.version)
        } catch {
            refuse(Denial(error), head)
        }
    }

    private func judge(_ request: CheckedRequest, _ head: HTTPRequestHead, version: HTTPVersion) {
        let now = NIODeadline.now()
        if let budget = gateway.budgets.request(now) { return deny(.usedUp(budget), request) }
        if let denial = lookForCanaries(head, request) { return deny(denial, request) }
        // First of all: a placeholder on its way to somebody who may not be asked at all is worth telling as that.
        let uses: [SecretUse]
        do throws(Denial) { uses = try gateway.secrets?.examine(head, request) ?? [] } catch {
            return deny(error, request)
        }
        let question = request.question
        switch candidates?.decide(question) ?? gateway.policy.decide(question) {
        case .deny(let denial):
            guard let grant = candidates?.approvable(question) ?? gateway.policy.approvable(question) else {
                return deny(Denial(denial), request)
            }
            hold(Held(request: request, uses: uses, denial: Denial(denial), grant: grant, version: version))
        case .allow(let grant): admit(request, uses, grant, version)
        }
    }

    private func lookForCanaries(_ head: HTTPRequestHead, _ request: CheckedRequest) -> Denial? {
        guard let canaries = gateway.canaries else { return nil }
        var scan = canaries.scan()
        let ids = canaries.look(through: head, &scan) + canaries.ids(in: request.destination.host.text)
        canaryScan = scan
        return denial(Array(Set(ids)).sorted(), .request, request)
    }

    /// More of the request that is under way.
    private func lookForCanaries(_ bytes: some Sequence<UInt8>, _ request: CheckedRequest) -> Denial? {
        guard let ids = canaryScan?.feed(bytes) else { return nil }
        return denial(ids, .upload, request)
    }

    private func denial(_ ids: [String], _ place: CanaryPlace, _ request: CheckedRequest) -> Denial? {
        guard !ids.isEmpty else { return nil }
        gateway.tell(ids, in: place, to: request.destination, request.scheme.rawValue)
        return CanaryGuard.denial(ids)
    }

    /// By a rule, or because somebody has said yes.
    func admit(_ request: CheckedRequest, _ uses: [SecretUse], _ grant: NetworkGrant, _ version: HTTPVersion) {
        let now = NIODeadline.now()
        guard gateway.events.hasRoom else { return deny(.untellable, request) }
        if let budget = gateway.budgets.upload(request.headSize, now) { return deny(.usedUp(budget), request) }
        begin(request, uses, grant, version, now)
    }

    private func begin(
        _ request: CheckedRequest, _ uses: [SecretUse], _ grant: NetworkGrant, _ version: HTTPVersion,
        _ now: NIODeadline
    ) {
        let secrets = gateway.secrets.map { ExchangeSecrets($0, uses) }
        guard let spend = gateway.spend else {
            return start(Exchange(request, grant: grant, version: version, now: now, secrets: secrets))
        }
        var request = request
        do throws(Denial) {
            let metering = try spend.metering(&request)
            start(
                Exchange(request, grant: grant, version: version, now: now, metering: metering, secrets: secrets))
        } catch {
            deny(error, request)
        }
    }

    private func start(_ exchange: Exchange) {
        self.exchange = exchange
        phase = .exchange
        if exchange.request.webSocketKey != nil {
            phase = .handingOver
            atEnd = { [weak self] in self?.openWebSocket(exchange) }
            return
        }
        // Over HTTP/2 only its end says that a request has no body.
        if isHTTP2, exchange.request.body == .none { return }
        if exchange.request.awaitsContinue {
            context?.writeAndFlush(
                Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        if !exchange.holdsBody { acquire(exchange, fresh: false) }
    }

    /// Once more, where nothing has been lost by the first time.
    func retry(_ exchange: Exchange) { acquire(exchange, fresh: true) }

    private func acquire(_ exchange: Exchange, fresh: Bool) {
        gateway.prepare(exchange) { [weak self] denial in
            guard let self, self.exchange === exchange else { return }
            if let denial { fail(denial) } else { dial(exchange, fresh: fresh) }
        }
    }

    private func dial(_ exchange: Exchange, fresh: Bool) {
        let request = exchange.request
        gateway.pool.acquire(request.destination, request.scheme, http2: isHTTP2, fresh: fresh) { [weak self] result in
            guard let self, self.exchange === exchange else {
                if case .success(let handler) = result { handler.cancel() }
                return
            }
            switch result {
            case .success(let upstream): send(exchange, to: upstream)
            case .failure(let denial): fail(denial)
            }
        }
    }

    private func send(_ exchange: Exchange, to upstream: UpstreamHandler) {
        exchange.upstream = upstream
        upstream.serve(self)
        do throws(Denial) {
            let head = try exchange.head(gateway.policy, gateway.decoderMemory)
            exchange.metering?.send()
            upstream.send(head, hiding: exchange.secrets?.fields ?? [])
        } catch { return fail(error) }
        for buffer in exchange.early { upstream.send(buffer) }
        exchange.hasSentBody = !exchange.early.isEmpty
        exchange.early = []
        if exchange.hasWholeRequest { upstream.sendEnd() }
        upstream.flush()
        resumeReading()
    }

    /// More of the request that is under way.
    private func proceed(_ part: HTTPServerRequestPart) {
        guard let exchange else { return }
        switch part {
        case .head: break
        case .body(let buffer):
            guard exchange.request.body != .none || buffer.readableBytes == 0 else {
                return fail(Denial(.badRequest, "malformed request: a body that the head did not announce"))
            }
            exchange.sent += buffer.readableBytes
            guard exchange.sent <= exchange.grant.requestSize else {
                let size = ByteSize.format(exchange.grant.requestSize)
                var denial = Denial(
                    .payloadTooLarge, "a body of more than \(size), the requestSize of \(exchange.grant.rule)")
                denial.rule = exchange.grant.rule
                return fail(denial)
            }
            if let budget = gateway.budgets.upload(buffer.readableBytes, .now()) { return fail(.usedUp(budget)) }
            if let denial = lookForCanaries(buffer.readableBytesView, exchange.request) { return fail(denial) }
            if let denial = exchange.secrets?.take(buffer) { return fail(denial) }
            if let metering = exchange.metering, let denial = metering.take(buffer) { return fail(denial) }
            guard let upstream = exchange.upstream else { return exchange.early.append(buffer) }
            exchange.hasSentBody = true
            upstream.send(buffer)
            needsFlush = true
        case .end(let trailers):
            // Trailers of requests mean nothing to anybody here, unless there is something in them that nobody may have sent.
            if let trailers, let denial = exchange.secrets?.look(through: trailers) { return fail(denial) }
            for (name, value) in trailers ?? [:] where canaryScan != nil {
                if let denial = lookForCanaries("\n\(name): \(value)".utf8, exchange.request) { return fail(denial) }
            }
            if let ids = canaryScan?.finish(), let denial = denial(ids, .upload, exchange.request) {
                return fail(denial)
            }
            exchange.hasWholeRequest = true
            guard let upstream = exchange.upstream else {
                if exchange.holdsBody {
                    if let denial = exchange.metering?.reserve() { return fail(denial) }
                    return acquire(exchange, fresh: false)
                }
                if isHTTP2, exchange.request.body == .none { acquire(exchange, fresh: false) }
                return
            }
            upstream.sendEnd()
            needsFlush = true
        }
    }

    // MARK: Reading only what can be passed on

    private var mayRead: Bool {
        switch phase {
        case .idle, .refusing, .handingOver: true
        // The next request may come, but no more than one read of it: to stop and go on costs two system calls each time.
        case .exchange where exchange?.hasWholeRequest == true: pipelined.isEmpty
        case .asking: pipelined.isEmpty
        case .exchange: exchange?.upstream?.isWritable ?? (isHTTP2WithoutBody || exchange?.holdsBody == true)
        case .ended: false
        }
    }

    private var isHTTP2WithoutBody: Bool { isHTTP2 && exchange?.request.body == CheckedRequest.Body.none }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { wantsRead = true }
    }

    func resumeReading() {
        guard wantsRead, mayRead else { return }
        wantsRead = false
        context?.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.upstream?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            // Done with asking, and perhaps still waiting for the answer.
            switch phase {
            case .exchange where exchange?.hasWholeRequest == true: exchange?.closes = true
            case .handingOver: break
            case .asking where pipelined.contains(where: { if case .end = $0 { true } else { false } }):
                isHalfClosed = true
            case .idle, .asking, .exchange, .refusing, .ended: context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .ended
        abandon("the client closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard phase == .idle || phase == .exchange, error is HTTPParserError || error is ByteToMessageDecoderError,
            exchange?.hasAnswer != true, !isHTTP2
        else {
            phase = .ended
            abandon("the connection failed")
            context.close(promise: nil)
            return
        }
        refuse(Denial(.badRequest, "malformed request: \(error)"), nil)
    }

    /// The next request, which may have come already.
    func goOn() {
        guard phase == .exchange else { return }
        phase = .idle
        takePipelined()
    }

    func takePipelined() {
        while !pipelined.isEmpty {
            let part = pipelined.removeFirst()
            switch phase {
            case .idle: begin(part)
            case .exchange where exchange?.hasWholeRequest == false: proceed(part)
            case .exchange, .asking:
                pipelined.prepend(part)
                // Its end was written outside of a read, so nobody else sends it on its way.
                exchange?.upstream?.flush()
                return
            case .handingOver: if case .end = part { atEnd?() }
            case .refusing, .ended: return pipelined.removeAll()
            }
        }
        exchange?.upstream?.flush()
        resumeReading()
    }

    // MARK: Time

    var isAwaitingOrigin: Bool { phase == .asking || hasAsked }

    private var hasAsked: Bool { exchange.map { $0.hasWholeRequest && !$0.hasAnswer } ?? false }

    func tick(_ now: NIODeadline) {
        guard let exchange, phase == .exchange else { return }
        if isAwaitingOrigin, now - exchange.started > gateway.times.response {
            fail(.failure(.gatewayTimeout, "no answer within network.budgets.response"))
        } else if now - exchange.started > gateway.times.total {
            fail(.failure(.gatewayTimeout, "not done within network.budgets.total"))
        }
    }
}
