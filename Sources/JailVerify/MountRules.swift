internal import JailCore
internal import JailPlan
internal import JailPolicy

/// One line of /proc/PID/mountinfo, see proc_pid_mountinfo(5).
package struct MountFinding: Equatable, Sendable {
    package var target: String
    package var options: Set<String>
    package var propagation: String

    /// As the kernel writes it. Its escapes (`\040` for a space) stay: no target of a plan has any.
    package init?(line: String) {
        let fields = line.split(separator: " ").map(String.init)
        guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash >= 6 else { return nil }
        target = fields[4]
        options = Set(fields[5].split(separator: ",").map(String.init))
        propagation = fields[6..<dash].joined(separator: " ")
    }

    /// As jailprobe tells it.
    init?(_ value: JSON5Value) {
        guard let target = value["target"]?.text, let options = value["options"]?.text,
            let propagation = value["propagation"]?.text
        else { return nil }
        self.target = target
        self.options = Set(options.split(separator: ",").map(String.init))
        self.propagation = propagation
    }
}

/// What every mount of a plan must be.
struct MountRules: Sendable {
    /// Where the plan mounts something that is there in the end.
    let planned: [String]
    private let writable: [String]
    private let executable: Set<String>
    private let unexecutable: Set<String>

    /// - Parameter steps: of a plan's JSON.
    init(steps: [JSON5Value]) {
        var planned: [String] = []
        var writable = ["/dev/pts"]
        var executable: Set<String> = []
        var unexecutable: Set<String> = []
        for step in steps {
            guard let kind = step["step"]?.text, ["bind", "overlay", "tmpfs"].contains(kind),
                let path = step["path"]?.text
            else {
                continue
            }
            let attributes = Set((step["attributes"]?.text ?? "").split(separator: ",").map(String.init))
            planned.append(path)
            if !attributes.contains("ro") { writable.append(path) }
            if attributes.contains("noexec") { unexecutable.insert(path) } else { executable.insert(path) }
        }
        self.planned = planned
        self.writable = writable
        self.executable = executable
        self.unexecutable = unexecutable
    }

    /// - Parameter added: programs that are shown beyond the plan.
    init(_ plan: LaunchPlan, added: [String]) {
        var planned: [String] = []
        var writable = ["/dev/pts"]
        var executable = Set(added)
        var unexecutable: Set<String> = []
        for step in plan.mounts {
            let attributes: MountAttributes
            switch step {
            case .bind(let bind): attributes = bind.attributes
            case .overlay(let overlay): attributes = overlay.attributes
            case .tmpfs(let tmpfs): attributes = tmpfs.attributes
            default: continue
            }
            planned.append(step.path)
            if !attributes.contains(.readOnly) { writable.append(step.path) }
            if attributes.contains(.noExec) { unexecutable.insert(step.path) } else { executable.insert(step.path) }
        }
        self.planned = planned
        self.writable = writable
        self.executable = executable
        self.unexecutable = unexecutable
    }

    /// What is wrong with a mount; nil: nothing. What the host has mounted below something that is shown comes along.
    func complaint(_ mount: MountFinding) -> String? {
        let target = mount.target
        var wrong: [String] = []
        if !mount.options.contains("nosuid") { wrong.append("suid") }
        if !target.isBelow("/dev"), !mount.options.contains("nodev") { wrong.append("dev") }
        if mount.options.contains("rw"), !writable.contains(where: { target == $0 || target.isBelow($0) }) {
            wrong.append("rw")
        }
        let mayExecute = target == "/" || executable.contains { target == $0 || target.isBelow($0) }
        if unexecutable.contains(target) || !mayExecute, !mount.options.contains("noexec"), !isCover(target) {
            wrong.append("exec")
        }
        if !mount.propagation.isEmpty { wrong.append(mount.propagation) }
        return wrong.isEmpty ? nil : "\(target): \(wrong.joined(separator: ", "))"
    }

    /// Generated files that are laid over others are no programs, and lie on the root's own file system.
    private func isCover(_ target: String) -> Bool { !unexecutable.contains(target) && !planned.contains(target) }
}
