internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Whether a jail may have the session that it asks for. The only place that decides: what passes here is made.
struct SessionVetting {
    /// Why a request is turned down: one line, and the key that would allow it.
    struct Refusal: Error, Equatable {
        /// 64: it is no request that anybody could have granted. 123: the profile does not allow it.
        var status: Int32
        var reason: String
        /// Of the profile of the jail that asks, or of its sessions'.
        var key: String?
        var remedy: String?

        /// As it is told to whoever asked.
        var text: String { reason + (remedy.map { "; to allow it: \($0)" } ?? "") }
    }

    let plan: SessionsPlan
    /// The profile of the jail that asks.
    let profile: String

    /// More are not needed, and each is a mount.
    static let mostReadOnly = 64
    static let mostLabels = 64
    static let longestLabel = 1024
    /// Bytes of all that is asked for: what is remembered of it fits into one packet, however it is quoted.
    static let mostBytes = 16 << 10

    func check(_ request: SessionRequest.Create) throws(Refusal) -> SessionOrder {
        try Self.check(id: request.id)
        guard request.size <= Self.mostBytes else { throw malformed("more than \(Self.mostBytes) bytes") }
        var order = SessionOrder(id: request.id)
        order.workspace = try request.workspace.map { (text) throws(Refusal) in
            try mount(text, at: "/workspace", "workspace")
        }
        order.agent = try request.agent.map { (text) throws(Refusal) in try mount(text, at: "/agent", "agent") }
        guard request.readOnly.count <= Self.mostReadOnly else {
            throw malformed("more than \(Self.mostReadOnly) read-only directories")
        }
        for text in request.readOnly { order.readOnly.append(try nested(text, in: order)) }
        for mount in [order.workspace, order.agent] { if let mount { try checkAccess(mount) } }
        try checkLimits(request, &order)
        guard request.labels.count <= Self.mostLabels else { throw malformed("more than \(Self.mostLabels) labels") }
        for text in request.labels {
            let label = try Self.label(text)
            guard !order.labels.contains(where: { $0.name == label.name }) else {
                throw malformed("the label '\(label.name)' is given twice")
            }
            order.labels.append(label)
        }
        try checkSecrets(request, &order)
        return order
    }

    static func check(id: String) throws(Refusal) {
        guard JailName.isValid(id) else {
            throw Refusal(
                status: ExitStatus.usage,
                reason:
                    "'\(id.excerpt)' is not a session's id: up to 48 of a-z, 0-9, '-' and '_', first a letter or digit")
        }
    }

    private func malformed(_ reason: String) -> Refusal { Refusal(status: ExitStatus.usage, reason: reason) }

    // MARK: Directories

    /// `PATH:TARGET[:ro]`
    private func mount(_ text: String, at target: String, _ word: String) throws(Refusal) -> SessionOrder.Mount {
        let parts = Self.parts(text)
        guard parts.count == 2 || parts.count == 3 && parts[2] == "ro", parts[1] == target else {
            throw malformed("\(word) must be PATH:\(target) or PATH:\(target):ro, not '\(text.excerpt)'")
        }
        return try resolve(parts[0], at: target, readOnly: parts.count == 3, word)
    }

    /// `PATH:TARGET`, below what the session has at all: everything else of its tree is its profile's.
    private func nested(_ text: String, in order: SessionOrder) throws(Refusal) -> SessionOrder.Mount {
        let parts = Self.parts(text)
        guard parts.count == 2 else { throw malformed("ro must be PATH:TARGET, not '\(text.excerpt)'") }
        let target = parts[1]
        do throws(ValueError) { try AbsolutePath.check(target) } catch {
            throw malformed("the target of ro \(error.reason)")
        }
        guard target.isBelow("/workspace") || target.isBelow("/agent") else {
            throw Refusal(
                status: ExitStatus.refused, reason: "'\(target.excerpt)' is not below /workspace or /agent",
                key: "filesystem.read", remedy: "filesystem.read of profile '\(plan.profile.name)' shows other places")
        }
        guard !order.mounts.contains(where: { $0.target == target }) else {
            throw malformed("two directories are to be shown at '\(target.excerpt)'")
        }
        return try resolve(parts[0], at: target, readOnly: true, "ro")
    }

    private func resolve(
        _ path: String, at target: String, readOnly: Bool, _ word: String
    ) throws(Refusal) -> SessionOrder.Mount {
        // One spelling: without '.', '..' and empty components the text says where it leads, symlinks apart.
        do throws(ValueError) { try AbsolutePath.check(path) } catch {
            throw malformed("the directory of \(word) \(error.reason)")
        }
        guard let index = plan.roots.firstIndex(where: { path.isInside($0.path) }) else {
            throw Refusal(
                status: ExitStatus.refused, reason: "'\(path.excerpt)' is in none of this jail's sessions.workspaces",
                key: "sessions.workspaces",
                remedy: "add \"\(path.excerpt)\(readOnly ? ":ro" : "")\" \(key("workspaces"))")
        }
        let root = plan.roots[index]
        guard readOnly || !root.readOnly else {
            throw Refusal(
                status: ExitStatus.refused,
                reason: "'\(path.excerpt)' may only be shown read-only, and \(word) is to be written",
                key: "sessions.workspaces",
                remedy: "write \"\(root.path)\" without ':ro' in sessions.workspaces of profile '\(profile)'")
        }
        return SessionOrder.Mount(
            target: target, root: index, below: path.remainder(below: root.path),
            readOnly: readOnly)
    }

    /// What the sessions' profile says of a workspace holds for each of them.
    private func checkAccess(_ mount: SessionOrder.Mount) throws(Refusal) {
        let access = plan.profile.filesystem.workspace
        guard access == .readWrite || access == .readOnly && mount.readOnly else {
            throw Refusal(
                status: ExitStatus.refused,
                reason: access == .none
                    ? "profile '\(plan.profile.name)' has no workspace"
                    : access == .review
                        ? "the workspace of profile '\(plan.profile.name)' is to be reviewed, which a session's cannot be"
                        : "profile '\(plan.profile.name)' has a workspace that can only be read",
                key: "filesystem.workspace",
                remedy: "filesystem: { workspace: \"\(mount.readOnly ? "readOnly" : "readWrite")\" } in it")
        }
    }

    private static func parts(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    // MARK: Limits and labels

    /// A session may have less than its profile gives, and never more.
    private func checkLimits(_ request: SessionRequest.Create, _ order: inout SessionOrder) throws(Refusal) {
        var overrides = ProfileOverrides()
        overrides.memory = request.memory
        overrides.processes = request.processes
        overrides.cpus = request.cpus
        var wanted = plan.profile
        do throws(JailError) { try overrides.apply(to: &wanted, home: nil) } catch { throw malformed(error.reason) }
        let given = plan.profile.limits
        let limits: [(String, UInt64?, UInt64?, String?)] = [
            ("memory", wanted.limits.memory, given.memory, given.memory.map(ByteSize.format)),
            ("processes", wanted.limits.processes, given.processes, given.processes.map { String($0) }),
            ("cpus", wanted.limits.milliCPUs, given.milliCPUs, given.milliCPUs.map(ProcessorShare.format)),
        ]
        for (name, wanted, given, text) in limits {
            guard let wanted, let given, wanted > given else { continue }
            throw Refusal(
                status: ExitStatus.refused,
                reason: "\(name) is more than the \(text ?? "") of profile '\(plan.profile.name)'",
                key: "limits.\(name)", remedy: "raise limits.\(name) in it")
        }
        if request.memory != nil { order.memory = wanted.limits.memory }
        if request.processes != nil { order.processes = wanted.limits.processes }
        if request.cpus != nil { order.milliCPUs = wanted.limits.milliCPUs }
    }

    /// None unless they are named: a chat gets what it is for, and not what another one is for.
    private func checkSecrets(_ request: SessionRequest.Create, _ order: inout SessionOrder) throws(Refusal) {
        for name in request.secrets where !plan.secrets.contains(name) {
            throw Refusal(
                status: ExitStatus.refused, reason: "'\(name.excerpt)' is none of this jail's sessions.secrets",
                key: "sessions.secrets",
                remedy: "add \"\(name.excerpt)\" \(key("secrets")), and bind it in '\(plan.profile.name)'")
        }
        // In one spelling: who asks for the same gets the same.
        order.secrets = plan.secrets.filter(request.secrets.contains)
    }

    private static func label(_ text: String) throws(Refusal) -> SessionPlan.Label {
        let parts = text.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        let key = String(Substring(parts[0]))
        guard parts.count == 2, (1...63).contains(key.utf8.count), text.utf8.count <= longestLabel,
            key.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
        else {
            throw Refusal(
                status: ExitStatus.usage,
                reason: "a label must be KEY=VALUE, with a key of letters, digits, '.', '_' and '-', "
                    + "not '\(text.excerpt)'")
        }
        return SessionPlan.Label(name: key, value: String(Substring(parts[1])))
    }

    private func key(_ name: String) -> String { "to sessions.\(name) of profile '\(profile)'" }
}
