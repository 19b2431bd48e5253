import JailCore
import JailLaunch
import JailPlan
import JailPolicy

/// A session as its run directory and its supervisor tell of it.
struct Session {
    let jail: RunningJail
    let isRunning: Bool
    let labels: [JSON5Member]
    /// As ``SessionSettings/configuration(_:)`` wrote it.
    let configuration: String

    init?(name: String, state: [UInt8], isRunning: Bool) {
        guard let jail = RunningJail(name: name, state: state),
            let value = try? JSON5Reader.read(state, file: name)["session"],
            case .string(let configuration)? = value["configuration"]?.content,
            case .object(let labels)? = value["labels"]?.content
        else { return nil }
        self.jail = jail
        self.isRunning = isRunning
        self.labels = labels
        self.configuration = configuration
    }

    /// - Throws: ``ExitStatus/notThere``, also for a jail that is no session.
    static func find(_ id: String) throws(JailError) -> Session {
        if SessionsInside.isInside { return try SessionsInside.find(id) }
        let found: Session? =
            switch try JailAddress(id).presence {
            case .nothing: nil
            case .dead(let state): Session(name: id, state: state, isRunning: false)
            case .running(let state): Session(name: id, state: state, isRunning: true)
            }
        guard let found else { throw notThere(id) }
        return found
    }

    static func notThere(_ id: String) -> JailError {
        JailError(
            .supervise, reason: "there is no session '\(id)'",
            hint: "'clawjail session list' shows those that are there",
            status: ExitStatus.notThere)
    }

    static func all() throws(JailError) -> [Session] {
        if SessionsInside.isInside { return try SessionsInside.all() }
        return JailAddress.all().compactMap { (address, presence) in
            switch presence {
            case .nothing: nil
            case .dead(let state): Session(name: address.shown, state: state, isRunning: false)
            case .running(let state): Session(name: address.shown, state: state, isRunning: true)
            }
        }
    }

    /// What its supervisor knows besides; nil if it has none any more.
    struct Use {
        var execs: Int64 = 0
        var lastUsed: Int64
        var isReady = false
        /// It does not answer: it was stopped, or hangs.
        var isSilent = false
    }

    /// Milliseconds that each has for a question about all of them.
    private static let patience: Int32 = 2000

    func use() throws(JailError) -> Use? {
        guard isRunning else { return nil }
        let connection: SharedDescriptor
        do throws(JailError) { connection = try JailConnection.open(jail.name) } catch {
            // It has ended meanwhile.
            guard error.status == ExitStatus.notThere || error.status == ExitStatus.notRunning else { throw error }
            return nil
        }
        let answer: ControlReply?
        do throws(JailError) {
            answer = try JailConnection.ask(.state, connection, patience: Self.patience)
        } catch {
            guard error.status == ExitStatus.notRunning else { throw error }
            return Use(lastUsed: jail.started, isSilent: true)
        }
        guard case .state(let text)? = answer else { return nil }
        guard let value = try? JSON5Reader.read(Array(text.utf8), file: ""), let execs = value["execs"]?.integer,
            let lastUsed = value["lastUsed"]?.integer, case .boolean(let ready)? = value["ready"]?.content
        else { throw JailError(.supervise, reason: "the supervisor of '\(jail.name)' said what it never would") }
        return Use(execs: execs, lastUsed: lastUsed, isReady: ready)
    }

    /// What `inspect` shows.
    func json() throws(JailError) -> JSON {
        let use = try use()
        let configuration = try? JSON5Reader.read(Array(configuration.utf8), file: "")
        return [
            "id": .string(jail.name), "running": .boolean(use != nil), "profile": .string(jail.profile),
            "created": .number(jail.started), "lastUsed": .number(use?.lastUsed ?? jail.started),
            "execs": .number(use?.execs ?? 0), "supervisor": .number(jail.supervisor),
            "labels": .object(labels.map { ($0.key, .string($0.value.text ?? "")) }),
            "configuration": configuration?.json ?? .null,
        ]
    }
}
