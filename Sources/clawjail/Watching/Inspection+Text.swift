import JailCgroups
import JailCore
import JailPlan
import JailPolicy
import JailView

extension Inspection {
    /// For people: one thing on a line.
    ///
    /// - Parameters:
    ///   - now: seconds since the epoch.
    ///   - offset: seconds that the place is ahead of UTC.
    func text(now: Int64, offset: Int64) -> String {
        var lines = ["jail '\(jail.name)', profile '\(sample.profile)': \(sample.condition.rawValue)"]
        func add(_ name: String, _ text: String?) {
            guard let text, !text.isEmpty else { return }
            let padding = String(repeating: " ", count: max(1, 13 - name.count))
            lines.append("  \(name)\(padding)\(text.printable)")
        }
        let started = "\(Quantity.date(jail.started, offset: offset)) \(Quantity.clock(jail.started, offset: offset))"
        add("started", "\(started), \(Quantity.age(now - jail.started)) ago")
        add("by", by)
        if jail.waiting == nil { add("supervisor", "process \(jail.supervisor)") }
        addRestart(now, add)
        add("command", sample.command)
        add("health", sample.figures?.health.map { "\($0); \(jail.probe ?? "")" })
        addPlan(add)
        addUsage(add)
        addNetwork(add)
        add("ports", jail.published.joined(separator: " "))
        add("sessions", sessions.map { "\($0.ownName) (\($0.condition.rawValue))" }.joined(separator: ", "))
        for (index, event) in events.suffix(8).enumerated() {
            add(index == 0 ? "events" : "", "\(Quantity.clock(event.time / 1000, offset: offset)) \(event.text)")
        }
        return lines.joined(separator: "\n")
    }

    private func addRestart(_ now: Int64, _ add: (String, String?) -> Void) {
        guard let guardian = jail.guardian else { return }
        add("restarts", "\(jail.restarts); process \(guardian) watches over it")
        guard let waiting = jail.waiting else { return }
        let left = max(0, waiting.until / 1000 - now)
        add("waits", "\(waiting.reason); started again in \(Quantity.age(left)), number \(waiting.attempt)")
    }

    private var by: String? {
        guard let uid = starter.uid else { return nil }
        let user = starter.user.map { "\($0), uid \(uid)" } ?? "uid \(uid)"
        guard let login = starter.loginUID, login != uid else { return user }
        return "\(user); logged in as " + (starter.loginUser.map { "\($0), uid \(login)" } ?? "uid \(login)")
    }

    private func addPlan(_ add: (String, String?) -> Void) {
        add("plan", digest.map { "SHA-256 \($0)" })
        guard let plan else { return add("plan", "its supervisor does not answer") }
        add("files", plan["profile"]?["files"]?.strings?.joined(separator: " "))
        add("program", plan["command"]?["path"]?.text)
        if let inside = plan["identity"]?["inside"], let host = plan["identity"]?["host"] {
            func who(_ value: JSON5Value) -> String {
                "\(value["user"]?.text ?? "?"), uid \(value["uid"]?.integer ?? -1)"
            }
            add("who", "\(who(inside)) inside; \(who(host)) on the host")
        }
        if case .array(let mounts)? = plan["mounts"]?.content {
            let shown = mounts.filter { $0["step"]?.text == "bind" }
            let writable = shown.filter { !($0["attributes"]?.text ?? "ro").split(separator: ",").contains("ro") }
            add("shows", "\(shown.count) paths of the host")
            add("writable", writable.compactMap { $0["path"]?.text }.joined(separator: " "))
        }
        add("data", plan["data"]?["source"]?.text)
        let landlock = plan["landlock"]?["abi"]?.integer.map { "Landlock ABI \($0)" } ?? "no Landlock"
        add("walls", "\(landlock), seccomp list '\(plan["seccomp"]?["variant"]?.text ?? "?")'")
        if case .array(let leftOut)? = plan["leftOut"]?.content {
            add("left out", leftOut.compactMap { $0["protection"]?.text }.joined(separator: ", "))
        }
    }

    private func addUsage(_ add: (String, String?) -> Void) {
        guard let usage = sample.usage else { return add("limits", "no control group") }
        func of(_ value: String?, _ limit: String?) -> String? {
            value.map { $0 + (limit.map { " of \($0)" } ?? "") }
        }
        let peak = usage.memoryPeak.map { ", at most \(Quantity.bytes($0))" } ?? ""
        add("memory", of(usage.memory.map(Quantity.bytes), usage.memoryLimit.map(Quantity.bytes)).map { $0 + peak })
        add("processes", of(usage.processes.map { "\($0)" }, usage.processLimit.map { "\($0), jail init among them" }))
        let throttled = usage.throttledTime.map { $0 > 0 ? ", waited \(Quantity.seconds($0))" : "" } ?? ""
        add("cpu", usage.processorTime.map { "\(Quantity.seconds($0)) used\(throttled)" })
        add("cpus", usage.milliCPUs.map { "at most \($0 / 1000).\($0 / 100 % 10)" })
        let reached = (sample.figures?.limits ?? [:]).keys.sorted()
        add("reached", reached.joined(separator: " "))
    }

    private func addNetwork(_ add: (String, String?) -> Void) {
        guard let figures = sample.figures else { return }
        if figures.executed > 0 { add("executed", "\(figures.executed), of which \(figures.execs) run") }
        guard figures.tells != .nothing else { return add("network", "none") }
        func tally(_ tally: JailFigures.Tally) -> String {
            (figures.tells == .everything ? "\(tally.allowed) allowed, " : "")
                + "\(tally.denied) denied, \(tally.failed) failed"
        }
        add("requests", tally(figures.requests))
        add("connections", tally(figures.connections))
        add("names", "\(figures.names.denied) denied")
        let asked = figures.askedLately.map { "\($0) connections and requests, " } ?? ""
        add("last minute", "\(asked)\(figures.denialsLately) denials")
        if figures.tells == .everything {
            add("bytes", "\(Quantity.bytes(figures.sent)) sent, \(Quantity.bytes(figures.received)) received")
        }
        if figures.egressEnds > 0 {
            add("way out", "ended \(figures.egressEnds) times, restarted \(figures.egressRestarts) times")
        }
    }
}
