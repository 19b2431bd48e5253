package import JailPolicy

/// What a running jail's plan promises, as its supervisor hands it out.
package struct RunningPromises: Sendable {
    let uid: String
    let gid: String
    let dropsGroups: Bool
    let hasTimeNamespace: Bool
    let memory: UInt64?
    let processes: UInt64?
    let milliCPUs: UInt64?
    let hasGroup: Bool
    let openFiles: String?
    let mounts: MountRules
    let name: String
    package let profile: String

    /// nil: it is no plan.
    package init?(_ plan: JSON5Value) {
        guard let name = plan["name"]?.text, let profile = plan["profile"]?["name"]?.text,
            let uid = plan["identity"]?["host"]?["uid"]?.integer, let gid = plan["identity"]?["host"]?["gid"]?.integer,
            let groups = plan["identity"]?["groups"]?.text, let steps = plan["mounts"]?.elements,
            case .boolean(let hasTime)? = plan["namespaces"]?["time"]?.content
        else { return nil }
        self.name = name
        self.profile = profile
        self.uid = "\(uid)"
        self.gid = "\(gid)"
        dropsGroups = groups.hasPrefix("dropped")
        hasTimeNamespace = hasTime
        let group = plan["limits"]?["cgroup"]
        if case .object? = group?.content { hasGroup = true } else { hasGroup = false }
        memory = group?["memory"]?.integer.map { UInt64(clamping: $0) }
        processes = group?["processes"]?.integer.map { UInt64(clamping: $0) }
        milliCPUs = group?["milliCPUs"]?.integer.map { UInt64(clamping: $0) }
        openFiles = plan["limits"]?["resources"]?["openFiles"]?.integer.map { "\($0)" }
        mounts = MountRules(steps: steps)
    }
}
