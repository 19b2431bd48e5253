package import JailCore

/// What the command line adds to a profile, as it was typed.
package struct ProfileOverrides: Equatable, Sendable {
    /// `[ADDRESS:][HOSTPORT:]PORT`.
    package var publish: [String] = []
    /// `SOURCE[:TARGET]`, absolute.
    package var read: [String] = []
    package var write: [String] = []
    /// `NAME=VALUE`.
    package var environment: [String] = []
    /// A size such as `512M`.
    package var memory: String?
    package var processes: String?
    package var cpus: String?
    /// The host directory for /workspace, absolute.
    package var workspace: String?
    /// Where the command starts, inside.
    package var workingDirectory: String?
    /// Bytes of a directory of clawjail's own for /workspace, instead.
    package var ownWorkspace: UInt64?
    /// nil: as the profile has it.
    package var workspaceAccess: WorkspaceAccess?
    /// A user of the host, by name or number.
    package var user: String?

    package init() {}

    /// Applies everything, or throws an error of the stage `usage` that names the option. `home` is what `~` stands
    /// for.
    package func apply(to profile: inout Profile, home: String?) throws(JailError) {
        for text in publish {
            try option("--publish") { () throws(ValueError) in try profile.network.add(PublishedPort.parse(text)) }
        }
        for text in read {
            try option("--read") { () throws(ValueError) in
                try profile.filesystem.addRead(BindRule.parse(text, home: home))
            }
        }
        for text in write {
            try option("--write") { () throws(ValueError) in
                try profile.filesystem.addWrite(BindRule.parse(text, home: home))
            }
        }
        for text in environment {
            try option("--env") { () throws(ValueError) in profile.process.set(try EnvironmentVariable.parse(text)) }
        }
        if let user {
            try option("--user") { () throws(ValueError) in try Name.checkHostUser(user) }
            profile.process.user = user
        }
        if let workingDirectory {
            try option("--directory") { () throws(ValueError) in try AbsolutePath.check(workingDirectory) }
            profile.process.workingDirectory = workingDirectory
        }
        try applyLimits(to: &profile.limits)
        try applyWorkspace(to: &profile.filesystem, profile: profile.name, home: home)
    }

    private func applyLimits(to limits: inout LimitRules) throws(JailError) {
        if let memory {
            limits.memory = try option("--memory") { () throws(ValueError) in
                let bytes = try ByteSize.parse(memory)
                guard LimitRules.memoryRange.contains(bytes) else {
                    throw ValueError("must be at least \(ByteSize.format(LimitRules.memoryRange.lowerBound))")
                }
                return bytes
            }
        }
        if let processes {
            limits.processes = try option("--processes") { () throws(ValueError) in
                let range = LimitRules.processRange
                guard let count = DecimalDigits.parse(processes), range.contains(count) else {
                    throw ValueError(
                        expected: "a number from \(range.lowerBound) to \(range.upperBound)", found: processes)
                }
                return count
            }
        }
        if let cpus {
            limits.milliCPUs = try option("--cpus") { () throws(ValueError) in try ProcessorShare.parse(cpus) }
        }
    }

    private func applyWorkspace(
        to rules: inout FilesystemRules, profile name: String, home: String?
    ) throws(JailError) {
        // What is to be reviewed does not become writable because somebody has not asked for less.
        if let workspaceAccess, rules.workspace != .review || workspaceAccess != .readWrite {
            rules.workspace = workspaceAccess
        }
        if let ownWorkspace {
            var data = DataRule(size: ownWorkspace)
            data.target = "/workspace"
            try option("/workspace") { () throws(ValueError) in try rules.setData(data) }
        }
        guard let workspace else { return }
        rules.workspaceSource = try option("--workspace") { () throws(ValueError) in
            let path = try AbsolutePath.host(workspace, home: home)
            try AbsolutePath.checkSource(path)
            guard rules.workspace != .none else {
                throw ValueError(
                    "is not allowed: profile '\(name)' has no workspace",
                    hint: "say filesystem: { workspace: \"readOnly\" } in a profile that extends it")
            }
            return path
        }
    }

    private func option<Result>(
        _ name: String, _ body: () throws(ValueError) -> Result
    ) throws(JailError) -> Result {
        do throws(ValueError) {
            return try body()
        } catch {
            throw JailError(.usage, reason: "\(name) \(error.reason)", hint: error.hint)
        }
    }
}
