internal import JailCore
internal import JailPlan
internal import JailPolicy

/// A lockdown that a rule of alerts asks for: what `clawjail lockdown` does, in the same order.
extension JailWatch {
    /// First the marker, so that it does not start again; then everybody stands still, and nothing goes out or comes in. That
    /// much this process does itself, and whatever fails meanwhile, the rest is done. Then another clawjail gathers the
    /// evidence, and the jail is killed when that has been recorded.
    func lockDown(for alert: Alert, _ reporter: inout some LaunchReporter) throws(SystemError) {
        guard lockdown == nil, let order = Self.order(alert) else { return }
        guardian?.tell(.final)
        mark(order, &reporter)
        guard !hasEnded else { return }
        lockdown = JailLockdown(order, by: nil, isByRule: true)
        guard isRunning else { return kill() }
        holdForLockdown()
        try pause.ask(paused: true, for: nil, mustHold: true, self.order)
        cutNetwork()
        gatherEvidence(order)
    }

    /// Nothing that the jail has chosen is in it.
    private static func order(_ alert: Alert) -> LockdownOrder? {
        let reason = "alert: \(alert.plainMessage)".utf8.prefix(900)
        return LockdownOrder(
            reason: String(decoding: reason, as: UTF8.self).printable, who: "clawjail, by the rule '\(alert.rule.name)'"
        )
    }

    private var subject: LockdownMarker.Subject {
        plan.gateway.map { .session(plan.name, of: $0) } ?? .jail(plan.name)
    }

    private func mark(_ order: LockdownOrder, _ reporter: inout some LaunchReporter) {
        do throws(JailError) {
            try LockdownMarker.write(
                [
                    "version": 1, "lockedDown": .string(subject.shown), "reason": .string(order.reason),
                    "who": .string(order.who), "uid": .number(System.userID),
                    "time": .string(UTCTime.text(System.realtimeSeconds())), "all": false, "evidence": .null,
                ], for: subject, in: plan.stateDirectory)
        } catch {
            let text = "nothing keeps this jail from being started again: \(error)"
            reporter.note("alerts: \(text)")
            emit(["event": "alerts", "failed": "lockdown", "message": .string(text)], &reporter)
        }
    }

    /// Milliseconds: of `/data` and every file system in memory there may be much.
    private static let evidencePatience: UInt64 = 3_600_000

    /// Where that fails, the jail stays as it is, and a person asks for it once more.
    private func gatherEvidence(_ order: LockdownOrder) {
        var command = HostCommandPlan(
            purpose: "alerts.lockdown", path: "/proc/self/exe",
            arguments: ["clawjail", "lockdown", subject.shown, "--reason", order.reason, "--keep"])
        command.keepsEnvironment = true
        command.timeout = Self.evidencePatience
        startOutside(command, [])
    }
}
