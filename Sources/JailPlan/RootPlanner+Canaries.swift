internal import JailCore
internal import JailPolicy

/// Last of all, when everything is known that is really there.
extension RootPlanner {
    mutating func addCanaries() throws(JailError) {
        for rule in profile.canaries {
            let plan = CanaryPlan(rule, home: profile.process.inside.home)
            if case .file(let path) = plan.place { try addCanary(path, index: canaries.count) }
            canaries.append(plan)
        }
    }

    /// Only in what the jail has for itself and is made with it: nothing of the host's, nothing that outlives the jail, and
    /// nothing that is there already.
    private mutating func addCanary(_ path: String, index: Int) throws(JailError) {
        let around = steps.filter { $0.isMount && path.isBelow($0.path) }
            .max { $0.path.utf8.count < $1.path.utf8.count }
        let isOurs = if case .tmpfs? = around { true } else { around == nil }
        guard isOurs else {
            throw JailError(
                .plan, path: path, reason: "a canary is never put into what is shown there, from the host or for good",
                hint: "name another 'path', such as one in the home directory")
        }
        guard
            !steps.contains(where: {
                $0.path == path || $0.path.isBelow(path) || ($0.isFile && path.isBelow($0.path))
            })
        else {
            throw JailError(.plan, path: path, reason: "a canary never takes the place of what is there already")
        }
        var missing: [String] = []
        var parent = path.parentPath
        while parent != "/", parent != around?.path, !steps.contains(where: { $0.path == parent }) {
            missing.insert(parent, at: 0)
            parent = parent.parentPath
        }
        for directory in missing { add(.directory(path: directory, mode: 0o700)) }
        add(.canary(path: path, index: index))
    }
}

extension MountStep {
    fileprivate var isFile: Bool {
        switch self {
        case .file, .script, .trust, .cover, .socket, .canary: true
        case .bind(let bind): !bind.isDirectory
        case .directory, .symlink, .overlay, .tmpfs, .proc, .devpts, .pin: false
        }
    }

    /// Whether what lies below it is in something else than the new root. A symlink leads there, perhaps.
    fileprivate var isMount: Bool {
        switch self {
        case .bind(let bind): bind.isDirectory
        case .overlay, .tmpfs, .proc, .devpts, .symlink, .pin: true
        case .directory, .file, .script, .trust, .cover, .socket, .canary: false
        }
    }
}
