internal import EgressControl
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's side of the way out: starts it, tells it what it needs, passes on what it says, and decides what
/// becomes of a jail whose way out has ended.
final class EgressWatch {
    enum Notice {
        case note(String)
        case event(JSON)
    }

    private enum Phase {
        /// It has not said yet who it is.
        case starting
        /// It has, and waits for its sockets.
        case ready
        case serving
        /// It is gone for good, and so are its sockets: connections are refused at once.
        case ended
    }

    private let egress: EgressPlan
    private let process: EgressProcess
    private var texts: EgressTexts
    /// The table of names and addresses, which outlives a gateway.
    private let names: SharedDescriptor
    /// The CA's, of the first gateway and every later one.
    private var state: SharedDescriptor?
    private var identity: EgressIdentity?
    private var sockets: [SharedDescriptor] = []
    private var phase = Phase.starting
    private var controlEnded = false
    /// The command starts: what happens from now on is the jail's, and no longer the launch's.
    private var isLaunched = false
    /// What the gateway itself said before it ended.
    private var lastWord: String?
    private var deadline: Int64?
    private var restarts: [Int64] = []
    private var nextLook = System.monotonicNanoseconds() + EgressWatch.lookInterval
    private var hasNews = false
    private var denials = DenialNotes()
    private var output = EgressOutput()
    private var notices: [Notice] = []
    /// Why the launch cannot go on.
    private(set) var failure: JailError?
    /// By the profile, the jail ends with its way out.
    private(set) var wantsStop = false

    /// Nanoseconds that it has to say who it is.
    private static let patience: Int64 = 10_000_000_000
    /// Nanoseconds between two looks at the host's resolv.conf and hosts.
    private static let lookInterval: Int64 = 5_000_000_000
    /// In so many nanoseconds it is started again so many times, and then no more.
    private static let restartInterval: Int64 = 60_000_000_000
    private static let mostRestarts = 5
    /// Messages for each turn of the loop: whoever floods it must not keep it from its clock.
    private static let mostMessages = 64

    /// Clones, and lets the process begin: its start overlaps with that of the jail.
    init(_ plan: LaunchPlan, _ egress: EgressPlan, tellsAllowed: Bool) throws(JailError) {
        self.egress = egress
        texts = try EgressTexts(egress)
        names = try attempt(.egress) { () throws(SystemError) in
            SharedDescriptor(try System.makeMemoryFile("names", [], sealed: false))
        }
        process = try EgressProcess(plan, egress, tellsAllowed: tellsAllowed)
        try attempt(.egress) { () throws(SystemError) in try start() }
    }

    private func start() throws(SystemError) {
        phase = .starting
        lastWord = nil
        deadline = System.monotonicNanoseconds() + Self.patience
        try process.start(texts, names: names.borrowed, state: state?.borrowed)
    }

    func kill() {
        phase = .ended
        deadline = nil
        sockets = []
        process.kill()
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
        // A new channel has room; if it has not, the gateway is not what it should be.
        guard try process.send(sockets) else { return distrust("it does not listen") }
        phase = .serving
        deadline = nil
    }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        guard phase != .ended else { return [] }
        var entries = [System.PollEntry(process.pidfd.borrowed, System.PollEvents.readable)]
        if !controlEnded { entries.append(.init(process.control.borrowed, System.PollEvents.readable)) }
        if let channel = process.channel { entries.append(.init(channel.borrowed, System.PollEvents.readable)) }
        if !output.isFinished { entries.append(.init(process.output.borrowed, System.PollEvents.readable)) }
        return entries
    }

    /// Monotonic nanoseconds at which ``handle(_:)`` wants to be called though nothing is ready.
    var due: Int64? {
        [deadline, denials.due, phase == .serving ? nextLook : nil].compactMap { $0 }.min()
    }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        guard phase != .ended else { return gather() }
        if let channel = process.channel, ready[channel.borrowed] != nil { try readChannel(channel) }
        if ready[process.output.borrowed] != nil { hearOutput() }
        if phase != .ended, ready[process.control.borrowed] != nil { try readControl() }
        if phase != .ended, ready[process.pidfd.borrowed] != nil {
            // What it had to say before.
            try readControl()
            if phase != .ended { ended("with its init", mayRestart: false) }
        }
        try checkClock()
        gather()
    }

    private func checkClock() throws(SystemError) {
        let now = System.monotonicNanoseconds()
        if let deadline, now >= deadline {
            return distrust("it did not start within \(Self.patience / 1_000_000_000) s")
        }
        guard phase == .serving, now >= nextLook else { return }
        nextLook = now + Self.lookInterval
        do throws(JailError) {
            if try texts.refresh() { hasNews = true }
        } catch {
            notices.append(.note("\(error); the way out goes on with what it read before"))
        }
        if hasNews, try process.send(texts.resolver) { hasNews = false }
    }

    private func gather() {
        notices += denials.due(System.monotonicNanoseconds()).map { .note($0) }
    }

    /// What is to be told since the last time.
    func takeNotices() -> [Notice] {
        defer { notices = [] }
        return notices
    }

    // MARK: What it says

    private func readChannel(_ channel: SharedDescriptor) throws(SystemError) {
        for _ in 0..<Self.mostMessages where phase != .ended {
            let received: (bytes: [UInt8], descriptors: [Int32])
            do throws(SystemError) {
                received = try System.receive(channel.borrowed, most: EgressMessage.sizeLimit, descriptors: 3)
            } catch {
                switch error.errno {
                case .wouldBlock: return
                case .connectionReset: return process.closeChannel()
                case .messageTooLong: return distrust("it said more than it may")
                default: throw error
                }
            }
            let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
            if received.bytes.isEmpty { return process.closeChannel() }
            let report = try withExtendedLifetime(descriptors) { () throws(SystemError) in
                try EgressMessage.report(received.bytes, descriptors.map(\.borrowed))
            }
            guard let report else { return distrust("it said what it never would") }
            try take(report)
        }
    }

    private func take(_ report: EgressMessage.Report) throws(SystemError) {
        switch report {
        case .ready(let identity): try take(identity)
        case .failure(let error): lastWord = "\(error.call.name): \(error.errno)"
        case .events(let events): for event in events { take(event) }
        }
    }

    private func take(_ event: EgressEvent) {
        if case .object(let members) = event.json {
            notices.append(.event(.object([("event", "network")] + members)))
        }
        if event.subject == .gateway { lastWord = event.reason }
        if event.verdict != .allowed, let line = denials.add(event, now: System.monotonicNanoseconds()) {
            notices.append(.note(line))
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

    /// The first line says what it is; what follows are addresses.
    private func hearOutput() {
        let lines = output.read(process.output.borrowed)
        if lastWord == nil { lastWord = lines.first }
    }

    private func readControl() throws(SystemError) {
        for _ in 0..<Self.mostMessages {
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try System.receive(process.control.borrowed, most: ControlMessage.size).bytes
            } catch {
                if error.errno == .wouldBlock { return }
                controlEnded = true
                guard error.errno == .connectionReset else { throw error }
                return
            }
            guard !bytes.isEmpty else {
                controlEnded = true
                return
            }
            // What the gateway said before it ended comes first.
            if let channel = process.channel { try readChannel(channel) }
            guard phase != .ended else { return }
            guard let message = ControlMessage(bytes) else { return distrust("its init said what it never would") }
            switch message.kind {
            case .started: break
            case .failed:
                if let error = message.failure?.error { lastWord = "\(error.call.name): \(error.errno)" }
                return ended("itself", mayRestart: false)
            case .exited: ended("with status \(message.value)", mayRestart: true)
            case .signalled: ended("by signal \(message.value)", mayRestart: true)
            default: return distrust("its init said what it never would")
            }
        }
    }

    // MARK: Its end

    /// It is not what was started: nothing more is heard, and no other one takes its place.
    private func distrust(_ reason: String) {
        lastWord = reason
        ended("by clawjail", mayRestart: false)
    }

    private func ended(_ how: String, mayRestart: Bool) {
        hearOutput()
        process.closeChannel()
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
        let now = System.monotonicNanoseconds()
        restarts = restarts.filter { now - $0 < Self.restartInterval }
        guard restarts.count < Self.mostRestarts else { return .block }
        restarts.append(now)
        return .restart
    }
}
