internal import JailCore
internal import JailLearning
internal import JailPlan
internal import JailPolicy
internal import JailSeccomp

/// What a tracer has to know of a plan: which names lie in what the profile shows, and which limits there are.
struct TraceRules {
    /// A host path that the jail shows.
    struct Grant: Equatable {
        /// Inside.
        let path: String
        /// The profile has it not: learning shows it.
        let isPermitted: Bool
    }

    let judge: CallJudge
    /// By the names that observations have for them.
    let limits: [String: String]
    /// The longest path first.
    private let grants: [Grant]
    /// Calls that the profile adds to the list, or learning does, by name.
    private let calls: [String: Observation.Outcome]

    /// - Parameter permitted: what is in the plan and not in the profile.
    init(_ plan: LaunchPlan, permitted: PermittedExtras) {
        var limits = Self.limits(plan)
        let sized = plan.sizedFileSystems.map { place in
            CallJudge.Sized(
                path: place.path, name: Self.limitName(place), value: ByteSize.format(place.size))
        }
        for place in sized { limits[place.name] = place.value }
        self.limits = limits
        judge = CallJudge(refused: SystemCallNames.refused, sized: sized, limits: limits)
        let shown = plan.mounts.compactMap { (step) -> String? in
            switch step {
            case .bind(let bind) where [.read, .write, .data, .workspace].contains(bind.purpose): bind.target
            case .overlay(let overlay): overlay.target
            default: nil
            }
        }
        grants = shown.map { path in
            Grant(path: path, isPermitted: permitted.paths.contains(path))
        }.sorted { $0.path.utf8.count > $1.path.utf8.count }
        var calls: [String: Observation.Outcome] = [:]
        for name in plan.seccomp.additional {
            calls[name] = permitted.systemCalls.contains(name) ? .permitted : .used
        }
        self.calls = calls
    }

    /// What the use of a file is, if something of the host's is shown there.
    func use(of path: String, _ access: FileAccess) -> (Observation.Subject, Observation.Outcome)? {
        guard let grant = grants.first(where: { path.isInside($0.path) }) else { return nil }
        // Of what the profile has, which of its lines is used; of what it has not, what is to be put into it.
        return grant.isPermitted
            ? (.file(path: path, access: access), .permitted) : (.file(path: grant.path, access: access), .used)
    }

    /// Of calls that are allowed beyond the list.
    func use(ofCall name: String) -> Observation.Outcome? { calls[name] }

    private static func limits(_ plan: LaunchPlan) -> [String: String] {
        var limits: [String: String] = [:]
        if let memory = plan.limits.cgroup?.memory { limits["memory"] = ByteSize.format(memory) }
        // One of them is init.
        if let processes = plan.limits.cgroup?.processes { limits["processes"] = String(processes - 1) }
        if let milliCPUs = plan.limits.cgroup?.milliCPUs { limits["cpus"] = ProcessorShare.format(milliCPUs) }
        for entry in plan.limits.resources {
            switch entry.resource {
            case .openFiles: limits["openFiles"] = String(entry.value)
            case .fileSize: limits["fileSize"] = ByteSize.format(entry.value)
            default: break
            }
        }
        return limits
    }

    private static func limitName(_ place: SizedFileSystem) -> String {
        if place.isData { return "data" }
        switch place.path {
        case "/tmp": return "tmp"
        case "/dev/shm": return "sharedMemory"
        default: return "home"
        }
    }
}

/// What a plan has that the profile has not, because learning lets it pass.
package struct PermittedExtras: Sendable {
    /// Paths inside.
    package var paths: [String] = []
    package var systemCalls: [String] = []

    package init() {}
}
