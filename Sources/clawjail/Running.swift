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
    let started: Int64
    let command: [String]
    let published: [String]
    /// How it is asked for its health; nil: it is not.
    let probe: String?
    /// The state file as it stands.
    let text: String

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
        profile = value["profile"]?.string ?? "?"
        supervisor = value["supervisor"]?.integer ?? 0
        started = value["started"]?.integer ?? 0
        command = value["command"]?.strings ?? []
        published = value["publish"]?.strings ?? []
        probe = value["health"]?.string
        text = String(decoding: state, as: UTF8.self)
    }

    /// Milliseconds that a supervisor has to say it.
    private static let patience: Int32 = 2000

    /// `starting`, `healthy` or `unhealthy`; nil: nobody asks it, or its supervisor does not answer.
    func health() -> String? {
        guard probe != nil, let connection = try? JailConnection.open(name),
            let reply = try? JailConnection.ask(.state, connection, patience: Self.patience),
            case .state(let text) = reply,
            let health = try? JSON5Reader.read(Array(text.utf8), file: "")["health"]?.string
        else { return nil }
        return health.printable
    }

    /// The state file with what ``health()`` is.
    var json: String {
        guard probe != nil, let value = try? JSON5Reader.read(Array(text.utf8), file: name),
            case .object(let members) = value.json
        else { return text }
        let others = members.filter { $0.0 != "health" }
        return JSON.object(others + [("health", .optional(health()))]).text() + "\n"
    }
}

extension JSON5Value {
    var string: String? { if case .string(let text) = content { text } else { nil } }
    var integer: Int64? { if case .number(let number) = content { number.integer } else { nil } }
    fileprivate var strings: [String]? {
        if case .array(let values) = content { values.compactMap(\.string) } else { nil }
    }
}
