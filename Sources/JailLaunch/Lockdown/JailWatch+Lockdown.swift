internal import JailCore
internal import JailPlan

/// What a supervisor knows of the lockdown of its jail.
struct JailLockdown {
    let order: LockdownOrder
    /// By whom, as the kernel says.
    let peer: PeerCredentials?
    /// A rule of alerts has asked for it: with the evidence comes the end.
    let isByRule: Bool
    /// Not told yet.
    fileprivate var isNew = true
    fileprivate var seals: [(seal: LockdownSeal, caller: SharedDescriptor)] = []

    init(_ order: LockdownOrder, by peer: PeerCredentials?, isByRule: Bool = false) {
        self.order = order
        self.peer = peer
        self.isByRule = isByRule
    }
}

/// A jail that is locked down stands still until it is killed: nothing lets it go on.
extension JailWatch {
    /// How often a process may go on by itself before everything is killed.
    private static let mostStrays = 3

    /// First everybody stands still, then nothing goes out or comes in. Asked again, the caller hears once more how it is.
    func lockDown(_ order: LockdownOrder, _ caller: SharedDescriptor) throws(SystemError) {
        if lockdown == nil { lockdown = JailLockdown(order, by: try? System.peer(of: caller.borrowed)) }
        guard isRunning else {
            // Nothing of it has run yet, or hardly anything: the caller sees its end.
            return kill()
        }
        holdForLockdown()
        try pause.ask(paused: true, for: caller, mustHold: true, self.order)
        cutNetwork()
    }

    /// Takes down where the evidence is. The caller hears when that has been told, which is when it has been recorded.
    func seal(_ seal: LockdownSeal, _ caller: SharedDescriptor) {
        guard lockdown != nil else {
            return refuse(caller, ExitStatus.notRunning, "lockdown: this jail is not locked down")
        }
        lockdown?.seals.append((seal, caller))
    }

    /// Whether a request is one that a locked-down jail does not hear any more.
    func refusesInLockdown(_ request: ControlRequest, _ caller: SharedDescriptor) -> Bool {
        guard lockdown != nil else { return false }
        switch request {
        case .execute, .signal, .pause, .resume:
            refuse(
                caller, ExitStatus.refused,
                "lockdown: jail '\(plan.name)' is locked down, and stands still until it is killed: clawjail stop --kill"
            )
            return true
        case .stop, .kill, .state, .figures, .recent, .plan, .fileSystems, .restrict, .lockdown, .seal, .verified,
            .saved, .secret, .approvals:
            return false
        }
    }

    /// One that cannot be held is not left running.
    func endLockdownThatFails() {
        guard lockdown != nil, pause.hasFailed || pause.strays >= Self.mostStrays else { return }
        kill()
    }

    func tellLockdown(_ reporter: inout some LaunchReporter) {
        guard let known = lockdown else { return }
        if known.isNew {
            lockdown?.isNew = false
            reporter.note("locked down: \(known.order.reason)")
            emit(.object(event("begun", known)), &reporter)
        }
        guard !known.seals.isEmpty else { return }
        lockdown?.seals = []
        for (seal, caller) in known.seals {
            emit(
                .object(
                    event("sealed", known) + [("archive", .string(seal.archive)), ("sha256", .string(seal.digest))]),
                &reporter)
            // In the log before anybody is told that it is.
            guard [.writing, .recovered].contains(audit.work()) else {
                refuse(caller, ExitStatus.launchFailed, "lockdown: the log of the jail cannot be written")
                continue
            }
            withExtendedLifetime(caller) { try? System.send(caller.borrowed, ControlReply.done.bytes) }
            if known.isByRule { kill() }
        }
    }

    private func event(_ step: String, _ lockdown: JailLockdown) -> [(String, JSON)] {
        [
            ("event", "lockdown"), ("step", .string(step)), ("reason", .string(lockdown.order.reason)),
            ("who", .string(lockdown.order.who)), ("uid", lockdown.peer.map { .number($0.uid) } ?? .null),
            ("pid", lockdown.peer.map { .number($0.pid) } ?? .null),
        ]
    }

    func refuse(_ caller: SharedDescriptor, _ status: Int32, _ text: String) {
        withExtendedLifetime(caller) { try? System.send(caller.borrowed, ControlReply.refused(status, text).bytes) }
    }
}
