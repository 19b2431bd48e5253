internal import EgressAnswers
internal import EgressControl
internal import EgressDNS
internal import EgressTLS
internal import JailCore
internal import JailPolicy
internal import NIOCore

/// Everything that the way out of one jail knows. Confined to one event loop: whoever holds it is on that loop, so
/// nothing here is locked.
final class GatewayState {
    struct Times {
        /// Without a byte in either direction.
        var idle: TimeAmount
        /// From the first to the last byte of one request and its answer.
        var total: TimeAmount
        /// Until the head of the answer.
        var response: TimeAmount
    }

    let loop: any EventLoop
    let jail: String
    let profile: String
    let policy: NetworkPolicy
    let times: Times
    let events: EventQueue
    let names: NameTable
    let contexts: ServerContexts
    let pool: UpstreamPool
    var budgets: Budgets
    /// nil: nothing limits what may be spent.
    let spend: SpendMeter?
    /// nil: the profile binds none.
    let secrets: SecretInjector?
    /// nil likewise.
    let tokens: TokenKeeper?
    /// nil: the jail has none.
    let canaries: CanaryGuard?
    /// nil: nobody is asked.
    let holds: RequestHolds?
    /// For all answers that are decoded at the same time.
    let decoderMemory = DecoderMemory()
    var guards: [ObjectIdentifier: ConnectionGuard] = [:]

    init(
        loop: any EventLoop, jail: String, profile: String, policy: NetworkPolicy, events: EventQueue, names: NameTable,
        contexts: ServerContexts, pool: UpstreamPool, spend: SpendMeter?,
        secrets: SecretInjector? = nil, tokens: TokenKeeper? = nil, canaries: CanaryGuard? = nil,
        holds: RequestHolds? = nil
    ) {
        self.loop = loop
        self.jail = jail
        self.profile = profile
        self.policy = policy
        self.events = events
        self.names = names
        self.contexts = contexts
        self.pool = pool
        self.spend = spend
        self.secrets = secrets
        self.tokens = tokens
        self.canaries = canaries
        self.holds = holds
        let limits = policy.rules.budgets
        budgets = Budgets(limits, now: .now())
        times = Times(
            idle: .milliseconds(Int64(clamping: limits.idle)), total: .milliseconds(Int64(clamping: limits.total)),
            response: .milliseconds(Int64(clamping: limits.response)))
    }

    /// For code that NIO wants to be able to send anywhere, and that runs on the loop.
    var bound: NIOLoopBound<GatewayState> { NIOLoopBound(self, eventLoop: loop) }

    /// The jail is gone, or nobody watches it any more: nothing is let in or out from here on.
    private(set) var isEnded = false

    func end() {
        isEnded = true
        events.end()
        tokens?.end()
        holds?.end()
        // Each takes itself out of the list.
        for connection in Array(guards.values) { connection.reset() }
        pool.end()
    }

    func tick() {
        let now = NIODeadline.now()
        for entry in guards.values { entry.tick(now) }
        pool.tick(now)
        secrets?.tick(now)
        holds?.tick(now)
    }

    /// Calls back once everything is there that goes into a request, or with why it is not.
    func prepare(_ exchange: Exchange, _ then: @escaping (Denial?) -> Void) {
        guard let tokens, let names = exchange.secrets?.exchanged, !names.isEmpty else { return then(nil) }
        tokens.prepare(names, then)
    }

    /// An origin does not take what went with a request.
    func unauthorized(_ exchange: Exchange) { tokens?.refused(exchange.secrets?.tokens ?? []) }

    /// What a person can type to see why.
    func explanation(_ method: String, _ url: String) -> String {
        "clawjail explain --profile \(profile) \(Self.quoted(method)) \(Self.quoted(url))"
    }

    /// For a shell: this is meant to be pasted.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || "-._/:,%".utf8.contains($0)
        }
        return isPlain
            ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    func event(
        _ subject: EgressEvent.Subject, _ verdict: EgressEvent.Verdict, _ destination: Destination, _ scheme: String?
    ) -> EgressEvent {
        var event = EgressEvent(subject, verdict, time: System.realtimeMilliseconds())
        event.scheme = scheme
        event.host = destination.host.text
        event.port = destination.port
        return event
    }

    /// Placeholders are worth nothing, and no business of a log's either.
    func record(_ event: EgressEvent) {
        let event = secrets?.hiding(event) ?? event
        events.record(canaries?.hiding(event) ?? event)
    }

    func recordDenial(
        _ subject: EgressEvent.Subject, _ denial: Denial, _ destination: Destination, _ scheme: String? = nil
    ) {
        var event = event(subject, denial.verdict, destination, scheme)
        event.reason = denial.reason
        event.rule = denial.rule
        event.remedy = denial.remedy
        event.secret = denial.secret
        record(event)
    }
}

extension NIODeadline {
    var millisecondsAgo: UInt64 { UInt64(max(0, (.now() - self).nanoseconds / 1_000_000)) }
}
