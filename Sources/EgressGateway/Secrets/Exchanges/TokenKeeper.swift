internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// Gets access tokens for the secrets that are exchanged: when a request needs one, one question at a time for each secret,
/// and no more often than an endpoint that refuses can bear. Confined to the event loop.
final class TokenKeeper {
    private struct State {
        var call: TokenCall?
        var waiting: [(Denial?) -> Void] = []
        /// In a row.
        var failures = 0
        /// Until then nobody is asked again.
        var pause: NIODeadline?
        /// When an origin did not take a token the last time.
        var refused: NIODeadline?
    }

    private let secrets: SecretInjector
    private let pool: UpstreamPool
    private let events: EventQueue
    private let reports: RefreshReports
    private let loop: any EventLoop
    private var states: [String: State] = [:]
    private var isEnded = false

    /// Requests that wait for one secret.
    static let mostWaiting = 64
    /// Seconds.
    private static let longestPause: Int64 = 60
    /// Between two tokens that are dropped because an origin does not take them.
    private static let refusalPause = TimeAmount.minutes(1)

    init(_ secrets: SecretInjector, _ pool: UpstreamPool, _ events: EventQueue, _ reports: RefreshReports) {
        self.secrets = secrets
        self.pool = pool
        self.events = events
        self.reports = reports
        loop = reports.loop
    }

    func end() {
        isEnded = true
        for call in states.values.compactMap(\.call) { call.cancel() }
        reports.end()
    }

    // MARK: Before a request goes out

    /// Calls back once each of these secrets has a token, or with why one has not. At once, where there is nothing to wait for.
    func prepare(_ names: [String], _ then: @escaping (Denial?) -> Void) {
        let now = NIODeadline.now()
        guard let name = names.first(where: { !isReady($0, now) }) else { return then(nil) }
        wait(for: name, now) { denial in
            if let denial { then(denial) } else { self.prepare(names, then) }
        }
    }

    /// While the endpoint is left alone, what there is is used to its end.
    private func isReady(_ name: String, _ now: NIODeadline) -> Bool {
        guard let token = secrets.token(of: name) else { return false }
        return now < token.fresh || (now < token.end && isPaused(name, now))
    }

    private func isPaused(_ name: String, _ now: NIODeadline) -> Bool { states[name]?.pause.map { now < $0 } ?? false }

    private func wait(for name: String, _ now: NIODeadline, _ then: @escaping (Denial?) -> Void) {
        guard !isEnded else { return then(UpstreamConnector.ended) }
        if let pause = states[name]?.pause, now < pause {
            var denial = Self.denial(name, .serviceUnavailable, "its endpoint has refused, and is asked again later")
            denial.retryAfter = Int((pause - now).nanoseconds / 1_000_000_000) + 1
            return then(denial)
        }
        guard states[name, default: State()].waiting.count < Self.mostWaiting else {
            return then(Self.denial(name, .serviceUnavailable, "too many requests wait for it"))
        }
        states[name, default: State()].waiting.append(then)
        if states[name]?.call == nil { ask(for: name) }
    }

    // MARK: The exchange

    private func ask(for name: String) {
        let client: SecretValue?
        let (exchange, refresh): (SecretExchange, SecretValue)
        do throws(Denial) {
            (exchange, refresh) = try secrets.refreshToken(of: name)
            client = try exchange.clientSecret.map { (name) throws(Denial) in try secrets.present(name) }
        } catch { return resume(name, error) }
        let call = TokenCall(exchange, refresh: refresh, client: client)
        states[name]?.call = call
        call.start(pool, loop) { self.finish(name, exchange, refresh, $0) }
    }

    private func finish(
        _ name: String, _ exchange: SecretExchange, _ refresh: SecretValue, _ result: Result<TokenAnswer, Denial>
    ) {
        states[name]?.call = nil
        // What was asked with is not what counts any more: it was replaced or removed meanwhile.
        guard !isEnded else { return resume(name, UpstreamConnector.ended) }
        guard secrets.value(of: name) === refresh else { return ask(for: name) }
        let now = NIODeadline.now()
        switch result {
        case .success(let answer):
            secrets.keep(answer, of: name, now)
            if let next = answer.refresh, secrets.value(of: name) === next { reports.tell(name, next) }
            states[name]?.failures = 0
            states[name]?.pause = nil
            tell(name, exchange, nil)
            resume(name, nil)
        case .failure(let denial):
            let failures = (states[name]?.failures ?? 0) + 1
            states[name]?.failures = failures
            states[name]?.pause = now + .seconds(min(Self.longestPause, 1 << min(failures - 1, 6)))
            tell(name, exchange, denial.reason)
            let isUsable = secrets.token(of: name).map { now < $0.end } ?? false
            resume(name, isUsable ? nil : Self.denial(name, denial.status, denial.reason))
        }
    }

    /// For tests, which do not wait for it: how many seconds it was.
    func forgetPause(of name: String) -> Int64 {
        defer { states[name]?.pause = nil }
        guard let pause = states[name]?.pause else { return 0 }
        return ((pause - .now()).nanoseconds + 999_999_999) / 1_000_000_000
    }

    private func resume(_ name: String, _ denial: Denial?) {
        let waiting = states[name]?.waiting ?? []
        states[name]?.waiting = []
        for then in waiting { then(denial) }
    }

    private func tell(_ name: String, _ exchange: SecretExchange, _ reason: String?) {
        var event = EgressEvent(
            .secretExchanged, reason == nil ? .allowed : .failed, time: System.realtimeMilliseconds())
        (event.host, event.port, event.secret, event.reason) = (exchange.host.text, exchange.port, name, reason)
        events.record(event)
    }

    /// Inside nobody is told what is wrong with a host that the jail has no business with.
    private static func denial(_ name: String, _ status: HTTPResponseStatus, _ reason: String) -> Denial {
        let status = [.gatewayTimeout, .serviceUnavailable].contains(status) ? status : .badGateway
        var denial = Denial.failure(status, "there is no access token for the secret '\(name)': \(reason)")
        denial.told = "there is no access token for the secret '\(name)' at the moment"
        return denial
    }

    // MARK: After an answer

    /// An origin answered 401 to requests with these tokens: the next request asks for others. Once in a while, since an
    /// origin may say so to everything.
    func refused(_ tokens: [(name: String, value: SecretValue)]) {
        let now = NIODeadline.now()
        for (name, value) in tokens where secrets.token(of: name)?.value === value {
            if let last = states[name]?.refused, now - last < Self.refusalPause { continue }
            states[name, default: State()].refused = now
            secrets.dropToken(of: name, now)
        }
    }
}
