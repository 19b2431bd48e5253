internal import JailCgroups
internal import JailCore
internal import JailPlan

/// Something that is to be told.
enum JailNotice {
    /// To a person: one line.
    case note(String)
    /// To a program, see ``LaunchReporter/event(_:)``.
    case event(JSON)
}

/// What happens to a jail, told: to people as lines, to programs as events.
extension JailWatch {
    /// Every event of a jail passes here, once.
    func emit(_ event: JSON, _ reporter: inout some LaunchReporter) { reporter.event(event) }

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
            case .started(let program, let id):
                emit(Self.event("executed", program, id, nil), &reporter)
            case .ended(let program, let id, let status):
                emit(Self.event("exec-exited", program, id, status), &reporter)
            case .lost(let program, let id):
                reporter.note(
                    "what watched over \(id.map { "exec '\($0)'" } ?? "'\(program)'") was killed from inside: "
                        + (plan.command.isNone
                            ? "everything that it started is killed" : "what it started ends with the jail"))
                emit(Self.event("exec-lost", program, id, nil), &reporter)
            case .refused(let status, let text):
                emit(["event": "exec-refused", "status": .number(status), "message": .string(text)], &reporter)
            }
        }
    }

    func tellPause(_ reporter: inout some LaunchReporter) {
        if let reason = unpausable {
            unpausable = nil
            reporter.note("spend.onLimit: \(reason); the jail is stopped instead")
            emit(["event": "spend", "then": "stop", "message": .string(reason)], &reporter)
        }
        for change in pause.takeChanges() {
            emit(["event": change == .paused ? "paused" : "resumed"], &reporter)
        }
    }

    func tellHealth(_ reporter: inout some LaunchReporter) {
        for change in health?.takeChanges() ?? [] {
            var event: [(String, JSON)] = [("event", "health"), ("state", .string(change.condition.rawValue))]
            if let reason = change.reason {
                event.append(("reason", .string(reason)))
                reporter.note("unhealthy: \(reason)")
                service?.ailing("unhealthy: \(reason)")
            } else {
                if change.isAgain { reporter.note("healthy again") }
                service?.ready("healthy")
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

    private static func event(_ name: String, _ program: String, _ id: String?, _ status: Int32?) -> JSON {
        var members: [(String, JSON)] = [("event", .string(name)), ("program", .string(program))]
        if let id { members.append(("id", .string(id))) }
        if let status { members.append(("status", .number(status))) }
        return .object(members)
    }
}
