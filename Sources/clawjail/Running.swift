import JailCgroups
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

/// What a jail's run directory says of it.
struct RunningJail {
    let name: String
    let profile: String
    let supervisor: Int64
    /// The process above supervisors of a jail that is started again; nil: there is none.
    let guardian: Int64?
    /// How often it has been.
    let restarts: Int64
    /// Of one that has ended and waits for that.
    let waiting: Waiting?
    /// Jail init, as the host numbers it; 0: it is not known.
    let initProcess: Int32
    let started: Int64
    let command: [String]
    let published: [String]
    /// Its control groups: `unified`, or of version 1 one for each controller.
    let cgroups: [String: String]
    /// How it is asked for its health; nil: it is not.
    let probe: String?
    /// Whose jail it is: the user that its command runs as on the host; nil: it is not written down.
    let owner: UInt32?
    /// Names of those that it binds.
    let secretNames: [String]
    /// The state file as it stands.
    let text: String

    struct Waiting {
        /// Milliseconds since the epoch.
        let until: Int64
        /// Of those that count.
        let attempt: Int64
        let reason: String

        init?(_ value: JSON5Value?) {
            guard let value, let until = value["until"]?.integer else { return nil }
            self.until = until
            attempt = value["attempt"]?.integer ?? 0
            reason = value["reason"]?.text?.printable ?? "?"
        }
    }

    /// Where this user's jails are found.
    static func directory() -> String {
        HostRequest.runtimeDirectory(
            uid: System.effectiveUserID, runtimeHome: System.environmentValue("XDG_RUNTIME_DIR"))
    }

    static func all() throws(JailError) -> [RunningJail] {
        JailAddress.all().compactMap { (address, presence) in
            if case .running(let state) = presence { RunningJail(name: address.shown, state: state) } else { nil }
        }
    }

    init?(name: String, state: [UInt8]) {
        guard let value = try? JSON5Reader.read(state, file: name) else { return nil }
        self.name = name
        profile = value["profile"]?.text ?? "?"
        supervisor = value["supervisor"]?.integer ?? 0
        guardian = value["guardian"]?.integer
        restarts = value["restarts"]?.integer ?? 0
        waiting = Waiting(value["waiting"])
        initProcess = Int32(clamping: value["init"]?.integer ?? 0)
        started = value["started"]?.integer ?? 0
        command = value["command"]?.strings ?? []
        published = value["publish"]?.strings ?? []
        cgroups = value["cgroups"]?.members ?? [:]
        probe = value["health"]?.text
        owner = value["owner"]?.integer.flatMap { UInt32(exactly: $0) }
        secretNames = value["secretNames"]?.strings ?? []
        text = String(decoding: state, as: UTF8.self)
    }

    /// What it uses; nil: it has no control group, or has just ended.
    var usage: GroupUsage? {
        if let directory = cgroups["unified"] { return try? GroupUsage(unified: directory) }
        return cgroups.isEmpty ? nil : try? GroupUsage(separate: cgroups)
    }

    /// Whether it stands still. Of a group of version 2 the kernel says so, and elsewhere the supervisor.
    var isPaused: Bool {
        if cgroups["unified"] != nil { return usage?.isFrozen == true }
        if case .boolean(true)? = state()?["paused"]?.content { return true }
        return false
    }

    /// Milliseconds that a supervisor has to say it.
    private static let patience: Int32 = 2000

    /// What its supervisor knows of it now; nil: it does not answer.
    private func state() -> JSON5Value? {
        guard let connection = try? JailConnection.open(name),
            let reply = try? JailConnection.ask(.state, connection, patience: Self.patience),
            case .state(let text) = reply
        else { return nil }
        return try? JSON5Reader.read(Array(text.utf8), file: "")
    }

    /// `starting`, `healthy` or `unhealthy`; nil: nobody asks it, or its supervisor does not answer.
    func health() -> String? {
        guard probe != nil else { return nil }
        return state()?["health"]?.text?.printable
    }

    /// In a word: `waiting`, `locked down`, `paused`, what ``health()`` says, or `runs`.
    var condition: String {
        if waiting != nil { return "waiting" }
        guard isPaused else { return health() ?? "runs" }
        if case .boolean(true)? = state()?["lockdown"]?.content { return "locked down" }
        return "paused"
    }

    /// The state file with what ``health()`` is, and whether it stands still, on one line.
    var json: String {
        guard case .object(let members)? = (try? JSON5Reader.read(Array(text.utf8), file: name))?.json else {
            return text
        }
        let others = members.filter { $0.0 != "health" }
        return JSON.object(others + [("health", .optional(health())), ("paused", .boolean(isPaused))]).text() + "\n"
    }
}

extension JSON5Value {
    /// Of an object, those that are strings.
    fileprivate var members: [String: String] {
        guard case .object(let members) = content else { return [:] }
        var result: [String: String] = [:]
        for member in members { result[member.key] = member.value.text }
        return result
    }
    var strings: [String]? { elements?.compactMap(\.text) }
}
