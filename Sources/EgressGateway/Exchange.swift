internal import EgressAnswers
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// One allowed request and its answer, from the head to the last byte.
final class Exchange {
    let request: CheckedRequest
    let grant: NetworkGrant
    let version: HTTPVersion
    let started: NIODeadline
    var upstream: UpstreamHandler?
    /// Of a request that costs money, where that is limited.
    let metering: Metering?
    /// nil: the profile binds none.
    let secrets: ExchangeSecrets?
    /// What the answer goes through; nil, and at no cost: the request carried no secret.
    private(set) var answerFilter: (any AnswerFilter)?
    /// What is looked for in it; nil likewise.
    private(set) var traces: SecretTraces?
    /// Parts of the body that came before there was a connection to send them on.
    var early: [ByteBuffer] = []
    var hasWholeRequest = false
    var hasSentBody = false
    var hasAnswer = false
    /// The connection to the client ends with this answer.
    var closes: Bool
    var status: UInt16?
    /// Bytes of the bodies.
    var sent = 0
    var received = 0

    init(
        _ request: CheckedRequest, grant: NetworkGrant, version: HTTPVersion, now: NIODeadline,
        metering: Metering? = nil, secrets: ExchangeSecrets? = nil
    ) {
        self.secrets = secrets
        self.request = request
        self.metering = metering
        self.grant = grant
        self.version = version
        started = now
        closes = !request.keepsAlive
    }

    /// What goes to the origin, as it is to be sent now: where a secret goes with it, its answer will be looked through.
    func head(_ policy: NetworkPolicy, _ memory: DecoderMemory) throws(Denial) -> HTTPRequestHead {
        if let secrets, let sent = try secrets.head(request, policy) {
            traces = sent.traces
            answerFilter = SecretAnswerFilter(sent.traces, memory, takesAll: secrets.onlySigns)
            return sent.head
        }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path.target,
            headers: request.headers)
    }

    /// What it costs is known once all of it is, and some signatures are of all of it.
    var holdsBody: Bool { metering != nil || secrets?.holdsBody == true }

    var isHead: Bool { request.method == "HEAD" }

    /// Once more, on a new connection, if the origin had closed the one that was kept: nothing has been said on it, and
    /// asking twice changes nothing there (RFC 9110, 9.2.2).
    var mayRetry: Bool {
        !hasAnswer && !hasSentBody && hasWholeRequest && early.isEmpty
            && ["GET", "HEAD", "OPTIONS"].contains(request.method)
    }
}
