internal import JailCore
internal import JailPolicy

/// A place that the jail has of its own, or can have: nothing of the host's is shown there.
enum OwnPlace: Equatable {
    case tmp, sharedMemory, home, data
    case workspace(WorkspaceAccess)
    /// It is there as it should be, and executing from it was tried.
    case executing
    /// There is nothing that a profile could say, and why.
    case closed(String)

    /// nil: it is a path of the host's.
    init?(_ path: String, _ access: FileAccess, in profile: Profile) {
        let files = profile.filesystem
        for closed in ["/proc", "/sys", "/dev", "/etc"]
        where path.isInside(closed) && !path.isInside("/dev/shm") {
            self = .closed("the jail has a \(closed) of its own, and nothing of the host's is shown there")
            return
        }
        let places: [(place: OwnPlace, target: String, isThere: Bool)] = [
            (.tmp, "/tmp", files.tmp > 0), (.sharedMemory, "/dev/shm", files.sharedMemory > 0),
            (.home, profile.process.inside.home, files.home > 0),
            (.data, files.data?.target ?? "/data", files.data != nil),
        ]
        if let own = places.first(where: { path.isInside($0.target) }) {
            if own.isThere {
                self = access == .execute && !files.executeWritable ? .executing : .closed(Self.mistake(access))
            } else {
                // An empty place answers reads with "not there", which it then is.
                self = access == .write ? own.place : .closed("there is nothing in it to be read")
            }
            return
        }
        guard path.isInside("/workspace") else { return nil }
        switch (files.workspace, access) {
        case (.none, .write), (.readOnly, .write): self = .workspace(.readWrite)
        case (.none, _): self = .workspace(.readOnly)
        case (.readWrite, .execute) where !files.executeWritable: self = .executing
        default: self = .closed(Self.mistake(access))
        }
    }

    private static func mistake(_ access: FileAccess) -> String {
        access == .write
            ? "the profile has it writable: it was full, or not the jail's" : "the profile has it: it is not in there"
    }

    func found(for observations: [Observation], in profile: Profile) -> Found {
        if case .closed(let reason) = self { return .no(observations, reason) }
        let suggestion = Suggestion(
            change: ProfileChange(key: key, value: value, isElement: false), evidence: Evidence(observations),
            risk: risk, advisedAgainst: objection)
        return profile.offer(suggestion, .write, for: observations)
    }

    private var key: String {
        switch self {
        case .tmp: "filesystem.tmp"
        case .sharedMemory: "filesystem.sharedMemory"
        case .home: "filesystem.home"
        case .data: "filesystem.data"
        case .workspace: "filesystem.workspace"
        case .executing, .closed: "filesystem.executeWritable"
        }
    }

    private var value: String {
        switch self {
        case .tmp, .sharedMemory, .home: "\"16M\""
        case .data: "{ size: \"256M\" }"
        case .workspace(let access): "\"\(access.rawValue)\""
        case .executing, .closed: "true"
        }
    }

    private var risk: String {
        switch self {
        case .tmp, .sharedMemory, .home: "memory of that size, gone with the jail"
        case .data: "what the jail writes there outlives it: the next one of the name reads it, also what was planted"
        case .workspace(.readWrite): "the jail can change whatever --workspace names"
        case .workspace: "the jail can read whatever --workspace names"
        case .executing, .closed: "what the jail writes or loads it can also execute"
        }
    }

    private var objection: String? {
        self == .executing ? "process.programs would no longer say what can be run" : nil
    }
}
