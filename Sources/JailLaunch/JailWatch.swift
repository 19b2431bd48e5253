internal import AuditLog
internal import EgressControl
internal import Glibc
internal import JailCgroups
internal import JailCore
internal import JailNetwork
internal import JailPlan
internal import JailPolicy
internal import JailTerminal

/// The supervisor's poll loop around one jail, from the clone to the end of its last process.
final class JailWatch {
    /// Blocked from before anything is made on; those without a meaning here are kept from interrupting anything.
    /// That a file may not grow further (SIGXFSZ) is told by the call as well, and would kill whoever writes the log.
    static let signals = handledSignals + [SIGPIPE, SIGXFSZ]
    /// Of a supervisor below a guardian, which takes the others.
    static let terminalSignals = [SIGWINCH]
    static let handledSignals = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH]

    private enum Phase { case launching, ready, running }

    let plan: LaunchPlan
    private let jail: ClonedInit
    private let signals: SharedDescriptor
    private(set) var group: Cgroup?
    private var publisher: PortPublisher
    private var callers: ControlSocket
    let execs: Execs
    let egress: EgressWatch?
    /// Of a jail that binds some.
    let renewal: SecretRenewal?
    /// Of a jail that may ask for approvals.
    let approvals: ApprovalDesk?
    /// Who may look, decide and handle.
    let access: AccessDesk
    /// Of a jail that root has started: where those come who may not reach its own socket.
    var deciders: DeciderSocket?
    let audit: Audit
    /// Of a jail that may ask for sessions.
    var sessions: SessionDesk?
    /// Of a jail that has commands.
    var commands: CommandDesk?
    /// Calls of commands that nobody can be asked about.
    var unasked: [UInt32] = []
    /// Once the command runs, of a jail that is to be asked how it is.
    var health: HealthWatch?
    /// Of a supervisor that is a service.
    var service: ServiceNotifier?
    /// Of a jail whose programs are watched.
    var learning: Learning?
    /// Of a jail whose doings somebody wants to hear of.
    let alerts: AlertWatch?
    /// Of a jail that has some.
    private let canaries: CanaryWatch?
    private var screenLook: Relay.Look?
    /// Once a program of the host's was started for this jail.
    private var outside: HostCommands?
    /// Who gets the sockets that init was asked for, in that order.
    private var socketUses: [SocketUse] = []
    private enum SocketUse { case published, health }
    /// Of a jail that was made for another one: hangs up when that one has ended.
    var lifeline: Descriptor?
    /// Of a jail that is started again.
    var guardian: GuardianLink?
    private let output: OutputLog?
    /// The caller ignored SIGHUP, as nohup(1) does: the end of its terminal is not the jail's.
    private let ignoresHangUp: Bool

    private var phase = Phase.launching
    private var hasBegun = false
    private var failure: Failure?
    /// The signal that ended the launch.
    private var stoppedBy: Int32?
    private var ended: Termination?
    private var initEnded: Termination?
    var limits: LimitWatch?
    private var limitsMoved = false
    var hasLooked = false
    private var controlEnded = false
    var hits: [LimitHit] = []
    private var sized: [SharedDescriptor] = []
    private var terminal: Terminal?
    private var master: SharedDescriptor?
    private let streams: StreamRelays
    private var keyboard: Relay?
    private var screen: Relay?
    /// Monotonic nanoseconds at which patience ends.
    private var deadline: Int64?
    /// Arrived before init had said that the command runs.
    private var earlySignals: [Int32] = []
    private var isKilled = false
    var nextLook: Int64
    private var watched: [WatchedTree] = []
    var pause: JailPause
    /// It stands still because of its log, and goes on with it.
    private var isHeld = false
    /// Of a jail that was stopped for good, and may not be started again.
    var lockdown: JailLockdown?
    /// Not told yet.
    var verifications: [(record: VerificationRecord, caller: SharedDescriptor)] = []
    var figures = Figures()
    /// Monotonic nanoseconds.
    let began = System.monotonicNanoseconds()
    /// Of a pause that nobody has called for, until it is there.
    private var spendLine: SharedDescriptor?
    /// Why there is none, to be told.
    var unpausable: String?

    init(
        _ plan: LaunchPlan, _ jail: ClonedInit, signals: SharedDescriptor, group: Cgroup?, publisher: PortPublisher,
        callers: ControlSocket, egress: EgressWatch?, secrets: JailSecrets? = nil, audit: Audit, output: OutputLog?,
        ignoresHangUp: Bool, variables: [String] = [], canaries: CanaryWatch?
    ) throws(JailError) {
        let initPID = jail.pid
        pause = try attempt(.cgroup) { () throws(SystemError) in
            try JailPause(group) { () throws(SystemError) in try Standstill.moving(below: initPID) }
        }
        self.plan = plan
        self.jail = jail
        streams = jail.streams
        self.signals = signals
        self.group = group
        self.publisher = publisher
        self.callers = callers
        execs = Execs(plan, adding: variables)
        renewal = secrets.map { SecretRenewal($0) }
        self.egress = egress
        approvals = plan.approvals.map { approvals in
            ApprovalDesk(
                approvals, jail: plan.gateway.map { "\($0)/\(plan.name)" } ?? plan.name,
                redactor: Redactor(patterns: plan.audit.rules.redact),
                rules: plan.network.egress?.rules ?? NetworkRules(), commands: plan.commands?.rules ?? CommandRules())
        }
        access = AccessDesk(owner: plan.identity.host.uid, state: plan.stateDirectory)
        self.audit = audit
        alerts = plan.alerts.map { AlertWatch($0, group: group) }
        self.output = output
        self.canaries = canaries
        if let canaries {
            let looks = (canaries.outputLook("standard output"), canaries.outputLook("standard error"))
            output?.looks = looks
            jail.streams.looks = looks
            screenLook = canaries.outputLook("its terminal")
        }
        self.ignoresHangUp = ignoresHangUp
        nextLook = System.monotonicNanoseconds() + Self.lookInterval
    }

    /// Lets init go on, and gives it the `tasks` files of its cgroups, the mount of `/data`, if there is one, and what
    /// the way out wants to be trusted by.
    func proceed(
        tasks: [SharedDescriptor], data: SharedDescriptor?, trust: [SharedDescriptor]
    ) throws(JailError) {
        let descriptors = tasks + (data.map { [$0] } ?? []) + trust
        let message = ControlMessage(
            .proceed, detail: UInt8(tasks.count), index: (data == nil ? 0 : 1) | (trust.isEmpty ? 0 : 2))
        try attempt(.supervise) { () throws(SystemError) in
            try System.setNonBlocking(jail.control.borrowed)
            try output?.releaseWriter()
            // A descriptor lives as long as its owner, and an owner no longer than it is asked for.
            try withExtendedLifetime(descriptors) { () throws(SystemError) in
                try System.send(jail.control.borrowed, message.bytes, descriptors: descriptors.map(\.borrowed))
            }
        }
    }

    func kill() {
        isKilled = true
        guard initEnded == nil else { return }
        _ = group?.kill()
        initEnded = jail.kill()
    }

    /// - Returns: the command's status.
    func run(_ reporter: inout some LaunchReporter) throws(JailError) -> Int32 {
        do {
            while initEnded == nil {
                try wait()
                if phase == .running, !hasBegun {
                    hasBegun = true
                    begin(&reporter)
                }
                if limitsMoved { report(&reporter, final: false) }
                tell(egress?.takeNotices() ?? [], &reporter)
                tell(publisher.takeRefusals().map { .event($0) }, &reporter)
                tell(renewal?.takeNotices() ?? [], &reporter)
                tell(canaries?.takeNotices() ?? [], &reporter)
                tell(sessions?.takeNotices() ?? [], &reporter)
                tell(commands?.takeNotices() ?? [], &reporter)
                tell(callersNotices, &reporter)
                callersNotices = []
                tellExecs(&reporter)
                tellPause(&reporter)
                tellHealth(&reporter)
                try attempt(.supervise) { () throws(SystemError) in try tellAlerts(&reporter) }
                tell(outside?.takeNotices() ?? [], &reporter)
                tell(learning?.takeNotices() ?? [], &reporter)
                tellLockdown(&reporter)
                tellVerifications(&reporter)
                tellApprovals(&reporter)
                try writeAudit(&reporter)
                try attempt(.supervise) { () throws(SystemError) in try answerApprovals() }
                tell(commands?.takeNotices() ?? [], &reporter)
            }
        } catch {
            kill()
            finish(&reporter)
            throw error
        }
        finish(&reporter)
        return try outcome(&reporter)
    }

    // MARK: Beginning and end

    var isRunning: Bool { phase == .running }
    var hasEnded: Bool { initEnded != nil || isKilled }

    /// A grace that was running does not end what is to be looked at.
    func holdForLockdown() { deadline = nil }

    /// Nothing of what the jail has set off outside goes on either.
    func cutNetwork() {
        endEgress()
        commands?.end()
        publisher.close()
    }

    /// Whatever becomes of its last words: it does not outlive the jail.
    private func endEgress() {
        do throws(SystemError) { try egress?.end() } catch { egress?.kill() }
    }

    /// Opens what the size of `/data` is watched through: a size that nobody can watch is a limit that does not hold.
    func watchData() throws(JailError) {
        if let data = plan.data, data.enforcement == .watched {
            watched.append(
                try WatchedTree(data.source, limit: data.size, hit: .data(path: data.target, limit: data.size)))
        }
        if let review = plan.review {
            watched.append(
                try WatchedTree(
                    "\(review.layer)/\(OverlayPlan.upper)", limit: review.size,
                    hit: .review(path: review.target, limit: review.size)))
        }
    }

    private func begin(_ reporter: inout some LaunchReporter) {
        emit(["event": "started", "name": .string(plan.name), "init": .number(jail.pid)], &reporter)
        if let canaries { emit(["event": "canaries", "planted": canaries.planted], &reporter) }
        audit.readPrograms(plan)
        if let group { limits = LimitWatch(group) }
        report(&reporter, final: false)
        guardian?.tell(.started)
        if deadline == nil {
            health = plan.health.map { HealthWatch($0) }
            service?.starting(
                health.map { "starting: waiting for \($0.question)" } ?? "running", period: plan.health?.startPeriod)
        }
    }

    private func finish(_ reporter: inout some LaunchReporter) {
        endHealth()
        tellHealth(&reporter)
        screen?.drainCompletely(look: screenLook)
        streams.drain()
        terminal?.restore()
        terminal = nil
        output?.finish()
        report(&reporter, final: true)
        endEgress()
        tell(egress?.takeNotices() ?? [], &reporter)
        tell(canaries?.takeNotices() ?? [], &reporter)
        approvals?.end()
        tellApprovals(&reporter)
        sessions?.end()
        tell(sessions?.takeNotices() ?? [], &reporter)
        commands?.end()
        tell(commands?.takeNotices() ?? [], &reporter)
        tellExecs(&reporter)
        tellPause(&reporter)
        tellLockdown(&reporter)
        limits = nil
        group?.remove()
        learning?.finish()
        tell(learning?.takeNotices() ?? [], &reporter)
        alerts?.finish()
        // Nothing is there any more that could be paused or stopped.
        try? tellAlerts(&reporter)
        // The jail is gone; what it has set off outside may still be on its way.
        outside?.finish(patience: Self.outsidePatience)
        tell(outside?.takeNotices() ?? [], &reporter)
    }

    /// Nanoseconds that programs of the host's have when the jail has ended.
    static let outsidePatience: Int64 = 10_000_000_000

    /// Has a program of the host's started, which reads `input`.
    func startOutside(_ command: HostCommandPlan, _ input: [UInt8]) {
        let commands = outside ?? HostCommands()
        outside = commands
        commands.start(command, input: input)
    }

    /// It is being stopped, or has ended.
    private func endHealth() {
        health?.end()
        service?.stopping("stopping", grace: plan.stopGrace)
    }

    private func outcome(_ reporter: inout some LaunchReporter) throws(JailError) -> Int32 {
        if let failure { throw plan.error(for: failure) }
        if let failure = egress?.failure { throw failure }
        // A service manager that gets this status does not try again.
        if lockdown != nil {
            emit(["event": "exited", "status": .number(ExitStatus.configuration)], &reporter)
            return ExitStatus.configuration
        }
        if let ended {
            if ended == .signalled(SIGSYS) { tellForbidden(plan.command.path, nil, &reporter) }
            emit(["event": "exited", "status": .number(ended.status)], &reporter)
            return ended.status
        }
        let how =
            switch initEnded {
            case .signalled(let signal): "by signal \(signal)"
            case .exited(let status): "with status \(status)"
            case nil: "in an unknown way"
            }
        guard phase == .running else {
            if let stoppedBy { throw JailError(.supervise, reason: "stopped by signal \(stoppedBy) during the launch") }
            throw JailError(.supervise, reason: "jail init ended \(how) before the command ran")
        }
        // A jail that only waits for what is executed in it ends when it is told to.
        if plan.command.isNone, isKilled {
            emit(["event": "exited", "status": 0], &reporter)
            return 0
        }
        // Killed by us, or from outside, or by the memory limit: the command went with it.
        if !isKilled { reporter.note("jail init ended \(how), not by clawjail: the command went with it") }
        emit(["event": "exited", "status": 137], &reporter)
        return 128 + SIGKILL
    }

    // MARK: Waiting

    /// Nanoseconds between two looks at what the kernel does not report by itself.
    private static let lookInterval: Int64 = 5_000_000_000
    /// Nanoseconds until a look after something was executed.
    static let lookSoon: Int64 = 500_000_000

    private func wait() throws(JailError) {
        var entries = pollEntries()
        do { try System.poll(&entries, milliseconds: patience()) } catch { throw JailError(.supervise, error) }
        let ready = System.PollResult(entries)
        do { try handle(ready) } catch { throw JailError(.supervise, error) }
    }

    private func pollEntries() -> [System.PollEntry] {
        var entries = [
            System.PollEntry(jail.pidfd.borrowed, System.PollEvents.readable),
            System.PollEntry(signals.borrowed, System.PollEvents.readable),
        ]
        // Once init is on its way out its end is ready for ever; the kernel still takes the namespaces down.
        if !controlEnded { entries.append(.init(jail.control.borrowed, System.PollEvents.readable)) }
        if let limits = limits?.pollEntries { entries += limits }
        entries += callers.pollEntries
        if let deciders { entries += deciders.pollEntries }
        entries += execs.pollEntries
        if let health { entries += health.pollEntries }
        if let egress { entries += egress.pollEntries }
        if let renewal { entries += renewal.pollEntries }
        if let sessions { entries += sessions.pollEntries }
        if let commands { entries += commands.pollEntries }
        if let outside { entries += outside.pollEntries }
        if let pausing = alerts?.pausing { entries.append(.init(pausing.borrowed, System.PollEvents.readable)) }
        if let lifeline { entries.append(.init(lifeline, System.PollEvents.readable)) }
        if let guardian { entries.append(.init(guardian.channel.borrowed, System.PollEvents.readable)) }
        entries += pause.pollEntries
        // Who calls a jail that stands still waits in the listener's backlog.
        if phase == .running, !pause.isPaused { entries += publisher.pollEntries }
        if let output { entries += output.pollEntries }
        entries += streams.pollEntries
        if let keyboard { Self.add(keyboard, to: &entries) }
        if let screen { Self.add(screen, to: &entries) }
        return entries
    }

    private static func add(_ relay: Relay, to entries: inout [System.PollEntry]) {
        if relay.wantsToRead { entries.append(.init(relay.source, System.PollEvents.readable)) }
        if relay.wantsToWrite { entries.append(.init(relay.target, System.PollEvents.writable)) }
    }

    /// No process but init: nothing can reach a limit.
    private var isIdle: Bool { plan.command.isNone && execs.count == 0 && phase == .running && !wantsLook }
    /// Something was executed since the last look.
    var wantsLook = false

    private func patience() -> Int32 {
        let now = System.monotonicNanoseconds()
        var next = deadline
        if !isIdle, !watched.isEmpty || limits != nil || !sized.isEmpty { next = min(next ?? .max, nextLook) }
        for due in [
            egress?.due, execs.due, callers.due, deciders?.due, sessions?.due, commands?.due, pause.due, health?.due,
            service?.due,
            audit.due,
            outside?.due, alerts?.due, approvals?.due,
        ] {
            if let due { next = min(next ?? .max, due) }
        }
        if streams.waitsForForeground { next = min(next ?? .max, now + 1_000_000_000) }
        guard let next else { return -1 }
        return Int32(clamping: max(0, (next - now) / 1_000_000 + 1))
    }

    private func handle(_ ready: System.PollResult) throws(SystemError) {
        limitsMoved = limits?.isReady(ready) ?? false
        if ready[signals.borrowed] != nil {
            while let signal = try System.nextSignal(signals.borrowed) {
                // Whoever sent it may have seen the command's output: what init said before that comes first.
                try readControl()
                try handle(signal: signal)
            }
        }
        if ready[jail.control.borrowed] != nil { try readControl() }
        // What init has said of a command comes before what its client says, or that it is gone.
        if execs.isReady(ready) { try readControl() }
        try execs.handle(ready, order)
        for (request, caller) in callers.handle(ready) { try answer(request, caller) }
        try watchDeciders(ready)
        try pause.handle(ready, order)
        endLockdownThatFails()
        execs.isHeld = pause.isPaused
        health?.hold(pause.isPaused)
        if phase == .running {
            if !pause.isPaused {
                for _ in 0..<publisher.handle(ready) { _ = try askForSocket(.published) }
            }
            try watchHealth(ready)
        }
        service?.work()
        outside?.handle(ready)
        output?.handle(ready)
        try watchEgress(ready)
        try sessions?.handle(ready)
        if initEnded == nil { try commands?.handle(ready) }
        watchApprovals()
        if let lifeline, ready[lifeline] != nil { kill() }
        if let guardian { try heed(guardian, ready) }
        streams.handle(ready)
        keyboard?.step(ready)
        screen?.step(ready, look: screenLook)
        try watchAlerts(ready)
        try checkClock()
        // Last: what init had to say has been read by now.
        if ready[jail.pidfd.borrowed] != nil {
            try readControl()
            // Unless it was killed and reaped on the way here.
            if initEnded == nil { initEnded = try System.reapIfEnded(jail.pidfd.borrowed) }
        }
    }

    private func watchEgress(_ ready: System.PollResult) throws(SystemError) {
        guard let egress, initEnded == nil else { return }
        try egress.handle(ready)
        try renewal?.handle(ready) { (grant) throws(SystemError) in try egress.give(grant) }
        // Without its way out the launch is not what was planned.
        if egress.failure != nil { kill() }
        if egress.wantsStop { try stopByRule() }
        if egress.takePause(), phase == .running, deadline == nil, !pause.isPaused { try pauseForSpend() }
        try hearPause()
    }

    /// Nobody has called: what becomes of it is heard on a line of our own.
    private func pauseForSpend() throws(SystemError) {
        let ends = try System.makeSocketPair(.sequencedPacket).release()
        let caller = SharedDescriptor(OwnedDescriptor(ends.first))
        let line = SharedDescriptor(OwnedDescriptor(ends.second))
        try System.setNonBlocking(line.borrowed)
        spendLine = line
        try pause.ask(paused: true, for: caller, order)
    }

    /// What was to stand still and does not is stopped.
    private func hearPause() throws(SystemError) {
        guard let line = spendLine else { return }
        do throws(SystemError) {
            let received = try System.receiveUpToEnd(line.borrowed, most: ControlReply.sizeLimit)
            spendLine = nil
            guard case .refused(_, let text)? = ControlReply(received.bytes), deadline == nil else { return }
            unpausable = text
            try stopByRule()
        } catch {
            guard error.errno == .wouldBlock else { throw error }
        }
    }

    private func watchHealth(_ ready: System.PollResult) throws(SystemError) {
        guard let health, initEnded == nil else { return }
        try health.handle(
            ready,
            HealthWatch.Means(
                askForSocket: { () throws(SystemError) in try self.askForSocket(.health) },
                execute: { (request, caller) throws(SystemError) in
                    try self.execs.probe(request, for: caller, in: self.group, self.order)
                }))
    }

    private func watchAlerts(_ ready: System.PollResult) throws(SystemError) {
        guard let alerts else { return }
        alerts.see(errorBytes: streams.takeErrorBytes() + (output?.takeErrorBytes() ?? 0))
        alerts.work()
        guard case .refused(_, let reason)? = alerts.takePause(ready) else { return }
        // A rule that wants it held does not want it to go on.
        alerts.tellUnpaused(reason)
        try stopForAlert()
    }

    /// Asks for what `clawjail pause` asks for, and hears what becomes of it in the same way.
    func pauseForAlert(_ alerts: AlertWatch) throws(SystemError) {
        guard phase == .running, deadline == nil, initEnded == nil, alerts.pausing == nil, !pause.isPaused else {
            return
        }
        do throws(SystemError) {
            let ends = try System.makeSocketPair(.sequencedPacket).release()
            let ours = SharedDescriptor(OwnedDescriptor(ends.first))
            let theirs = SharedDescriptor(OwnedDescriptor(ends.second))
            try System.setNonBlocking(ours.borrowed)
            alerts.awaitPause(ours)
            try pause.ask(paused: true, for: theirs, order)
        } catch {
            alerts.tellUnpaused("\(error.call.name): \(error.errno)")
            try stopForAlert()
        }
    }

    /// Once; a second request would be to kill it.
    func stopForAlert() throws(SystemError) {
        guard deadline == nil || guardian != nil, initEnded == nil, !isKilled else { return }
        try stopByRule()
    }

    /// False if init takes no more now.
    private func askForSocket(_ use: SocketUse) throws(SystemError) -> Bool {
        guard try order(ControlMessage(.makeSocket), []) else { return false }
        socketUses.append(use)
        return true
    }

    private func deliver(_ socket: SharedDescriptor?) throws(SystemError) {
        guard !socketUses.isEmpty else { throw SystemError(.check, .invalid) }
        switch (socketUses.removeFirst(), socket) {
        case (.published, let socket?): publisher.deliver(socket.take())
        case (.published, nil): publisher.drop()
        case (.health, let socket): health?.deliver(socket)
        }
    }

    /// A message that init can no longer take is lost with it.
    private func ask(_ message: ControlMessage) throws(SystemError) { _ = try order(message, []) }

    /// False if init takes no more, now or for ever.
    func order(_ message: ControlMessage, _ descriptors: [SharedDescriptor]) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try withExtendedLifetime(descriptors) { () throws(SystemError) in
                try System.send(jail.control.borrowed, message.bytes, descriptors: descriptors.map(\.borrowed))
            }
            return true
        } catch {
            guard error.errno.isShortage || [.brokenPipe, .connectionReset].contains(error.errno) else {
                throw error
            }
            return false
        }
    }

    // MARK: Callers

    func answer(_ request: ControlRequest, _ caller: SharedDescriptor) throws(SystemError) {
        if refusesInLockdown(request, caller) { return }
        switch request {
        case .kill:
            guardian?.tell(.final, caller)
            kill()
        case .lockdown(let order):
            guardian?.tell(.final)
            try lockDown(order, caller)
        case .seal(let seal): self.seal(seal, caller)
        case .verified(let record): take(record, caller)
        // The listener's own, see `ControlSocket`.
        case .restrict: break
        case .stop:
            guardian?.tell(.final, caller)
            try stop(SIGTERM)
        case .execute where phase != .running:
            let refusal = ControlReply.refused(ExitStatus.notRunning, "supervise: the jail is still being made")
            try? System.send(caller.borrowed, refusal.bytes)
        case .pause where phase != .running, .resume where phase != .running:
            let refusal = ControlReply.refused(ExitStatus.notRunning, "supervise: the jail is still being made")
            try? System.send(caller.borrowed, refusal.bytes)
        // Who ends, or is told to, is not to be held.
        case .pause where deadline != nil:
            let refusal = ControlReply.refused(ExitStatus.notRunning, "supervise: the jail is being stopped")
            try? System.send(caller.borrowed, refusal.bytes)
        case .execute where pause.isPaused, .signal where pause.isPaused:
            let refusal = ControlReply.refused(
                ExitStatus.notRunning, "exec: the jail is paused; let it go on with 'clawjail resume \(plan.name)'")
            try? System.send(caller.borrowed, refusal.bytes)
        case .pause: try pause.ask(paused: true, for: caller, order)
        case .resume:
            // Who wants it to go on has seen that it stood still.
            spendLine = nil
            try pause.ask(paused: false, for: caller, order)
        case .execute(let file, let streams):
            try execs.execute(file, streams: streams, for: caller, in: group, order)
        case .signal(let id, let signal): try execs.signal(id, signal, for: caller, order)
        case .state:
            let state: JSON = [
                "ready": .boolean(phase == .running), "execs": .number(execs.count),
                "lastUsed": .number(execs.lastUsed), "paused": .boolean(pause.isPaused),
                "health": .optional(health?.condition.rawValue), "lockdown": .boolean(lockdown != nil),
            ]
            try? System.send(caller.borrowed, ControlReply.state(state.text()).bytes)
        case .plan: handOutPlan(to: caller)
        case .fileSystems: handOutFileSystems(to: caller)
        case .approvals(let order): try carry(out: order, for: caller, .own)
        case .figures: try? System.send(caller.borrowed, ControlReply.state(figuresText()).bytes)
        case .saved(let note):
            callersNotices.append(.event(note.event))
            try? System.send(caller.borrowed, ControlReply.done.bytes)
        case .secret(let note):
            guard let renewal else {
                refuse(caller, ExitStatus.notThere, "secrets: this jail binds no secret")
                break
            }
            renewal.ask(note, caller)
        case .recent: try? System.send(caller.borrowed, ControlReply.state(recentText()).bytes)
        }
    }

    /// By those that init has opened: /proc shows the files of a process that is not dumpable to nobody but root.
    private func handOutFileSystems(to caller: SharedDescriptor) {
        let paths = zip(plan.sizedFileSystems, sized).map { $0.0.path }
        withExtendedLifetime((caller, sized)) {
            do throws(SystemError) {
                try System.send(
                    caller.borrowed, ControlReply.state(JSON.strings(paths).text()).bytes,
                    descriptors: sized.prefix(paths.count).map(\.borrowed))
            } catch {
                refuse(caller, ExitStatus.launchFailed, JailError(.supervise, error).description)
            }
        }
    }

    /// A caller that is gone hears nothing, and one for whom there is no memory, why.
    private func handOutPlan(to caller: SharedDescriptor) {
        withExtendedLifetime(caller) {
            do throws(SystemError) {
                let file = try System.makeMemoryFile("plan", Array(plan.json.text().utf8))
                try System.send(caller.borrowed, ControlReply.file.bytes, descriptors: [file.borrowed])
            } catch {
                let refusal = ControlReply.refused(ExitStatus.launchFailed, JailError(.supervise, error).description)
                try? System.send(caller.borrowed, refusal.bytes)
            }
        }
    }

    private func checkClock() throws(SystemError) {
        let now = System.monotonicNanoseconds()
        if let deadline, now >= deadline { kill() }
        guard now >= nextLook else { return }
        nextLook = now + Self.lookInterval
        // Full file systems, and on cgroup v1 refused processes: of those the kernel sends no news.
        hasLooked = true
        limitsMoved = true
        wantsLook = false
        execs.tidy()
        guard lockdown == nil else { return }
        for tree in watched where try tree.isFull() {
            hits.removeAll { $0 == tree.hit }
            pendingData = tree.hit
            guardian?.tell(.final)
            kill()
        }
    }
    private var pendingData: LimitHit?
    /// What callers have had recorded, and is to be told.
    var callersNotices: [JailNotice] = []

    func fullFileSystems() -> [LimitHit] {
        var full: [LimitHit] = pendingData.map { [$0] } ?? []
        for (descriptor, fileSystem) in zip(sized, plan.sizedFileSystems) {
            guard let status = try? System.fileSystem(of: descriptor.borrowed) else { continue }
            guard status.blocksFree == 0 || status.inodesFree == 0 else { continue }
            full.append(
                fileSystem.isData
                    ? .data(path: fileSystem.path, limit: fileSystem.size)
                    : .tmpfs(path: fileSystem.path, limit: fileSystem.size))
        }
        return full
    }

    // MARK: Init

    /// At most so many messages for each turn of the loop: whoever floods it must not keep it from its clock.
    private static let mostMessages = 64
    /// Of one message: the sockets of the way out, or the sized file systems and a terminal.
    private static let mostDescriptors = EgressSockets.mostListeners + EgressSockets.fixedCount

    private func readControl() throws(SystemError) {
        for _ in 0..<Self.mostMessages {
            let received: (bytes: [UInt8], descriptors: [Int32])
            do {
                received = try System.receive(
                    jail.control.borrowed, most: ControlMessage.size, descriptors: Self.mostDescriptors)
            } catch  where error.errno == .wouldBlock {
                return
            } catch  where error.errno == .connectionReset {
                controlEnded = true
                return
            }
            let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
            guard !received.bytes.isEmpty else {
                controlEnded = true
                return
            }
            guard let message = ControlMessage(received.bytes) else { throw SystemError(.check, .invalid) }
            try handle(message, descriptors)
        }
    }

    private func handle(_ message: ControlMessage, _ descriptors: [SharedDescriptor]) throws(SystemError) {
        switch message.kind {
        case .failed: failure = failure ?? message.failure
        case .egressSockets where phase == .launching && egress != nil: try egress?.adopt(descriptors)
        case .sessionSocket where phase == .launching && sessions != nil: try sessions?.adopt(descriptors)
        case .commandSocket where phase == .launching && commands != nil: try commands?.adopt(descriptors)
        case .ready where phase == .launching && sessions?.isReady ?? true && commands?.isReady ?? true:
            phase = .ready
            try egress?.serve()
            sized = descriptors
            if plan.command.terminal, !descriptors.isEmpty { try openTerminal(sized.removeFirst()) }
        case .started where phase == .ready:
            phase = .running
            for signal in earlySignals { try ask(ControlMessage(.signal, value: signal)) }
        case .executed, .notExecuted, .execExited, .execSignalled, .groupSignalled, .execGone:
            try execs.take(message, descriptors, order)
        case .allSignalled: try pause.acknowledge(order)
        case .socket where descriptors.count <= 1: try deliver(descriptors.first)
        case .exited where ended == nil && (0...255).contains(message.value): ended = .exited(message.value)
        case .signalled where ended == nil && (1...64).contains(message.value): ended = .signalled(message.value)
        default: throw SystemError(.check, .invalid)
        }
    }

    // MARK: Signals and requests to stop

    private func handle(signal: Int32) throws(SystemError) {
        switch signal {
        case SIGWINCH: terminal?.copySize()
        case SIGHUP where ignoresHangUp: break
        case SIGTERM, SIGHUP: try stop(signal)
        // There is no command yet that could make something of it.
        case SIGINT where phase == .launching, SIGQUIT where phase == .launching: try stop(signal)
        default: try pass(signal)
        }
    }

    /// A command that already runs may get its signal before we hear that it does; nothing is lost meanwhile.
    private func pass(_ signal: Int32) throws(SystemError) {
        if phase == .running {
            try ask(ControlMessage(.signal, value: signal))
        } else if !earlySignals.contains(signal) {
            earlySignals.append(signal)
        }
    }

    /// The command gets the signal and its grace; the second time, or once that is over, everything is killed.
    private func stop(_ signal: Int32) throws(SystemError) {
        // Nobody who stands still takes a signal.
        try pause.resume(order)
        if phase == .launching { stoppedBy = signal }
        endHealth()
        guard deadline == nil, phase != .launching, !plan.command.isNone, lockdown == nil else { return kill() }
        deadline = System.monotonicNanoseconds() + Int64(clamping: plan.stopGrace) * 1_000_000
        try pass(signal)
    }

    /// A rule wants its end, which is for good. Of those who ask again and again: a second time would kill it.
    func stopByRule() throws(SystemError) {
        guardian?.tell(.final)
        if deadline == nil { try stop(SIGTERM) }
    }

    /// What the guardian wants. Without it nobody watches over the jail as its profile says.
    private func heed(_ guardian: GuardianLink, _ ready: System.PollResult) throws(SystemError) {
        guardian.flush()
        guard ready[guardian.channel.borrowed] != nil else { return }
        do throws(SystemError) {
            while let order = try guardian.hear() {
                try readControl()
                switch order {
                case .signal(let signal): try handle(signal: signal)
                case .restart: if deadline == nil { try stop(SIGTERM) }
                }
            }
        } catch {
            guard error.errno == .brokenPipe else { throw error }
            self.guardian = nil
            kill()
        }
    }

    /// The jail stands still until ``letGo()``. One that would not is asked again as long as it must.
    func hold() throws(SystemError) {
        guard phase == .running, deadline == nil, !pause.isPaused else { return }
        try pause.ask(paused: true, for: nil, order)
        isHeld = true
    }

    func letGo() throws(SystemError) {
        guard isHeld else { return }
        isHeld = false
        if pause.isPaused { try pause.ask(paused: false, for: nil, order) }
    }

    // MARK: Terminal

    private func openTerminal(_ master: SharedDescriptor) throws(SystemError) {
        try System.setNonBlocking(master.borrowed)
        self.master = master
        terminal = try Terminal(master: master.borrowed)
        keyboard = Relay(from: .standardInput, to: master.borrowed)
        screen = Relay(from: master.borrowed, to: .standardOutput, mayBlock: true)
    }
}
