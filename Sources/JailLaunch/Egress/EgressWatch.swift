internal import EgressControl
internal import JailCore
internal import JailPlan
internal import JailPolicy
internal import SecretTraces

/// The supervisor's side of the way out: starts it, tells it what it needs, passes on what it says, and decides what
/// becomes of a jail whose way out has ended.
final class EgressWatch {
    private enum Phase {
        /// It has not said yet who it is.
        case starting
        /// It has, and waits for its sockets.
        case ready
        case serving
        /// It is gone for good, and so are its sockets: connections are refused at once.
        case ended
    }

    private let plan: LaunchPlan
    private let egress: EgressPlan
    private let source: any EgressSource
    /// The gateway's, as long as there is one.
    private(set) var line: EgressLine?
    private var texts: EgressTexts
    /// The table of names and addresses, which outlives a gateway.
    private let names: SharedDescriptor
    /// The CA's, of the first gateway and every later one.
    private var state: SharedDescriptor?
    private var identity: EgressIdentity?
    /// Of a jail that may not spend whatever it likes.
    private var spend: SpendWatch?
    /// Of a jail that binds some.
    private let secrets: JailSecrets?
    /// Names of those that were used.
    private var used: Set<String> = []
    /// What is looked for in what goes out, and who is told.
    private let canaries: [KnownCanary]
    private let canaryWatch: CanaryWatch?
    private var sockets: [SharedDescriptor] = []
    private var phase = Phase.starting
    /// The command starts: what happens from now on is the jail's, and no longer the launch's.
    private var isLaunched = false
    /// What the gateway itself said before it ended.
    private var lastWord: String?
    private var deadline: Int64?
    private var restarts = RestartLimit()
    private var nextLook = System.monotonicNanoseconds() + EgressWatch.lookInterval
    private var hasNews = false
    private var denials = DenialNotes()
    private var notices: [JailNotice] = []
    /// What it has asked for approval, until it is taken.
    var asked: [Asked] = []
    /// Of the gateway that asks: one that comes after it knows nothing of what that has asked.
    private(set) var generation: UInt32 = 0

    /// Why the launch cannot go on.
    private(set) var failure: JailError?
    /// By the profile, the jail ends with its way out.
    private(set) var wantsStop = false
    private var wantsPause = false

    /// Nanoseconds that it has to say who it is.
    private static let patience: Int64 = 10_000_000_000
    /// Nanoseconds between two looks at the host's resolv.conf and hosts.
    private static let lookInterval: Int64 = 5_000_000_000
    /// Messages for each turn of the loop: whoever floods it must not keep it from its clock.
    private static let mostMessages = 64

    /// Clones, or joins those who share, and lets the gateway begin: its start overlaps with that of the jail.
    init(
        _ plan: LaunchPlan, _ egress: EgressPlan, secrets: JailSecrets? = nil, canaries: [KnownCanary] = [],
        canaryWatch: CanaryWatch? = nil
    ) throws(JailError) {
        self.plan = plan
        self.canaries = canaries
        self.canaryWatch = canaryWatch
        self.egress = egress
        self.secrets = secrets
        texts = try EgressTexts(egress)
        names = try attempt(.egress) { () throws(SystemError) in
            SharedDescriptor(try System.makeMemoryFile("names", [], sealed: false))
        }
        spend = try egress.spend.map { (spend) throws(JailError) in try SpendWatch(spend, jail: plan.name) }
        source =
            if let group = egress.group { try EgressShare(plan, egress, group: group) } else {
                try EgressProcess(plan, egress)
            }
        try attempt(.egress) { () throws(SystemError) in try start() }
    }

    private func start() throws(SystemError) {
        phase = .starting
        lastWord = nil
        deadline = System.monotonicNanoseconds() + Self.patience
        if let channel = try source.ask() { try begin(channel) }
    }

    /// Gives a gateway its setup, which may find it before it has taken its first step.
    private func begin(_ channel: SharedDescriptor) throws(SystemError) {
        let line = EgressLine(channel: channel)
        self.line = line
        generation += 1
        asked = [.allWithdrawn]
        let spend = spend?.begin()
        // Where it cannot be told its end comes next, or its time runs out.
        _ = try withExtendedLifetime((names, state)) { () throws(SystemError) in
            try line.setUp(
                plan, egress, texts, names: names.borrowed, spend: spend,
                canaries: canaries, state: state?.borrowed)
        }
    }

    /// Nanoseconds for what the gateway has still to say.
    private static let lastPatience: Int64 = 200_000_000
    /// Milliseconds until a gateway tries again that had found its channel full.
    private static let retryPause: Int32 = 30

    /// The jail's end, or that of its network: what was decided until now is heard first, for it has happened.
    func end() throws(SystemError) {
        let end = System.monotonicNanoseconds() + Self.lastPatience
        var pause: Int32 = 0
        while phase == .serving, let channel = line?.channel, System.monotonicNanoseconds() < end {
            var entries = [System.PollEntry(channel.borrowed, System.PollEvents.readable)]
            try System.poll(&entries, milliseconds: pause)
            guard entries[0].returned != 0 else { break }
            pause = try readChannel(channel) ? Self.retryPause : 0
        }
        kill()
    }

    func kill() {
        phase = .ended
        deadline = nil
        sockets = []
        line = nil
        asked = [.allWithdrawn]
        source.kill()
    }

    // MARK: Launch

    /// Waits until it has said who it is; ends the launch if it does not, or if a signal arrives meanwhile.
    func awaitReady(signals: Descriptor) throws(JailError) -> EgressIdentity {
        while true {
            if let identity { return identity }
            if let failure { throw failure }
            var entries = pollEntries
            entries.append(.init(signals, System.PollEvents.readable))
            let left = max(0, ((deadline ?? 0) - System.monotonicNanoseconds()) / 1_000_000 + 1)
            try attempt(.egress) { () throws(SystemError) in
                try System.poll(&entries, milliseconds: Int32(clamping: left))
            }
            if entries.last?.returned != 0 {
                throw JailError(.supervise, reason: "stopped by a signal during the launch")
            }
            let ready = System.PollResult(entries)
            try attempt(.egress) { () throws(SystemError) in try handle(ready) }
        }
    }

    /// Files in memory for init, in the order of ``TrustFile``.
    func trustFiles(_ identity: EgressIdentity) throws(JailError) -> [SharedDescriptor] {
        try TrustFile.allCases.map { (file) throws(JailError) in
            let content =
                switch file {
                case .bundle: texts.bundle(with: identity.certificate)
                case .authority: identity.certificate
                case .java: identity.javaTrustStore
                }
            return try attempt(.egress) { () throws(SystemError) in
                SharedDescriptor(try System.makeMemoryFile(file.rawValue, content))
            }
        }
    }

    /// Takes the jail's sockets. They are kept: a gateway that ends takes nothing with it.
    func adopt(_ descriptors: [SharedDescriptor]) throws(SystemError) {
        guard sockets.isEmpty, descriptors.count == egress.ports.count + EgressSockets.fixedCount else {
            throw SystemError(.check, .invalid)
        }
        sockets = descriptors
    }

    /// Init has built its walls: the gateway may serve.
    func serve() throws(SystemError) {
        guard !sockets.isEmpty else { throw SystemError(.check, .invalid) }
        // Init starts the command now, and waits for nobody: what happens from here on happens to a jail.
        isLaunched = true
        if phase == .ready { try handOver() }
    }

    private func handOver() throws(SystemError) {
        // Before there is anybody who could ask for something.
        for grant in secrets?.grants ?? [] {
            guard hasTaken(try line?.send(grant)) else { return }
        }
        guard hasTaken(try line?.send(sockets, of: egress)) else { return }
        phase = .serving
        deadline = nil
        if egress.onExit != .restart { secrets?.wipe() }
    }

    /// Another value, or none, while the jail runs. A gateway that has not begun yet gets it with the others.
    func give(_ grant: JailSecrets.Grant) throws(SystemError) {
        guard phase == .serving, let line else { return }
        _ = hasTaken(try line.send(grant))
        if egress.onExit != .restart { secrets?.wipe() }
    }

    private func hasTaken(_ outcome: EgressLine.Outcome?) -> Bool {
        switch outcome {
        case .sent: return true
        // A new channel has room; if it has not, the gateway is not what it should be.
        case .full:
            distrust("it does not listen")
            return false
        // Killed meanwhile; the next one gets them.
        case .ended, nil: return false
        }
    }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        guard phase != .ended else { return [] }
        var entries = source.pollEntries
        if let line { entries.append(.init(line.channel.borrowed, System.PollEvents.readable)) }
        return entries
    }

    /// Monotonic nanoseconds at which ``handle(_:)`` wants to be called though nothing is ready.
    var due: Int64? {
        [deadline, denials.due, source.due, phase == .serving ? nextLook : nil].compactMap { $0 }.min()
    }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        guard phase != .ended else { return gather() }
        if let channel = line?.channel, ready[channel.borrowed] != nil { try readChannel(channel) }
        for news in try source.news(ready) where phase != .ended { try take(news) }
        try checkClock()
        gather()
    }

    private func take(_ news: EgressNews) throws(SystemError) {
        switch news {
        case .channel(let channel): try begin(channel)
        case .word(let word): lastWord = lastWord ?? word
        case .ended(let how, let why, let mayRestart):
            // What the gateway said before it ended comes first.
            if let channel = line?.channel { try readChannel(channel) }
            guard phase != .ended else { return }
            if let why { lastWord = why }
            ended(how, mayRestart: mayRestart)
        }
    }

    private func checkClock() throws(SystemError) {
        let now = System.monotonicNanoseconds()
        if let deadline, now >= deadline {
            lastWord = "it did not start within \(Self.patience / 1_000_000_000) s"
            return ended("by clawjail", mayRestart: false)
        }
        guard phase == .serving, now >= nextLook else { return }
        nextLook = now + Self.lookInterval
        do throws(JailError) {
            if try texts.refresh() { hasNews = true }
        } catch {
            notices.append(.note("\(error); the way out goes on with what it read before"))
        }
        if hasNews, let line, try line.send(texts.resolver) == .sent { hasNews = false }
    }

    private func gather() {
        notices += denials.due(System.monotonicNanoseconds()).map { .note($0) }
    }

    /// What is to be told since the last time.
    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    // MARK: What it says

    /// - Returns: whether there may be more.
    @discardableResult
    private func readChannel(_ channel: SharedDescriptor) throws(SystemError) -> Bool {
        for _ in 0..<Self.mostMessages where phase != .ended {
            var received: (bytes: [UInt8], descriptors: [Int32])
            do throws(SystemError) {
                received = try System.receiveUpToEnd(channel.borrowed, most: EgressMessage.sizeLimit, descriptors: 3)
            } catch {
                switch error.errno {
                case .wouldBlock: return false
                case .messageTooLong:
                    distrust("it said more than it may")
                    return false
                default: throw error
                }
            }
            let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
            if received.bytes.isEmpty {
                channelEnded()
                return false
            }
            let report = try withExtendedLifetime(descriptors) { () throws(SystemError) in
                try EgressMessage.report(received.bytes, descriptors.map(\.borrowed))
            }
            guard let report else {
                distrust("it said what it never would")
                return false
            }
            if case .renewed = report { received.bytes.wipe() }
            try take(report)
        }
        return true
    }

    private func channelEnded() {
        line = nil
        asked = [.allWithdrawn]
        source.channelEnded()
    }

    private func take(_ report: EgressMessage.Report) throws(SystemError) {
        switch report {
        case .ready(let identity): try take(identity)
        case .failure(let error): lastWord = "\(error.call.name): \(error.errno)"
        case .events(let events): for event in events { take(event) }
        case .spend(let report): take(report)
        case .renewed(let name, let value): try takeRenewed(name, value)
        case .ask(let ask):
            guard egress.asks != nil else { return distrust("it asked for approval, and is not to ask") }
            asked.append(.request(ask.request, waiter: waiter(ask.id)))
        case .withdrawn(let id): asked.append(.withdrawn(waiter: waiter(id)))
        }
    }

    private func take(_ report: SpendReport) {
        guard let outcome = spend?.take(report) else { return distrust("it said what it never would") }
        notices += spend?.takeNotices() ?? []
        switch outcome {
        case .ok: break
        case .distrusted: return distrust("it said that less was spent than it had said before")
        case .lost(let error):
            // What is forgotten could be spent twice.
            lastWord = "what is spent cannot be written down: \(error.call.name): \(error.errno)"
            return ended("by clawjail", mayRestart: false)
        }
        switch spend?.takeAction() {
        case .pause: wantsPause = true
        case .stop: wantsStop = true
        case .deny, nil: break
        }
    }

    /// A limit on spending was met, by which the jail is to stand still; once.
    func takePause() -> Bool {
        defer { wantsPause = false }
        return wantsPause
    }

    private func take(_ event: EgressEvent) {
        if event.subject == .secretReturned { return takeReturned(event) }
        if event.subject == .secretExchanged { return takeExchanged(event) }
        if event.subject == .canary {
            guard canaryWatch?.take(event) == true else { return distrust("it said what it never would") }
            return
        }
        if takeFirstUse(event) { return }
        if case .object(let members) = event.json {
            notices.append(.event(.object([("event", "network")] + members)))
        }
        if event.verdict == .denied, let secret = event.secret {
            // Of its own, so that it can be watched for: somebody sends a placeholder where its secret is not bound to.
            let place = [event.host, event.port.map { String($0) }].compactMap { $0 }.joined(separator: ":")
            notices.append(.event(["event": "secret-misuse", "secretName": .string(secret), "to": .string(place)]))
        }
        if event.subject == .gateway, event.verdict != .allowed { lastWord = event.reason }
        if event.verdict != .allowed, let line = denials.add(event, now: System.monotonicNanoseconds()) {
            notices.append(.note(line))
        }
    }

    /// The first use of each secret, and of each of its values, is told by its name.
    ///
    /// - Returns: whether there is nothing else in it.
    private func takeFirstUse(_ event: EgressEvent) -> Bool {
        guard event.verdict == .allowed, let names = event.secret else { return false }
        guard event.subject == .request || secrets?.rules.names.contains(names) == true else { return false }
        func tell(_ name: String, isNewValue: Bool) {
            notices.append(
                .event([
                    "event": "secret-used", "secretName": .string(name), "host": .string(event.host ?? "?"),
                    "newValue": .boolean(isNewValue),
                ]))
        }
        guard event.subject == .request else {
            tell(names, isNewValue: true)
            return true
        }
        for name in secrets?.rules.names ?? [] where ", \(names),".contains(", \(name),") {
            if used.insert(name).inserted { tell(name, isNewValue: false) }
        }
        return false
    }

    /// For the log and for alerts: the host and the secret's name only.
    private func takeReturned(_ event: EgressEvent) {
        let (host, secret) = (event.host ?? "?", event.secret ?? "?")
        notices.append(.event(["event": "secret-returned", "host": .string(host), "secretName": .string(secret)]))
        let line = "the secret '\(secret)' came back from \(host), and was covered"
        if let line = denials.add(line, now: System.monotonicNanoseconds()) { notices.append(.note(line)) }
    }

    private func takeExchanged(_ event: EgressEvent) {
        guard let exchange = secrets.flatMap({ ExchangeNews(event, $0.rules) }) else {
            return distrust("it said what it never would")
        }
        notices.append(.event(exchange.json))
        guard let line = exchange.fault else { return }
        if let line = denials.add(line, now: System.monotonicNanoseconds()) { notices.append(.note(line)) }
    }

    private func takeRenewed(_ name: String, _ value: SecretValue) throws(SystemError) {
        switch try secrets?.replace(name, by: value.kept()) {
        case .unasked, nil: return distrust("it said what it never would")
        case .first:
            notices.append(.event(["event": "secret-rotated", "secretName": .string(name)]))
            notices.append(.note(ExchangeNews.rotated(name)))
        case .again: notices.append(.event(["event": "secret-rotated", "secretName": .string(name)]))
        }
    }

    private func take(_ identity: EgressIdentity) throws(SystemError) {
        guard phase == .starting else { return distrust("it said twice who it is") }
        if let known = self.identity {
            // Programs inside have read that one, and trust no other.
            guard known.certificate == identity.certificate else { return distrust("it came back as somebody else") }
        } else {
            self.identity = identity
            state = SharedDescriptor(try System.makeMemoryFile("state", identity.state))
        }
        phase = .ready
        deadline = nil
        if !sockets.isEmpty { try handOver() }
    }

    // MARK: Its end

    /// It is not what was started: nothing more is heard, and no other one takes its place.
    private func distrust(_ reason: String) {
        lastWord = reason
        source.distrust()
        ended("by clawjail", mayRestart: false)
    }

    private func ended(_ how: String, mayRestart: Bool) {
        line = nil
        let why = lastWord.map { ": \($0)" } ?? ""
        guard isLaunched else {
            failure = JailError(.egress, reason: "clawjail-egress ended \(how) before the command ran\(why)")
            return kill()
        }
        let text = "clawjail-egress ended \(how)\(why)"
        let next = mayRestart ? afterwards() : (egress.onExit == .stop ? .stop : .block)
        notices.append(.event(["event": "egress", "message": .string(text), "then": .string(next.rawValue)]))
        switch next {
        case .restart:
            notices.append(.note("\(text); it is started again"))
            do throws(SystemError) { try start() } catch {
                notices.append(.note("egress: \(error.call.name): \(error.errno); the jail goes on without a network"))
                kill()
            }
        case .block:
            notices.append(.note("\(text); the jail goes on without a network"))
            kill()
        case .stop:
            notices.append(.note("\(text); network.onGatewayExit says that the jail ends with it"))
            wantsStop = true
            kill()
        }
    }

    private func afterwards() -> GatewayExit {
        guard egress.onExit == .restart else { return egress.onExit }
        return restarts.take(System.monotonicNanoseconds()) ? .restart : .block
    }
}
