internal import Glibc
internal import JailCore
package import JailLearning
internal import JailPlan
package import JailPolicy

/// What is seen of a jail under `learn`: by its tracer, and in the events of its supervisor.
package final class Learning {
    /// What the profile itself says; of what it denies and the plan allows, learning has let it pass. nil: the plan's own.
    private let profile: NetworkPolicy?
    private let extras: PermittedExtras
    /// Where it is written down, for the log.
    private let record: String

    private var tracer: TracerProcess?
    private var limits: [String: String] = [:]
    private var callers = Callers(proxy: nil)
    private var tally = ObservationTally()
    private var notices: [JailNotice] = []
    /// Limits that the supervisor has heard of.
    private var reached: Set<String> = []
    private var permitted = 0

    /// Events of what was let pass; what else was is in the record.
    private static let mostEvents = 256

    package var observations: [Observation] { tally.observations }
    package var leftOut: Int { tally.leftOut }
    /// The tracer did not last: what it had seen is lost.
    package private(set) var isIncomplete = false

    /// - Parameters:
    ///   - network: with `--permit`, that of the profile as it stands.
    ///   - record: the file that is written.
    package init(network: NetworkRules?, extras: PermittedExtras, record: String) {
        profile = network.map { NetworkPolicy($0) }
        self.extras = extras
        self.record = record
        notices.append(
            .event([
                "event": "learning", "permits": .boolean(network != nil), "record": .string(record),
            ]))
    }

    /// Begins to trace. Before init goes on, and before the supervisor gives up its rights.
    func attach(_ jailInit: Int32, _ plan: LaunchPlan) throws(JailError) {
        let rules = TraceRules(plan, permitted: extras)
        limits = rules.limits
        callers = Callers(proxy: plan.network.egress?.proxyPort)
        tracer = try TracerProcess(jailInit, rules, plan.identity)
    }

    /// What a supervisor says of its jail.
    func see(_ event: JSON) {
        guard case .object(let members) = event, case .string(let name)? = members.first?.1 else { return }
        let event = EventMembers(members)
        switch name {
        case "network": seeNetwork(event)
        case "limit": seeLimit(event)
        default: break
        }
    }

    private func seeNetwork(_ event: EventMembers) {
        guard event["subject"] != "gateway", let verdict = event["verdict"], let host = event["host"] else { return }
        var fields = NetworkSubjectFields(host: host)
        fields.port = event.port
        fields.scheme = event["scheme"]
        fields.method = event["method"]
        fields.path = event["path"]
        guard verdict != "denied" else { return tally.add(Observation(.network(fields), .denied)) }
        guard let profile, !profile.allows(fields) else { return tally.add(Observation(.network(fields), .used)) }
        permit(Observation(.network(fields), .permitted))
    }

    private func seeLimit(_ event: EventMembers) {
        if let key = event["limit"], let name = Self.limits[key] { reached.insert(name) }
    }

    private static let limits = [
        "limits.memory": "memory", "limits.processes": "processes", "limits.cpus": "cpus", "filesystem.tmp": "tmp",
        "filesystem.sharedMemory": "sharedMemory", "filesystem.home": "home", "filesystem.data.size": "data",
    ]

    private func permit(_ observation: Observation) {
        tally.add(observation)
        permitted += 1
        guard permitted <= Self.mostEvents, case .object(let members) = observation.json else { return }
        notices.append(.event(.object([("event", "permitted")] + members)))
    }

    // MARK: The end

    /// The jail has ended: what the tracer has seen.
    func finish() {
        guard let tracer else { return }
        self.tracer = nil
        do throws(JailError) {
            let seen = try tracer.finish()
            merge(seen.observations)
            tally.add(leftOut: seen.end?.leftOut ?? 0)
        } catch {
            isIncomplete = true
            notices.append(.note("\(error); files, programs and system calls are missing in the record"))
        }
        for name in reached.sorted() where !isObserved(name) {
            tally.add(Observation(.limit(name: name, value: limits[name] ?? ""), .denied))
        }
        tellEnd()
    }

    private func merge(_ seen: [Observation]) {
        let others = seen.filter { !callers.take($0) }
        nameCallers()
        for var observation in others {
            // Who was killed was so by the memory limit only if that was reached.
            if case .limit("memory", "") = observation.subject {
                guard reached.contains("memory") else { continue }
                observation.subject = .limit(name: "memory", value: limits["memory"] ?? "")
            }
            if observation.outcome == .permitted { permit(observation) } else { tally.add(observation) }
        }
    }

    private func nameCallers() {
        var named = ObservationTally()
        for var observation in tally.observations {
            if case .network(let fields) = observation.subject {
                observation.program = callers.program(port: fields.port)
            }
            named.add(observation)
        }
        named.add(leftOut: tally.leftOut)
        tally = named
    }

    private func isObserved(_ limit: String) -> Bool {
        observations.contains { if case .limit(limit, _) = $0.subject { true } else { false } }
    }

    private func tellEnd() {
        func count(_ outcome: Observation.Outcome) -> JSON {
            .number(observations.filter { $0.outcome == outcome }.count)
        }
        notices.append(
            .event([
                "event": "learned", "record": .string(record), "denied": count(.denied),
                "permitted": count(.permitted), "used": count(.used), "leftOut": .number(leftOut),
                "incomplete": .boolean(isIncomplete),
            ]))
    }

    /// The launch has failed: nothing is written.
    func abandon() {
        tracer?.kill()
        tracer = nil
    }

    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }
}

/// The values of an event by their names.
private struct EventMembers {
    private let members: [(String, JSON)]

    init(_ members: [(String, JSON)]) { self.members = members }

    subscript(_ key: String) -> String? {
        guard case .string(let text)? = members.first(where: { $0.0 == key })?.1 else { return nil }
        return text
    }

    var port: UInt16? {
        guard case .integer(let number)? = members.first(where: { $0.0 == "port" })?.1 else { return nil }
        return UInt16(exactly: number)
    }
}

extension NetworkPolicy {
    /// Whether what was done is allowed, by the function that the way out asks.
    fileprivate func allows(_ fields: NetworkSubjectFields) -> Bool {
        let name = HostName(wire: fields.host.utf8).map { Host.name($0) }
        guard let host = name ?? IPAddress(fields.host).map({ Host.address($0) }) else { return false }
        var question = NetworkQuestion(host: host)
        question.port = fields.port
        question.scheme = fields.scheme.flatMap(NetworkScheme.init(rawValue:))
        question.method = fields.method
        question.path = fields.path.flatMap { CanonicalPath(target: $0) }
        if case .allow = decide(question) { return true }
        return false
    }
}
