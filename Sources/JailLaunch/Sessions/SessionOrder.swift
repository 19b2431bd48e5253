internal import JailCore
package import JailPlan

/// A session to be made: a ``SessionRequest`` after ``SessionVetting``. Nothing in it is a path of the host: directories
/// are named by the root that they lie in and the way from there.
package struct SessionOrder: Equatable, Sendable {
    package struct Mount: Equatable, Sendable {
        /// Inside the session.
        package var target: String
        /// Index in ``SessionsPlan/roots``.
        package var root: Int
        /// From the root, without `.` and `..`; empty: the root itself.
        package var below: String
        package var readOnly: Bool
    }

    package var id: String
    package var workspace: Mount?
    package var agent: Mount?
    /// Each of them read-only.
    package var readOnly: [Mount] = []
    /// Bytes; nil: as the profile has it. None of the three is more than that.
    package var memory: UInt64?
    package var processes: UInt64?
    /// Thousandths of a processor.
    package var milliCPUs: UInt64?
    package var labels: [SessionPlan.Label] = []
    /// Of ``SessionsPlan/secrets``, each once and in that order.
    package var secrets: [String] = []

    init(id: String) { self.id = id }

    var mounts: [Mount] { [workspace, agent].compactMap { $0 } + readOnly }

    // MARK: From the supervisor to the maker

    /// - Parameter number: of the order, which its answer bears.
    func bytes(number: UInt32) -> [UInt8]? {
        var fields = SessionFields("make")
        fields.add("number", String(number))
        fields.add("id", id)
        fields.add("workspace", workspace?.text)
        fields.add("agent", agent?.text)
        fields.add("ro", readOnly.map(\.text))
        fields.add("memory", memory.map { String($0) })
        fields.add("processes", processes.map { String($0) })
        fields.add("milliCPUs", milliCPUs.map { String($0) })
        fields.add("label", labels.map { "\($0.name)=\($0.value)" })
        fields.add("secret", secrets)
        return fields.bytes
    }

    /// nil: no supervisor says that.
    static func read(_ bytes: [UInt8]) -> (number: UInt32, order: SessionOrder)? {
        guard var fields = SessionFields(bytes), fields.word == "make",
            let number = fields.take("number").flatMap({ UInt32($0) }), let id = fields.take("id")
        else { return nil }
        var order = SessionOrder(id: id)
        let workspace = fields.take("workspace")
        let agent = fields.take("agent")
        let readOnly = fields.takeAll("ro")
        let limits = ["memory", "processes", "milliCPUs"].map { fields.take($0) }
        let labels = fields.takeAll("label").map {
            $0.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        }
        order.secrets = fields.takeAll("secret")
        guard fields.isEmpty else { return nil }
        order.workspace = workspace.flatMap(Mount.init(text:))
        order.agent = agent.flatMap(Mount.init(text:))
        order.readOnly = readOnly.compactMap(Mount.init(text:))
        (order.memory, order.processes, order.milliCPUs) = (
            limits[0].flatMap { UInt64($0) }, limits[1].flatMap { UInt64($0) }, limits[2].flatMap { UInt64($0) }
        )
        order.labels = labels.compactMap { parts in
            guard parts.count == 2, !parts[0].isEmpty else { return nil }
            return SessionPlan.Label(name: String(Substring(parts[0])), value: String(Substring(parts[1])))
        }
        // What was there and is none is no order; and what is read is what was written.
        guard order.bytes(number: number) == bytes else { return nil }
        return (number, order)
    }
}

extension SessionOrder.Mount {
    fileprivate var text: String { "\(root):\(readOnly ? "ro" : "rw"):\(target):\(below)" }

    fileprivate init?(text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard parts.count == 4, let root = Int(parts[0]), ["ro", "rw"].contains(parts[1]) else { return nil }
        self.init(target: parts[2], root: root, below: parts[3], readOnly: parts[1] == "ro")
    }
}
