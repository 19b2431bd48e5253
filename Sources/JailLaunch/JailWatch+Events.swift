internal import JailCgroups
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Something that is to be told.
enum JailNotice {
    /// To a person: one line.
    case note(String)
    /// To a program, see ``LaunchReporter/event(_:)``, and to the log.
    case event(JSON)
}

/// What happens to a jail, told: to people as lines, to programs as events.
extension JailWatch {
    /// Every event of a jail passes here, once.
    func emit(_ event: JSON, _ reporter: inout some LaunchReporter) {
        audit.record(event)
        figures.take(event, now: System.monotonicNanoseconds(), time: System.realtimeMilliseconds())
        // A way out that is started again is a clone, with a copy of the key.
        if case .object(let members) = event, case .string("egress")? = members.first?.1 { audit.renewKey() }
        reporter.event(event)
        alerts?.see(event)
        learning?.see(event)
    }

    /// Writes what has happened, and decides what becomes of a jail whose log cannot be written.
    func writeAudit(_ reporter: inout some LaunchReporter) throws(JailError) {
        let state = audit.work()
        tell(audit.takeNotices(), &reporter)
        for (command, input) in audit.takeOutside() { startOutside(command, input) }
        switch state {
        case .writing: break
        case .recovered: try attempt(.supervise) { () throws(SystemError) in try letGo() }
        case .overdue:
            guardian?.tell(.final)
            kill()
        case .short:
            try attempt(.supervise) { () throws(SystemError) in
                if audit.stopsWhenShort { try stopByRule() } else { try hold() }
            }
        }
    }

    /// What the way out, the maker of sessions and the like have decided or seen, and what became of it.
    func tell(_ notices: [JailNotice], _ reporter: inout some LaunchReporter) {
        for notice in notices {
            switch notice {
            case .note(let text): reporter.note(text)
            case .event(let event): emit(event, &reporter)
            }
        }
    }

    func tellExecs(_ reporter: inout some LaunchReporter) {
        let notices = execs.takeNotices()
        if !notices.isEmpty {
            // Once more, soon: of a jail where nothing runs nobody looks at the limits.
            wantsLook = true
            nextLook = min(nextLook, System.monotonicNanoseconds() + Self.lookSoon)
        }
        for notice in notices {
            switch notice {
            case .started(let program, let id, let arguments):
                emit(Self.event("executed", program, id, nil, arguments), &reporter)
            case .ended(let program, let id, let status):
                emit(Self.event("exec-exited", program, id, status), &reporter)
            case .lost(let program, let id):
                reporter.note(
                    "what watched over \(id.map { "exec '\($0)'" } ?? "'\(program)'") was killed from inside: "
                        + (plan.command.isNone
                            ? "everything that it started is killed" : "what it started ends with the jail"))
                emit(Self.event("exec-lost", program, id, nil), &reporter)
            case .forbidden(let program, let id): tellForbidden(program, id, &reporter)
            case .refused(let status, let text):
                emit(["event": "exec-refused", "status": .number(status), "message": .string(text)], &reporter)
            }
        }
    }

    /// All that the kernel lets a supervisor know of system calls that were not allowed: those that end a program.
    func tellForbidden(_ program: String, _ id: String?, _ reporter: inout some LaunchReporter) {
        let message = "killed by SIGSYS, as the filter of system calls does for those of another architecture"
        reporter.note("'\(program)' was \(message)")
        var members: [(String, JSON)] = [
            ("event", "system-call"), ("verdict", "denied"), ("program", .string(program)),
        ]
        if let id { members.append(("id", .string(id))) }
        emit(.object(members + [("message", .string(message))]), &reporter)
    }

    func tellPause(_ reporter: inout some LaunchReporter) {
        if let reason = unpausable {
            unpausable = nil
            reporter.note("spend.onLimit: \(reason); the jail is stopped instead")
            emit(["event": "spend", "then": "stop", "message": .string(reason)], &reporter)
        }
        for change in pause.takeChanges() {
            switch change {
            case .paused: emit(["event": "paused"], &reporter)
            case .resumed: emit(["event": "resumed"], &reporter)
            case .strayed(let processes):
                reporter.note(
                    "paused, and process \(processes[0]) went on by itself: it is stopped again, as often as it takes; "
                        + "'clawjail stop --kill' ends the jail")
                emit(["event": "strayed", "processes": .array(processes.map { .number($0) })], &reporter)
            }
        }
    }

    /// What the rules of alerts have to say, and what they want done.
    func tellAlerts(_ reporter: inout some LaunchReporter) throws(SystemError) {
        guard let alerts else { return }
        tell(alerts.takeNotices(), &reporter)
        for alert in alerts.takeAlerts() {
            reporter.note("alert, \(alert.rule.severity.rawValue): \(alert.message)")
            emit(alert.event(jail: plan.name), &reporter)
            try act(alert, alerts, &reporter)
        }
        // What came of the actions themselves.
        tell(alerts.takeNotices(), &reporter)
    }

    private func act(
        _ alert: Alert, _ alerts: AlertWatch, _ reporter: inout some LaunchReporter
    ) throws(SystemError) {
        for action in alert.rule.actions {
            switch action {
            case .journal: alerts.writeJournal(alert, jail: plan.name)
            case .desktop, .webhook, .command:
                guard let (command, input) = alerts.program(action, alert, jail: plan.name) else { continue }
                startOutside(command, input)
            // A line about what was before is no reason: whoever has looked meanwhile has let it go on.
            case .pause: if alert.isFirst { try pauseForAlert(alerts) }
            case .stop: if alert.isFirst { try stopForAlert() }
            case .lockdown: if alert.isFirst { try lockDown(for: alert, &reporter) }
            }
        }
    }

    func tellHealth(_ reporter: inout some LaunchReporter) {
        for change in health?.takeChanges() ?? [] {
            var event: [(String, JSON)] = [("event", "health"), ("state", .string(change.condition.rawValue))]
            if let reason = change.reason {
                event.append(("reason", .string(reason)))
                reporter.note("unhealthy: \(reason)")
                guardian?.tell(.unhealthy(reason))
                service?.ailing("unhealthy: \(reason)")
            } else {
                if change.isAgain { reporter.note("healthy again") }
                service?.ready("healthy")
                guardian?.tell(.healthy)
            }
            emit(.object(event), &reporter)
        }
        for note in service?.takeNotes() ?? [] { reporter.note(note) }
    }

    /// Limits that were reached since the last look.
    func report(_ reporter: inout some LaunchReporter, final: Bool) {
        if final { execs.tidy() }
        limits?.add(refused: execs.takeRefused())
        var found = limits?.newHits(final: final) ?? []
        if final || hasLooked { found += fullFileSystems() }
        hasLooked = false
        for hit in found where !hits.contains(hit) {
            hits.append(hit)
            reporter.note("\(hit.description); to allow more, raise \(hit.profileKey) in profile '\(plan.profile)'")
            emit(
                ["event": "limit", "limit": .string(hit.profileKey), "message": .string(hit.description)], &reporter)
        }
    }

    private static func event(
        _ name: String, _ program: String, _ id: String?, _ status: Int32?, _ arguments: [String]? = nil
    ) -> JSON {
        var members: [(String, JSON)] = [("event", .string(name)), ("program", .string(program))]
        if let arguments { members.append(("arguments", .strings(arguments))) }
        if let id { members.append(("id", .string(id))) }
        if let status { members.append(("status", .number(status))) }
        return .object(members)
    }
}
