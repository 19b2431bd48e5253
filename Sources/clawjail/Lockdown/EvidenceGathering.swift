import JailCore
import JailEvidence
import JailLaunch
import JailPlan
import JailPolicy

/// What is kept of one jail. See docs/emergency.md for the parts.
struct EvidenceGathering {
    let target: LockdownTarget
    /// clawjail's state directory that the jail belongs to.
    let state: String
    let name: String
    let order: LockdownOrder
    let time: Int64

    static func archive(_ name: String) -> String { EvidenceFolder.archive(name) }

    /// - Returns: the archive's digest.
    func gather() throws(JailError) -> String {
        let folder = try EvidenceFolder(in: state, name: name)
        defer { folder.discard() }
        try folder.add("state.json", state(target.value))
        if target.condition == .frozen {
            try addLiving(to: folder)
        } else {
            folder.note("the jail did not stand still, and had ended: there is nothing of its memory")
            try addData(to: folder)
        }
        try addLogs(to: folder)
        return try folder.seal([
            ("version", 1), ("name", .string(target.address.shown)), ("time", .string(UTCTime.text(time))),
            ("reason", .string(order.reason)), ("who", .string(order.who)),
            ("frozen", .boolean(target.condition == .frozen)),
        ])
    }

    private func state(_ value: JSON5Value?) -> JSON {
        guard case .object(let members)? = value?.json else { return .null }
        return .object(members.map { ($0.0, $0.0 == "command" ? Self.redacted($0.1) : $0.1) })
    }

    private static func redacted(_ value: JSON) -> JSON {
        guard case .array(let words) = value else { return .null }
        return .strings(
            EvidenceText.redacted(words.compactMap { if case .string(let text) = $0 { text } else { nil } }))
    }

    // MARK: Of a jail that stands still

    private func addLiving(to folder: EvidenceFolder) throws(JailError) {
        let connection = try JailConnection.open(target.address.shown)
        // As it is now: it may still have been being made when it was found.
        guard let bytes = try JailConnection.plan(connection),
            let plan = try? JSON5Reader.read(bytes, file: "plan"),
            case .running(let now) = target.address.presence,
            let initPID = (try? JSON5Reader.read(now, file: "state"))?["init"]?.integer.flatMap({ Int32(exactly: $0) }),
            initPID > 1
        else {
            throw Self.ended
        }
        try folder.add("plan.json", Self.plan(plan))
        try folder.add("processes.json", try ProcessRecords.all(below: initPID))
        try folder.add("sockets.txt", ProcessRecords.sockets(of: initPID))
        if let jail = RunningJail(name: target.address.shown, state: now) {
            try folder.add("usage.json", .object(jail.usage.map { Stats.kernel($0) } ?? []))
        }
        try addTrees(plan, to: folder)
    }

    /// Without values of variables, and without what the command's words say.
    private static func plan(_ plan: JSON5Value) -> JSON {
        guard case .object(let members) = plan.json else { return .null }
        return .object(
            members.map { (key, value) in
                guard key == "command", case .object(let command) = value else { return (key, value) }
                return (key, .object(command.map { ($0.0, redacted(commandKey: $0.0, $0.1)) }))
            })
    }

    private static func redacted(commandKey key: String, _ value: JSON) -> JSON {
        switch (key, value) {
        case ("arguments", _): redacted(value)
        case ("environment", .array(let variables)):
            EvidenceText.names(
                variables.compactMap { if case .string(let text) = $0 { Array(text.utf8) } else { nil } })
        default: value
        }
    }

    /// Every file system of the jail's own, and `/data` where that is a directory of the host's.
    private func addTrees(_ plan: JSON5Value, to folder: EvidenceFolder) throws(JailError) {
        if plan["data"]?["enforcement"]?.text == "watched", let source = plan["data"]?["source"]?.text,
            let target = plan["data"]?["target"]?.text
        {
            let tree = try attempt(.lockdown, source) { () throws(SystemError) in
                try System.open(source, [.readOnly, .directory, .noFollow])
            }
            try folder.add(Self.part(target, 0), treeAt: tree.borrowed)
        }
        let connection = try JailConnection.open(target.address.shown)
        guard let trees = try JailConnection.fileSystems(connection) else { throw Self.ended }
        for (index, tree) in trees.enumerated() {
            try withExtendedLifetime(tree.place) { () throws(JailError) in
                try folder.add(Self.part(tree.path, index + 1), treeAt: tree.place.borrowed)
            }
        }
    }

    private static let ended = JailError(.lockdown, reason: "the jail has ended before its evidence was kept")

    /// `/dev/shm` as `files-dev-shm.tar.zst`; with a number where that could be mistaken.
    private static func part(_ path: String, _ index: Int) -> String {
        let plain = path.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2F
        }
        guard plain else { return "files-\(index).tar.zst" }
        return "files" + path.split(separator: "/").map { "-\($0)" }.joined() + ".tar.zst"
    }

    // MARK: Of clawjail's own

    /// The data of a jail that is gone, where clawjail keeps it.
    private func addData(to folder: EvidenceFolder) throws(JailError) {
        guard target.address.gateway == nil else { return }
        let path = "\(state)/data/\(target.address.name)"
        guard (try? System.status(path))?.isDirectory == true else { return folder.note("no directory \(path)") }
        let tree = try attempt(.lockdown, path) { () throws(SystemError) in
            try System.open(path, [.readOnly, .directory, .noFollow])
        }
        try folder.add("files-data.tar.zst", treeAt: tree.borrowed)
    }

    private func addLogs(to folder: EvidenceFolder) throws(JailError) {
        guard target.address.gateway == nil else { return }
        let isSession = target.value?["session"] != nil
        let log = "\(state)/logs/\(isSession ? "sessions/" : "")\(target.address.name).log"
        try folder.add("output.log", copying: log)
        try folder.add("output.log.1", copying: "\(log).1")
        let audit = "\(state)/audit/\(target.address.name)"
        guard (try? System.status(audit)) != nil else { return }
        let tree = try attempt(.lockdown, audit) { () throws(SystemError) in
            try System.open(audit, [.readOnly, .directory, .noFollow])
        }
        try folder.add("audit.tar.zst", treeAt: tree.borrowed)
    }
}
