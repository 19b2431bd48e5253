internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// One question to a token endpoint (RFC 6749, 6), on a connection of its own over verified TLS, under the rules of addresses
/// that all of the jail's requests are under.
final class TokenCall: ResponseReceiver {
    typealias Completion = (Result<TokenAnswer, Denial>) -> Void

    private let exchange: SecretExchange
    private var form: String
    private var upstream: UpstreamHandler?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []
    private var then: Completion?
    private var clock: Scheduled<Void>?

    static let time = TimeAmount.seconds(20)

    /// - Parameter client: what a confidential client proves itself with.
    init(_ exchange: SecretExchange, refresh: SecretValue, client: SecretValue?) {
        self.exchange = exchange
        var fields = [("grant_type", "refresh_token"), ("refresh_token", Self.text(refresh))]
        fields.append(("client_id", exchange.clientID))
        if let scope = exchange.scope { fields.append(("scope", scope)) }
        if let client { fields.append(("client_secret", Self.text(client))) }
        form = fields.map { "\($0)=\(SecretUse.encoded($1))" }.joined(separator: "&")
    }

    private static func text(_ value: SecretValue) -> String {
        value.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }

    var destination: Destination { Destination(host: .name(exchange.host), port: exchange.port) }

    /// - Parameter then: called once.
    func start(_ pool: UpstreamPool, _ loop: any EventLoop, _ then: @escaping Completion) {
        self.then = then
        clock = loop.assumeIsolated().scheduleTask(in: Self.time) { [weak self] in
            self?.finish(.failure(.failure(.gatewayTimeout, "the token endpoint does not answer in time")))
        }
        pool.acquire(destination, .https, http2: false, fresh: true) { [weak self] result in
            guard let self, self.then != nil else {
                if case .success(let handler) = result { handler.cancel() }
                return
            }
            switch result {
            case .success(let upstream): send(to: upstream)
            case .failure(let denial): finish(.failure(denial))
            }
        }
    }

    /// Nobody waits any more.
    func cancel() { finish(.failure(UpstreamConnector.ended)) }

    private func send(to upstream: UpstreamHandler) {
        self.upstream = upstream
        upstream.serve(self)
        let body = ByteBuffer(string: form)
        form = ""
        let headers = HTTPHeaders([
            ("Host", destination.authority(.https)), ("User-Agent", "clawjail"), ("Accept", "application/json"),
            ("Accept-Encoding", "identity"), ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", String(body.readableBytes)), ("Connection", "close"),
        ])
        upstream.send(HTTPRequestHead(version: .http1_1, method: .POST, uri: exchange.path, headers: headers))
        upstream.send(body)
        upstream.sendEnd()
        upstream.flush()
    }

    // MARK: The answer

    var canReceive: Bool { true }
    func flushResponse() {}
    func upstreamIsWritable() {}

    func receive(head: HTTPResponseHead) { self.head = head }

    func receive(body: ByteBuffer) {
        guard self.body.count + body.readableBytes <= TokenAnswer.most else {
            return finish(.failure(.failure(.badGateway, "the token endpoint answers with more than 64 KiB")))
        }
        self.body += body.readableBytesView
    }

    func receiveEnd(trailers: HTTPHeaders?) {
        guard let head else { return finish(.failure(.failure(.badGateway, "the token endpoint gives no answer"))) }
        do throws(TokenAnswer.Refusal) { finish(.success(try TokenAnswer(head, body))) } catch {
            finish(.failure(.failure(.badGateway, "the token endpoint \(error.reason)")))
        }
    }

    func responseFailed(_ denial: Denial, isStale: Bool) { finish(.failure(denial)) }

    /// The connection serves nobody else: what the endpoint says is not the jail's.
    private func finish(_ result: Result<TokenAnswer, Denial>) {
        guard let then else { return }
        self.then = nil
        clock?.cancel()
        upstream?.cancel()
        upstream = nil
        body = []
        then(result)
    }
}
