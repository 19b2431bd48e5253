internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// A request that no rule allows, and that somebody may let through.
extension RequestHandler {
    /// What is known of one that is held.
    struct Held {
        let request: CheckedRequest
        let uses: [SecretUse]
        let denial: Denial
        let grant: NetworkGrant
        let version: HTTPVersion
        /// What to withdraw it by.
        var id: UInt32?
    }

    /// Asks, and goes on when there is an answer. Meanwhile nothing more is read than what has come already.
    func hold(_ held: Held) {
        guard let holds = gateway.holds, let asked = AskedRequest(held.request) else {
            return deny(held.denial, held.request)
        }
        phase = .asking
        self.held = held
        let id = holds.ask(asked) { [weak self] in self?.answered($0) }
        // Where there is none the answer has come already, and something else may be held by now.
        if let id { self.held?.id = id }
    }

    private func answered(_ answer: Result<UInt64, Denial>) {
        guard phase == .asking, let held else { return }
        self.held = nil
        phase = .idle
        switch answer {
        case .failure(let refusal):
            var denial = held.denial
            denial.reason += "; \(refusal.reason)"
            return deny(denial, held.request)
        case .success(let number):
            var grant = held.grant
            grant.rule = "approval \(number)"
            admit(held.request, held.uses, grant, held.version)
        }
        // What came meanwhile is of this request, or after it.
        takePipelined()
        if isHalfClosed { exchange?.closes = true }
    }

    /// The client went away: nobody needs to answer any more.
    func withdraw() {
        guard let held else { return }
        self.held = nil
        if let id = held.id { gateway.holds?.withdraw(id) }
    }
}

extension AskedRequest {
    /// nil: nobody is asked about such a request.
    init?(_ request: CheckedRequest) {
        self.init(
            scheme: request.scheme, host: request.destination.host, port: request.destination.port,
            method: request.method, path: request.path)
    }
}
