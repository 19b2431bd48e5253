internal import Glibc
internal import JailCgroups
package import JailCore
internal import JailNamespaces
internal import JailNetwork
package import JailPlan
internal import JailPolicy
internal import JailPrivileges
internal import JailScope
internal import JailSeccomp
internal import JailTerminal

/// Where a launch tells what happens to it, besides the exit status.
package protocol LaunchReporter {
    /// One line for a person.
    mutating func note(_ text: String)
    /// One event for a program, see `--status-fd`.
    mutating func event(_ event: JSON)
}

/// Carries out a plan: prepares on the host, clones init, and watches until the jail is gone.
///
/// Single-threaded from the first instruction to the last, see docs/architecture.md.
package enum Supervisor {
    /// - Parameters:
    ///   - sessions: needed for a plan with sessions.
    ///   - lifeline: the jail is killed when it hangs up.
    ///   - service: of a supervisor that a service manager has started and watches.
    ///   - learning: of a jail whose programs are watched, see ``Learning``.
    ///   - guardian: of a jail that is started again. It has the name already, and takes the signals.
    /// - Returns: the exit status of the command, see ``ExitStatus``.
    /// - Throws: what ended the launch before the command ran. Nothing is left behind then.
    package static func run(
        _ plan: LaunchPlan, output: OutputLog? = nil, sessions: (any SessionStarter)? = nil,
        lifeline: Descriptor? = nil, service: ServiceNotifier? = nil, learning: Learning? = nil,
        guardian: GuardianLink? = nil,
        reporter: inout some LaunchReporter
    ) throws(JailError) -> Int32 {
        var plan = plan
        try LockdownMarker.check(plan)
        try checkProcess()
        try plan.checkPrograms()
        // What the caller ignores would stay ignored in init and the command. And with SIGCHLD ignored the kernel reaps
        // every child at once, so that init's end would never be seen.
        // That nohup(1) was asked for is remembered here, where signals are handled.
        let ignoresHangUp = System.isIgnored(SIGHUP)
        if guardian == nil { try attempt(.session) { () throws(SystemError) in try System.resetSignals() } }
        // Of open files what it may have: it holds some for each command and each connection.
        try attempt(.session) { () throws(SystemError) in try System.raiseLimit(.openFiles) }
        let filters = try plan.seccomp.prepareFilters()
        try DataDirectory.prepare(&plan)
        // Before anything is there that would have to be cleared up: it may take the manager a while.
        if let cgroup = plan.limits.cgroup, case .scope(let scope) = cgroup.place {
            plan.limits.cgroup?.place = .v2(parent: try scope.enter(needing: cgroup.controllers))
        }
        let directory: RunDirectory
        if let guardian {
            directory = try guardian.openDirectory()
        } else {
            directory = try RunDirectory.claim(
                plan.name, in: plan.runtimeDirectory, removing: JailState.removeCgroups)
        }
        // Nobody else has this name now, and so nobody else writes its log.
        let audit: Audit
        do throws(JailError) { audit = try Audit(plan) } catch {
            clear(directory, of: plan, guardian)
            throw error
        }
        // From here on a signal would leave things behind: it waits for the loop, which knows what there is to end.
        do {
            // Once more: nobody who looks for jails overlooks this one now.
            try LockdownMarker.check(plan)
            // Only now: a jail of this name that still ran would write to the same layer.
            try ReviewDirectory.prepare(&plan)
            try attempt(.supervise) { () throws(SystemError) in try System.block(JailWatch.signals) }
            let (status, watch) = try run(
                plan, filters: filters, in: directory, audit: audit, output: output, sessions: sessions,
                lifeline: lifeline, service: service, learning: learning, guardian: guardian,
                ignoresHangUp: ignoresHangUp,
                reporter: &reporter)
            try end(audit, &reporter)
            clear(directory, of: plan, guardian)
            // Only now do those hear of it who wait for the end: they may start the next jail of this name at once.
            withExtendedLifetime(watch) {}
            return status
        } catch {
            audit.record([
                "event": "failed", "status": .number(error.status), "message": .string(error.description),
            ])
            // What the launch ended by is what its caller hears of.
            try? end(audit, &reporter)
            clear(directory, of: plan, guardian)
            throw error
        }
    }

    /// The last words of the log. A jail has ended whose log has none: that is told, and changes its status.
    static func end(_ audit: Audit, _ reporter: inout some LaunchReporter) throws(JailError) {
        defer {
            let commands = HostCommands()
            for (command, input) in audit.takeOutside() { commands.start(command, input: input) }
            commands.finish(patience: JailWatch.outsidePatience)
            for notice in audit.takeNotices() + commands.takeNotices() {
                switch notice {
                case .note(let text): reporter.note(text)
                case .event(let event): reporter.event(event)
                }
            }
        }
        try audit.close()
    }

    /// A control group that is still there keeps its directory, which tells the next start of it. Most are gone by now.
    /// A guardian keeps the directory, and looks once more.
    private static func clear(
        _ directory: consuming RunDirectory, of plan: LaunchPlan, _ guardian: GuardianLink?
    ) {
        let isClear = Cgroup.remove(JailState.cgroups(of: plan))
        if (plan.sessions == nil || directory.removeSessions(removing: JailState.removeCgroups)), isClear,
            guardian?.isThere != true
        {
            directory.remove()
        }
    }

    private static func run(
        _ plan: LaunchPlan, filters: [[UInt64]], in directory: borrowing RunDirectory, audit: Audit,
        output: OutputLog?, sessions: (any SessionStarter)?, lifeline: Descriptor?, service: ServiceNotifier?,
        learning: Learning?, guardian: GuardianLink?, ignoresHangUp: Bool, reporter: inout some LaunchReporter
    ) throws(JailError) -> (status: Int32, watch: JailWatch) {
        var state = JailState(plan)
        state.guardian = guardian.map { ($0.guardian, $0.restarts) }
        // Named before it is made: whoever finds this directory unlocked removes the group as well.
        try directory.write(state.cgroupList, to: RunDirectory.cgroupFile)
        var group: Cgroup?
        do throws(JailError) {
            // On v2 the clone enters the group, so it must be there; on v1 it is made while init makes its namespaces.
            if let cgroup = plan.limits.cgroup, cgroup.isUnified { group = try Cgroup.prepare(cgroup) }
            let signals = try attempt(.supervise) { () throws(SystemError) in
                SharedDescriptor(
                    try System.signalDescriptor(
                        guardian == nil ? JailWatch.handledSignals : JailWatch.terminalSignals))
            }
            // Before anything is cloned that would have what is left of them in its memory, or in its environment.
            let secrets = try JailSecrets.resolve(
                plan, signals: guardian?.channel.borrowed ?? signals.borrowed)
            let token = try GatewayToken.resolve(plan, signals: guardian?.channel.borrowed ?? signals.borrowed)
            let hook = try plan.approvals?.notify?.webhook.map { (webhook) throws(JailError) in
                try JailSecrets.value(of: webhook.secret, plan, guardian?.channel.borrowed ?? signals.borrowed)
            }
            let maker = try makeMaker(plan, sessions)
            let runner = try makeRunner(plan)
            let canaries = try PlantedCanaries(plan)
            let canaryWatch = canaries.isEmpty ? nil : try CanaryWatch(canaries)
            let variables = (secrets?.environment ?? []) + (token?.environment ?? []) + canaries.variables
            // First of all: it starts while the jail is being made.
            let egress = try plan.network.egress.map { (egress) throws(JailError) in
                try EgressWatch(
                    plan, egress, secrets: secrets, canaries: canaries.known, canaryWatch: canaryWatch)
            }
            let jail: ClonedInit
            // A log takes standard error by itself, and a jail without a command has none.
            let isOnStreams = output == nil && !plan.command.isNone
            let watches = (
                output: canaryWatch != nil && isOnStreams, errors: plan.alerts?.watches(.stderr) == true && isOnStreams
            )
            do throws(JailError) {
                // What stands for secrets is in the command's environment, and in nothing that is told of the plan.
                var launched = plan
                launched.command.environment += variables
                launched.show(placeholders: secrets?.placeholders ?? [])
                jail = try cloneInit(
                    launched, filters: filters, into: group, canaries: canaries.texts, watches: watches)
            } catch {
                egress?.kill()
                throw error
            }
            do throws(JailError) {
                // Before init does anything that could forbid it, and before this process gives up its rights.
                try learning?.attach(jail.pid, plan)
                if group == nil, let cgroup = plan.limits.cgroup { group = try Cgroup.prepare(cgroup) }
                var publisher = try PortPublisher(plan.network.publish, token: token?.published)
                if let canaryWatch {
                    publisher.inspector = canaryWatch.portInspector
                }
                let callers: ControlSocket
                if let guardian {
                    callers = ControlSocket(try guardian.takeListener())
                } else {
                    callers = ControlSocket(try directory.makeSocket())
                }
                let watch = try JailWatch(
                    plan, jail, signals: signals, group: group, publisher: publisher, callers: callers,
                    egress: egress, secrets: secrets, audit: audit, output: output, ignoresHangUp: ignoresHangUp,
                    variables: variables, canaries: canaryWatch)
                if let hook { watch.approvals?.sign(with: hook) }
                if plan.approvals != nil, plan.identity.startedByRoot {
                    watch.deciders = DeciderSocket(try directory.makeDeciderSocket())
                }
                let peers = try makePeers(plan, jail.pid)
                // While there are rights to mount with.
                let image = try DataDirectory.mountImage(plan)
                try plan.identity.writeMaps(of: jail.pid)
                try settle(plan)
                state.initPID = jail.pid
                state.canaries = canaryWatch?.planted
                try directory.write(state.json.text() + "\n", to: RunDirectory.stateFile)
                try secrets?.catchUp(signals: guardian?.channel.borrowed ?? signals.borrowed)
                watch.lifeline = lifeline
                watch.service = service
                watch.learning = learning
                watch.guardian = guardian
                try watch.watchData()
                if let maker, let sessions = plan.sessions {
                    try maker.awaitReady()
                    watch.sessions = SessionDesk(plan, sessions, maker, approvals: watch.approvals)
                }
                try runner?.awaitReady()
                watch.commands = try makeDesk(
                    plan, peers: peers, inside: watch.makeInnerRuns(), elsewhere: runner)
                let trust = try egress.map { (egress) throws(JailError) in
                    try egress.trustFiles(
                        try egress.awaitReady(signals: guardian?.channel.borrowed ?? signals.borrowed))
                }
                try audit.begin(plan)
                // Everything that could still fail out here is done: what init starts now, it starts for good.
                try watch.proceed(tasks: group?.takeTasks() ?? [], data: image, trust: trust ?? [])
                return (try watch.run(&reporter), watch)
            } catch {
                jail.kill()
                learning?.abandon()
                egress?.kill()
                maker?.end()
                runner?.endAll()
                throw error
            }
        } catch {
            group?.closeJoinDescriptors()
            group?.remove()
            throw error
        }
    }

    private static func makeMaker(
        _ plan: LaunchPlan, _ starter: (any SessionStarter)?
    ) throws(JailError) -> SessionMakerProcess? {
        guard let sessions = plan.sessions else { return nil }
        guard let starter else { throw JailError(.session, reason: "nobody can make the sessions of this plan") }
        return try SessionMakerProcess(plan, sessions, starter)
    }

    /// What must be so before anything is made.
    static func checkProcess() throws(JailError) {
        let names = ["standard input", "standard output", "standard error"]
        for (number, name) in names.enumerated() {
            guard System.isOpen(Int32(number)) else {
                throw JailError(.supervise, reason: "\(name) is closed", hint: "redirect it to /dev/null")
            }
            // A directory is a way out of the jail: openat(2) starts there, whatever the root is.
            let status = try attempt(.supervise, name) { () throws(SystemError) in
                try System.status(of: Descriptor(Int32(number)))
            }
            if status.isDirectory {
                throw JailError(.supervise, reason: "\(name) is a directory", hint: "redirect it to /dev/null")
            }
        }
        let threads = System.threadCount()
        guard threads == 1 else {
            throw threads < 0
                ? JailError(
                    .supervise, path: "/proc/self/task", reason: Errno(-threads).description, hint: "mount /proc")
                : JailError(.supervise, reason: "\(threads) threads where one is expected")
        }
    }

    // MARK: Clone

    /// Returns in the supervisor only; the clone goes its own way in ``Init``.
    private static func cloneInit(
        _ plan: LaunchPlan, filters: [[UInt64]], into group: Cgroup?, canaries: [String],
        watches: (output: Bool, errors: Bool)
    ) throws(JailError) -> ClonedInit {
        let (ours, theirs) = try attempt(.supervise) { () throws(SystemError) in
            try System.makeSocketPair(.sequencedPacket).release()
        }
        let streams = try attempt(.supervise) { () throws(SystemError) in
            try StandardStreams(
                ownTerminal: plan.command.terminal, confined: plan.appArmor != nil,
                watchesErrors: watches.errors, watchesOutput: watches.output)
        }
        // What is to be told from the jail's, by a jail that makes sure of it.
        let namespaces =
            plan.selfTest
            ? try attempt(.selftest) { () throws(SystemError) in try SelfTest.namespaces() } : []
        let leaf = group?.joinDescriptors.first.map(Descriptor.init)
        let cloned = try attempt(.clone) { () throws(SystemError) in
            try System.clone(plan.namespaces.cloned, into: leaf)
        }
        let pid = cloned.pid
        if pid == 0 {
            // Whoever holds both ends of a socket never sees it end: init would wait for a supervisor that was killed.
            System.close(ours)
            Init.run(
                plan, filters: filters, control: Descriptor(theirs), streams: streams,
                hostNamespaces: namespaces, canaries: canaries)
        }
        // Init's end must be its alone, or its death would go unseen.
        System.close(theirs)
        return ClonedInit(
            pid: pid, pidfd: SharedDescriptor(cloned.takeDescriptor()),
            control: SharedDescriptor(OwnedDescriptor(ours)), streams: StreamRelays(streams))
    }

    /// After the maps, which need these rights or this state: the supervisor gives up what it has left. Started by
    /// root it stays uid 0, to remove what it made, and keeps one capability: the top of a cgroup hierarchy is not
    /// writable even for root without it, and what lies in `/data` could not be counted.
    private static func settle(_ plan: LaunchPlan) throws(JailError) {
        try attempt(.supervise) { () throws(SystemError) in
            try System.setDumpable(false)
            if plan.identity.startedByRoot { try Privileges.keepOnly(.overrideAccess) }
            try Privileges.forbidNewPrivileges()
        }
    }
}

/// Jail init, as the supervisor holds it.
struct ClonedInit {
    let pid: Int32
    let pidfd: SharedDescriptor
    let control: SharedDescriptor
    /// The caller's terminal, where the command would have had it.
    let streams: StreamRelays

    /// Ends everything in the jail, and waits for it: PID 1 takes the namespace with it. A second time does nothing.
    @discardableResult
    func kill() -> Termination? {
        // Where the descriptor fails, by number: as long as nobody has reaped it, it is nobody else's.
        do { try System.send(signal: SIGKILL, to: pidfd.borrowed) } catch  where error.errno != .noProcess {
            try? System.kill(pid, SIGKILL)
        } catch {
        }
        return try? System.wait(for: pidfd.borrowed)
    }
}
