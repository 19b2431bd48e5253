import AuditLog
import JailCgroups
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy
import JailView

/// Everything that there is to know of a running jail.
struct Inspection {
    let jail: RunningJail
    let sample: JailSample
    /// What it was made from, as its supervisor holds it; nil: it does not answer.
    let plan: JSON5Value?
    /// SHA-256 of the plan as it came.
    let digest: String?
    /// In the order of their names.
    let sessions: [JailSample]
    let events: [EventLine]
    let starter: Starter

    /// Whose supervisor it is.
    struct Starter {
        var uid: UInt32?
        var user: String?
        /// Who had logged in, whatever they have become since, see pam_loginuid(8); nil: nobody, as in a service.
        var loginUID: UInt32?
        var loginUser: String?

        init(supervisor: Int64) {
            let accounts = try? Accounts()
            uid = (try? System.status("/proc/\(supervisor)"))?.uid
            let login = (try? System.readFile("/proc/\(supervisor)/loginuid", limit: 64)) ?? []
            loginUID = UInt32(String(decoding: login, as: UTF8.self)).flatMap { $0 == .max ? nil : $0 }
            user = uid.flatMap { accounts?.user(uid: $0)?.name }
            loginUser = loginUID.flatMap { accounts?.user(uid: $0)?.name }
        }
    }

    /// - Throws: ``ExitStatus/notThere``.
    init(_ name: String) throws(JailError) {
        let jails = try JailLook.jails(named: nil)
        guard let jail = jails.first(where: { $0.name == name }) else { throw JailConnection.notThere(name) }
        self.jail = jail
        let samples = JailLook.samples(of: [jail] + jails.filter { $0.name.hasPrefix("\(name)/") })
        guard let sample = samples.first else { throw JailConnection.notThere(name) }
        self.sample = sample
        sessions = Array(samples.dropFirst())
        events = JailLook.events(of: name) ?? []
        starter = Starter(supervisor: jail.supervisor)
        // One that does not answer has been asked for its figures already, and waited for.
        var text: [UInt8]?
        if sample.figures != nil { text = try JailConnection.plan(try JailConnection.open(name)) }
        plan = text.flatMap { try? JSON5Reader.read($0, file: "plan") }
        digest = text.map { AuditDigest(of: $0).description }
    }

    // MARK: JSON

    var json: JSON {
        var members: [(String, JSON)] = [
            ("name", .string(jail.name)), ("profile", .string(jail.profile)),
            ("state", .string(sample.condition.rawValue)), ("health", .optional(sample.figures?.health)),
            ("started", .number(jail.started)),
            (
                "startedBy",
                [
                    "uid": starter.uid.map { .number($0) } ?? .null, "user": .optional(starter.user),
                    "loginUID": starter.loginUID.map { .number($0) } ?? .null,
                    "loginUser": .optional(starter.loginUser),
                ]
            ),
            ("supervisor", .number(jail.supervisor)),
            ("guardian", jail.guardian.map { .number($0) } ?? .null), ("restarts", .number(jail.restarts)),
            (
                "waiting",
                jail.waiting.map {
                    ["until": .number($0.until), "attempt": .number($0.attempt), "reason": .string($0.reason)]
                } ?? .null
            ), ("command", .strings(jail.command)),
            ("publish", .strings(jail.published)), ("sessions", .strings(sessions.map(\.name))),
        ]
        if case .object(let figures) = Stats.json(sample) {
            members.append(("figures", .object(figures.filter { !["name", "paused"].contains($0.0) })))
        }
        members.append(
            (
                "events",
                .array(events.map { ["time": .number($0.time), "text": .string($0.text)] })
            ))
        members.append(("planDigest", .optional(digest)))
        members.append(("plan", plan.map { Self.withoutValues($0) } ?? .null))
        return .object(members)
    }

    /// The plan without the values of the command's environment: secrets may be among them, and this is often shown around.
    private static func withoutValues(_ plan: JSON5Value) -> JSON {
        guard case .object(let members) = plan.json else { return plan.json }
        return .object(
            members.map { (key, value) in
                guard key == "command", case .object(let command) = value else { return (key, value) }
                return (
                    key,
                    .object(
                        command.map { (key, value) in
                            guard key == "environment", case .array(let variables) = value else { return (key, value) }
                            return (key, .array(variables.map { name(of: $0) }))
                        })
                )
            })
    }

    private static func name(of variable: JSON) -> JSON {
        if case .string(let text) = variable { .string(String(text.prefix { $0 != "=" })) } else { .null }
    }
}
