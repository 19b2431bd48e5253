internal import JailCore

/// What a program of a jail asks for at `SessionsPlan.socket`: one connection, one packet, one ``SessionReply``.
///
/// Values are texts as they were typed inside. What they may be is for ``SessionVetting`` to say.
package enum SessionRequest: Equatable, Sendable {
    case create(Create)
    /// A connection to the session's control socket: the reply carries it.
    case open(id: String)
    /// The ids of the sessions that are there.
    case list

    package struct Create: Equatable, Sendable {
        package var id: String
        /// `PATH:/workspace[:ro]`, the path as it is inside.
        package var workspace: String?
        /// `PATH:/agent[:ro]`
        package var agent: String?
        /// `PATH:TARGET`
        package var readOnly: [String] = []
        package var memory: String?
        package var processes: String?
        package var cpus: String?
        /// `KEY=VALUE`
        package var labels: [String] = []
        /// Names of secrets, of which it has the placeholders.
        package var secrets: [String] = []

        package init(id: String) { self.id = id }

        /// Bytes of its texts.
        var size: Int {
            ([workspace, agent, memory, processes, cpus].compactMap { $0 } + readOnly + labels + secrets)
                .reduce(id.utf8.count) { $0 + $1.utf8.count }
        }
    }

    /// nil if it is more than one packet may hold, or a value has a NUL byte in it.
    package var bytes: [UInt8]? {
        switch self {
        case .create(let create):
            var fields = SessionFields("create")
            fields.add("id", create.id)
            fields.add("workspace", create.workspace)
            fields.add("agent", create.agent)
            fields.add("ro", create.readOnly)
            fields.add("memory", create.memory)
            fields.add("processes", create.processes)
            fields.add("cpus", create.cpus)
            fields.add("label", create.labels)
            fields.add("secret", create.secrets)
            return fields.bytes
        case .open(let id):
            var fields = SessionFields("open")
            fields.add("id", id)
            return fields.bytes
        case .list: return SessionFields("list").bytes
        }
    }

    /// Reads what anybody may have written: nil unless it is a request in every part.
    package init?(bytes: [UInt8]) {
        guard var fields = SessionFields(bytes) else { return nil }
        switch fields.word {
        case "create":
            guard let id = fields.take("id") else { return nil }
            var create = Create(id: id)
            create.workspace = fields.take("workspace")
            create.agent = fields.take("agent")
            create.readOnly = fields.takeAll("ro")
            create.memory = fields.take("memory")
            create.processes = fields.take("processes")
            create.cpus = fields.take("cpus")
            create.labels = fields.takeAll("label")
            create.secrets = fields.takeAll("secret")
            self = .create(create)
        case "open":
            guard let id = fields.take("id") else { return nil }
            self = .open(id: id)
        case "list": self = .list
        default: return nil
        }
        guard fields.isEmpty else { return nil }
    }
}

/// The answer to one ``SessionRequest``. With `open` a descriptor comes beside it.
package struct SessionReply: Equatable, Sendable {
    /// As the exit status of the command line: 0, 64, 120 to 125.
    package var status: Int32
    /// One line for people; with `create` empty where it went well.
    package var text = ""
    /// With `list`.
    package var ids: [String] = []

    package init(status: Int32, text: String = "", ids: [String] = []) {
        self.status = status
        self.text = text
        self.ids = ids
    }

    package static let sizeLimit = SessionFields.sizeLimit

    /// nil if it is more than one packet may hold.
    var bytes: [UInt8]? {
        var fields = SessionFields(String(status))
        if !text.isEmpty { fields.add("text", text) }
        fields.add("id", ids)
        return fields.bytes
    }

    package init?(bytes: [UInt8]) {
        guard var fields = SessionFields(bytes), let status = Int32(fields.word), (0...255).contains(status) else {
            return nil
        }
        self.init(status: status, text: fields.take("text") ?? "", ids: fields.takeAll("id"))
        guard fields.isEmpty else { return nil }
    }
}
