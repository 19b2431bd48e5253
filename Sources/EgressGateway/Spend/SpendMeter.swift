internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// What one jail spends, counted where its requests go out. Confined to the event loop.
///
/// The supervisor is told of every change, and of a reservation before the request goes out: what it holds is never less
/// than what was spent, however this process ends.
final class SpendMeter {
    let rules: SpendRules
    private let prices: PriceTable
    private(set) var budget: SpendBudget
    private let channel: EgressChannel
    private let loop: any EventLoop
    private let now: () -> Int64
    /// Bytes of bodies that wait to be read to their end.
    private var held = 0
    /// What the supervisor has not been told yet.
    private var untold: SpendReport?
    /// Limits that were told to be reached, on the day.
    private var refused: (day: Int64, limits: Set<SpendLimit>) = (0, [])

    /// In all requests together: a process of 64 jails has 64 MiB for each.
    static let mostHeld = 32 << 20
    private static let retryInterval = TimeAmount.milliseconds(20)

    /// - Parameter now: milliseconds since the epoch.
    init(
        _ setup: SpendSetup, _ channel: EgressChannel, loop: any EventLoop,
        now: @escaping () -> Int64 = System.realtimeMilliseconds
    ) {
        rules = setup.rules
        prices = setup.prices.replaced(by: setup.rules.prices)
        budget = SpendBudget(setup.rules, day: setup.day, spent: setup.spent)
        self.channel = channel
        self.loop = loop
        self.now = now
    }

    private var today: Int64 { UTCDay.of(milliseconds: now()) }

    /// Sees to a request that a rule allows. nil: it costs nothing.
    func metering(_ request: inout CheckedRequest) throws(Denial) -> Metering? {
        let providers = rules.providers(of: request.destination.host)
        guard rules.isMetered(request.destination.host) else { return nil }
        switch MeteredEndpoint(request, at: providers) {
        case .free: return nil
        case .unbounded:
            throw Self.refusal(
                providers.isEmpty
                    ? "a host of one region has prices of its own; name it in spend.providers, with prices that hold there"
                    : "what this costs is not known before it is sent, and the profile limits what may be spent")
        case .metered(let format):
            guard request.body != .none else { throw Self.refusal("a request without a body") }
            let encodings = request.headers["Content-Encoding"]
            guard encodings.allSatisfy({ $0.isASCIIEqual(to: "identity") }) else {
                throw Self.refusal("a body in a Content-Encoding, of which nothing can be read")
            }
            // Of an answer that is compressed nothing could be read.
            request.headers.replaceOrAdd(name: "Accept-Encoding", value: "identity")
            return Metering(format, self, isTrusted: request.scheme == .https)
        }
    }

    static func refusal(_ reason: String, remedy: String? = nil) -> Denial {
        var denial = Denial(.forbidden, "spend: \(reason)")
        denial.rule = "spend"
        denial.remedy = remedy
        return denial
    }

    func price(of model: String?) throws(Denial) -> ModelPrice {
        guard let model else { throw Self.refusal("a request that names no model") }
        if let price = prices.price(of: model) { return price }
        if rules.unknownModels == .dearest, let dearest = prices.dearest { return dearest }
        let name = JSON.string(model.excerpt).text()
        throw Self.refusal(
            "there is no price for the model \(name)",
            remedy:
                "spend: { prices: [{ model: \(name), input: \"… USD\", output: \"… USD\", context: …, maxOutput: … }] }"
        )
    }

    // MARK: Memory

    func hold(_ count: Int) -> Bool {
        guard held + count <= Self.mostHeld else { return false }
        held += count
        return true
    }

    func letGo(_ count: Int) { held -= count }

    // MARK: Money

    /// nil: it may be sent, and is settled later.
    func reserve(_ bound: SpendAmount) -> Denial? {
        if let refusal = budget.reserve(bound, on: today) {
            tell(refused: refusal.limit)
            return Self.denial(refusal)
        }
        guard tell(refused: nil) else {
            // What the supervisor does not know of would be forgotten with this process.
            settle(bound, as: .nothing)
            return .untellable
        }
        return nil
    }

    func settle(_ bound: SpendAmount, as actual: SpendAmount) {
        budget.settle(bound, as: actual, on: today)
        tell(refused: nil)
    }

    private static func denial(_ refusal: SpendRefusal) -> Denial {
        var denial = Denial(.paymentRequired, refusal.reason)
        denial.rule = refusal.limit.key
        denial.remedy = refusal.remedy
        denial.details = [
            ("limit", .string(refusal.limit.text(refusal.most))), ("spent", .string(refusal.limit.text(refusal.spent))),
            ("reserved", .string(refusal.limit.text(refusal.reserved))),
            ("needed", .string(refusal.limit.text(refusal.needed))), ("resets", .string(refusal.resets)),
        ]
        return denial
    }

    // MARK: The supervisor

    /// False: it cannot be told now, and will be.
    @discardableResult private func tell(refused limit: SpendLimit?) -> Bool {
        var report = SpendReport(day: budget.day, spent: budget.spent, reserved: budget.reserved)
        report.refused = untold?.refused ?? []
        if let limit, !(refused.day == budget.day && refused.limits.contains(limit)) {
            if refused.day != budget.day { refused = (budget.day, []) }
            refused.limits.insert(limit)
            if !report.refused.contains(limit) { report.refused.append(limit) }
        } else if limit != nil, untold == nil {
            // It knows already.
            return true
        }
        let isAwaited = untold != nil
        untold = report
        if isAwaited { return false }
        return flush()
    }

    private func flush() -> Bool {
        guard let report = untold else { return true }
        // Where the supervisor is gone there is nobody to tell, and the first thread takes down what served its jail.
        guard (try? channel.report(report)) == true else {
            loop.assumeIsolated().scheduleTask(in: Self.retryInterval) { [weak self] in _ = self?.flush() }
            return false
        }
        untold = nil
        return true
    }
}
