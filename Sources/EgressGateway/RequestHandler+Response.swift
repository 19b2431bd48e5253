internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

extension RequestHandler: ResponseReceiver {
    var canReceive: Bool { context?.channel.isWritable ?? false }

    func upstreamIsWritable() { resumeReading() }

    func receive(head: HTTPResponseHead) {
        guard let exchange, phase == .exchange else { return }
        // An origin that answers before it has heard everything is heard, and then the connection is of no more use.
        if !exchange.hasWholeRequest { exchange.closes = true }
        if head.status == .unauthorized { gateway.unauthorized(exchange) }
        guard let head = filtered(head, exchange) else { return }
        let answer = ResponseHead(
            head, toHead: exchange.isHead, version: exchange.version, closing: exchange.closes)
        guard var answer else {
            exchange.upstream?.cancel()
            return fail(.failure(.badGateway, "the origin answers \(head.status.code), which nobody asked for"))
        }
        if answer.endsWithConnection {
            exchange.closes = true
            answer.head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        exchange.hasAnswer = true
        exchange.status = UInt16(clamping: head.status.code)
        exchange.metering?.begin(head)
        context?.write(Self.wrapOutboundOut(.head(answer.head)), promise: nil)
    }

    func receive(body: ByteBuffer) {
        guard let exchange, exchange.hasAnswer else { return }
        exchange.received += body.readableBytes
        if exchange.answerFilter == nil { pass(body, exchange) } else { filter(body, exchange) }
    }

    /// A part of the body, as the client is to see it.
    func pass(_ body: ByteBuffer, _ exchange: Exchange) {
        exchange.metering?.take(answer: body)
        context?.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    }

    func receiveEnd(trailers: HTTPHeaders?) {
        guard let exchange, exchange.hasAnswer else { return }
        var trailers = trailers
        if exchange.answerFilter != nil {
            guard let rest = filterEnd(trailers, exchange) else { return }
            trailers = rest
        }
        // Done, whatever the client makes of it: a stream closes while its end is written.
        self.exchange = nil
        exchange.metering?.end(isComplete: true)
        record(exchange, .allowed)
        let end = Self.wrapOutboundOut(.end(trailers.flatMap(Trailers.endToEnd)))
        if isHTTP2 {
            context?.writeAndFlush(end, promise: nil)
            phase = .refusing
            resumeReading()
        } else if exchange.closes {
            finish(with: end)
        } else {
            context?.writeAndFlush(end, promise: nil)
            goOn()
        }
    }

    func flushResponse() { context?.flush() }

    func responseFailed(_ denial: Denial, isStale: Bool) {
        guard let exchange, phase == .exchange else { return }
        exchange.upstream = nil
        if isStale, exchange.mayRetry { return retry(exchange) }
        fail(denial)
    }

    // MARK: Refusals

    /// Before anything was understood or sent.
    func refuse(_ denial: Denial, _ head: HTTPRequestHead?) {
        let destination: Destination? = if case .connection(let destination, _) = entry { destination } else { nil }
        exchange?.metering?.end(isComplete: false)
        if let exchange, exchange.hasSentBody {
            record(exchange, .failed, denial.reason)
        } else if let destination {
            gateway.recordDenial(.request, denial, destination, entry.scheme.rawValue)
        } else {
            var event = EgressEvent(.request, denial.verdict, time: System.realtimeMilliseconds())
            event.reason = denial.reason
            event.method = head?.method.rawValue
            gateway.record(event)
        }
        exchange?.upstream?.cancel()
        exchange = nil
        answer(
            denial, what: head.map { "\($0.method.rawValue)" } ?? "a request", explain: nil,
            isHead: head?.method == .HEAD)
    }

    /// Understood, and not allowed.
    func deny(_ denial: Denial, _ request: CheckedRequest) {
        var event = gateway.event(.request, denial.verdict, request.destination, request.scheme.rawValue)
        event.method = request.method
        event.path = LoggedPath.text(request.path.path)
        event.reason = denial.reason
        event.rule = denial.rule
        event.remedy = denial.remedy.map { LoggedPath.hide(request.path, in: $0) }
        event.status = UInt16(clamping: denial.status.code)
        event.secret = denial.secret
        gateway.record(event)
        answer(denial, request)
    }

    private func answer(_ denial: Denial, _ request: CheckedRequest) {
        let url = "\(request.scheme.rawValue)://\(request.destination.authority(request.scheme))\(request.path.path)"
        answer(
            denial, what: "\(request.method) \(url)", explain: gateway.explanation(request.method, url),
            isHead: request.method == "HEAD")
    }

    /// In the middle of an exchange. Once an answer has begun all that is left is to end it where everybody sees that it
    /// is not complete.
    func fail(_ denial: Denial) {
        guard let exchange else { return }
        exchange.upstream?.cancel()
        exchange.upstream = nil
        self.exchange = nil
        exchange.metering?.end(isComplete: false)
        guard !exchange.hasAnswer else {
            record(
                exchange, denial.secret == nil && denial.canaries.isEmpty ? .failed : .denied, denial.reason,
                secret: denial.secret)
            phase = .ended
            return abort()
        }
        guard exchange.hasSentBody else { return deny(denial, exchange.request) }
        // Part of it has arrived, and so it was not denied as a whole.
        record(
            exchange, denial.secret == nil && denial.canaries.isEmpty ? .failed : .denied, denial.reason,
            secret: denial.secret)
        answer(denial, exchange.request)
    }

    /// Nobody is there any more to answer to.
    func abandon(_ reason: String) {
        withdraw()
        guard let exchange else { return }
        self.exchange = nil
        exchange.upstream?.cancel()
        exchange.metering?.end(isComplete: false)
        record(exchange, .failed, reason)
    }

    func answer(_ denial: Denial, what: String, explain: String?, isHead: Bool) {
        guard let context else { return }
        phase = .refusing
        let text = denial.body(what: what, explain: explain)
        var headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Content-Length", String(text.utf8.count)),
            ("Cache-Control", "no-store"),
        ])
        if let seconds = denial.retryAfter { headers.add(name: "Retry-After", value: String(seconds)) }
        if !isHTTP2 { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: denial.status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if !isHead { context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil) }
        // A stream ends by itself with its request.
        guard isHTTP2 else { return finish(with: Self.wrapOutboundOut(.end(nil))) }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        resumeReading()
    }

    /// Says that there is nothing more to come, and takes what the client still sends for a moment: closing at once would
    /// reset the connection, and with it the answer.
    func finish(with end: NIOAny) {
        guard let context else { return }
        phase = .refusing
        // Where the client has closed its half already, closing the other one would forget what is not written yet.
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.closeOutput() }
        context.writeAndFlush(end, promise: written)
        resumeReading()
    }

    private func closeOutput() {
        guard let context else { return }
        // Only once the client has taken all of it does its moment begin; who takes nothing is idle.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            guard let context = self.context else { return }
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
                self.phase = .ended
                self.context?.close(promise: nil)
            }
        }
        context.close(mode: .output, promise: promise)
    }

    /// For a client to see that something is missing: a reset, not an orderly end.
    private func abort() {
        guard let context else { return }
        if isHTTP2 { return context.close(promise: nil) }
        connection.reset()
    }

    func record(
        _ exchange: Exchange, _ verdict: EgressEvent.Verdict, _ reason: String? = nil, secret: String? = nil
    ) {
        let request = exchange.request
        var event = gateway.event(.request, verdict, request.destination, request.scheme.rawValue)
        event.method = request.method
        event.path = LoggedPath.text(request.path.path)
        event.rule = exchange.grant.rule
        event.reason = reason
        event.status = exchange.status
        event.sent = UInt64(exchange.sent)
        event.received = UInt64(exchange.received)
        event.milliseconds = exchange.started.millisecondsAgo
        if let charged = exchange.metering?.charged {
            event.model = exchange.metering?.model
            event.cost = charged.cost
            event.tokens = charged.tokens
        }
        event.secret = secret ?? exchange.secrets?.names
        gateway.record(event)
        guard exchange.status != nil else { return }
        for name in exchange.secrets?.firstUses ?? [] {
            var event = gateway.event(.gateway, .allowed, request.destination, request.scheme.rawValue)
            event.secret = name
            event.status = exchange.status
            event.reason = "the new value of the secret '\(name)' was used for the first time"
            gateway.record(event)
        }
    }
}

extension RequestEntry {
    var scheme: NetworkScheme { if case .connection(_, let scheme) = self { scheme } else { .http } }
}

/// Fields after a body: those with a meaning for framing, routing or authority have none there (RFC 9110, 6.5.1).
private enum Trailers {
    static func endToEnd(_ trailers: HTTPHeaders) -> HTTPHeaders? {
        var kept = HTTPHeaders()
        for (name, value) in trailers {
            guard case .other = FieldName(name), !name.isEmpty, name.utf8.allSatisfy(\.isToken),
                FieldValue.isClean(value)
            else { continue }
            kept.add(name: name, value: value)
        }
        return kept.isEmpty ? nil : kept
    }
}
