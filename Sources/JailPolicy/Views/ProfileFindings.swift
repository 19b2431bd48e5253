internal import JailCore

/// Mistakes and dangerous combinations in a profile that reads well.
package struct ProfileFindings: Sendable {
    package enum Severity: Int, Comparable, Sendable {
        /// Worth knowing.
        case note
        /// To be mended, or known.
        case warning
        /// Takes away what the jail is for.
        case danger

        package static func < (one: Severity, other: Severity) -> Bool { one.rawValue < other.rawValue }
        package var word: String { ["note", "warning", "danger"][rawValue] }
    }

    package struct Finding: Equatable, Sendable {
        package let severity: Severity
        /// `network-with-host-files`
        package let id: String
        package let text: String
        /// What to do about it.
        package let remedy: String
        package let source: ProfileSource?
    }

    /// The worst first.
    package private(set) var all: [Finding] = []

    /// - Parameter others: every profile that can be named here, for what one jail could do to another.
    package init(_ profile: Profile, among others: [Profile] = []) {
        network(profile)
        programs(profile)
        commands(profile)
        files(profile)
        protections(profile)
        environment(profile)
        neighbours(profile, others.filter { $0.files.last != profile.files.last })
        for note in NetworkPolicy(profile.network).notes + (profile.alerts?.notes(for: profile) ?? []) {
            add(.note, "rules", note, "look whether it is meant")
        }
        all = all.enumerated().sorted {
            ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
        }.map(\.element)
    }

    private mutating func add(
        _ severity: Severity, _ id: String, _ text: String, _ remedy: String, _ source: ProfileSource? = nil
    ) {
        all.append(Finding(severity: severity, id: id, text: text, remedy: remedy, source: source))
    }

    // MARK: What is dangerous together

    private mutating func network(_ profile: Profile) {
        let reach = NetworkReach(profile.network.allow.flatMap { $0.preset?.rules ?? [$0] })
        let filesystem = profile.filesystem
        let shown = (filesystem.read + filesystem.write).first
        let isWide = reach.widest >= 2
        if isWide, let shown {
            add(
                reach.widest == 3 ? .danger : .warning, "network-with-host-files",
                "a wide network, and '\(shown.shown)' of the host: what can be read can be carried out",
                "name the hosts in full, or show no host directory",
                ProfileSource(filesystem.read.isEmpty ? "filesystem.write" : "filesystem.read", shown.shown))
        }
        if isWide, filesystem.executeWritable {
            add(
                .warning, "network-with-written-code",
                "a wide network, and what is written can be executed: whatever is fetched can be run",
                "take out filesystem.executeWritable, or name the hosts in full",
                ProfileSource("filesystem.executeWritable"))
        }
        if profile.process.shell, reach.widest > 0, let shown {
            add(
                .danger, "shell-network-host-files",
                "a shell, a network and '\(shown.shown)' of the host in one jail",
                "give the shell to a jail without network, such as 'session'", ProfileSource("process.shell"))
        }
        if reach.widest == 3, reach.sending >= 12 {
            add(
                .warning, "send-everywhere", "may send data to every public host",
                "give methods other than GET and HEAD to hosts that are named in full", ProfileSource("network.allow"))
        }
        for port in profile.network.publish where port.hostAddress >> 24 != 127 {
            add(
                .warning, "published-beyond", "port \(port.hostPort) is published beyond this machine: \(port.shown)",
                "publish on 127.0.0.1 and reach it through SSH", ProfileSource("network.publish", port.shown))
        }
    }

    // MARK: Programs

    private mutating func programs(_ profile: Profile) {
        let isWide = profile.hasWayOut
        for rule in profile.process.programs {
            let source = ProfileSource("process.programs", rule.formatted)
            if rule.isDirectory {
                add(
                    profile.process.shell ? .note : .warning, "program-directory",
                    "every program in '\(rule.name)' may run"
                        + (profile.process.shell ? "" : ", and the profile gives no shell that would need them"),
                    "list the programs that are needed, by name", source)
            } else if let warning = ProgramFamilies.warning(rule.name), !ProgramFamilies.isGateway(rule.name) {
                add(
                    profile.process.shell || !isWide ? .note : .warning, "program-family", warning,
                    "list the program that does the job itself", source)
            }
        }
        for call in profile.process.systemCalls {
            add(
                .warning, "system-call", "the system call \(call) is allowed beyond the list",
                "'clawjail explain syscall \(call)' says what it brings with it",
                ProfileSource("process.systemCalls", call))
        }
    }

    // MARK: Commands

    private mutating func commands(_ profile: Profile) {
        if !profile.commands.isEmpty {
            for rule in profile.process.programs where ProgramFamilies.isShell(rule.name) {
                add(
                    .warning, "shell-beside-commands",
                    "'\(rule.name)' runs any command line, and the list of commands binds nobody who has it",
                    "take \(rule.name) out of process.programs", ProfileSource("process.programs", rule.name))
            }
        }
        for rule in profile.commands.rules {
            let source = ProfileSource("commands", rule.shown)
            environment(of: rule)
            if rule.isOpen, let warning = ProgramFamilies.warning(rule.program) {
                add(
                    .warning, "command-family", "\(warning), and whoever calls it chooses words that it is given",
                    "write its arguments out, or give the whole command a script of its own", source)
            }
            if case .host(let user) = rule.place, !rule.asks {
                add(
                    .warning, "command-on-host", "'\(rule.name)' runs on the host as \(user), and nobody is asked",
                    "ask: true, or run it in a jail", source)
            }
            let listed = profile.process.programs.first {
                $0.name == rule.name || $0.name == rule.program
                    || $0.isDirectory && rule.program.hasPrefix($0.name)
            }
            if let listed {
                add(
                    .warning, "command-for-nothing",
                    "'\(rule.name)' has a rule, and process.programs lets it be started without one",
                    "take \(listed.name) out of process.programs", source)
            }
        }
    }

    // MARK: Files

    /// Below which people keep what is theirs.
    static func isPersonal(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return ["/home", "/root", "/etc", "/var/lib", "/var/log", "/var/spool"].contains { path.isInside($0) }
            || parts.contains { $0.first == "." || personal.contains($0.lowercased()) }
    }

    private static let personal: Set<String> = ["credentials", "secrets", "private", "keys", "backup", "backups"]

    private mutating func files(_ profile: Profile) {
        let filesystem = profile.filesystem
        for (key, rules) in [("filesystem.read", filesystem.read), ("filesystem.write", filesystem.write)] {
            for rule in rules {
                let source = ProfileSource(key, rule.shown)
                if Self.isPersonal(rule.source) {
                    add(
                        profile.hasWayOut ? .warning : .note, "personal-files",
                        "'\(rule.source)' lies where people and services keep what is theirs",
                        "copy what is needed to a directory of its own, and show that", source)
                }
                if rule.allowSpecialFiles {
                    add(
                        .warning, "special-files",
                        "sockets in '\(rule.source)' can be connected to: who listens there acts for the jail",
                        "show the one socket that is needed", source)
                }
            }
        }
    }

    // MARK: Protections

    private mutating func protections(_ profile: Profile) {
        for protection in OptionalProtection.allCases where profile.optional.contains(protection) {
            let isStrong = protection == .landlock || protection == .groups || protection == .cgroup
            add(
                isStrong ? .warning : .note, "optional-\(protection.rawValue)",
                "starts without \(protection.rawValue) where the host lacks it",
                "take it out; 'clawjail doctor' says what mends the host",
                ProfileSource("optional", protection.rawValue))
        }
        let limits = profile.limits
        for (name, isMissing) in [
            ("memory", limits.memory == nil), ("processes", limits.processes == nil), ("cpus", limits.milliCPUs == nil),
        ] where isMissing {
            add(
                name == "cpus" ? .note : .warning, "no-limit-\(name)", "limits.\(name) is not set",
                "set it: one jail could take all that the host has")
        }
    }

    // MARK: Environment

    private static let secretNames = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY"]
    private static let secretStarts = ["sk-", "ghp_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "AIza", "glpat-"]

    /// Whether a value that is written down looks like one that nobody should read.
    static func isSecret(_ variable: EnvironmentVariable) -> Bool {
        let name = variable.name.uppercased()
        let value = variable.value
        if secretStarts.contains(where: { value.hasPrefix($0) && value.utf8.count >= 16 }) { return true }
        return value.utf8.count >= 8 && !value.hasPrefix("/") && secretNames.contains { name.contains($0) }
    }

    private mutating func environment(_ profile: Profile) {
        for variable in profile.process.environment where Self.isSecret(variable) {
            // The value itself is nobody's business.
            add(
                .danger, "secret-in-profile",
                "the value of \(variable.name) looks like a secret, written into the profile",
                "take it out, and pass it on from the caller: passEnvironment: [\"\(variable.name)\"]",
                ProfileSource("process.environment", "\(variable.name)=\(variable.value)"))
        }
        for binding in profile.secrets.bindings {
            guard case .program(let program) = binding.source else { continue }
            for variable in program.environment where Self.isSecret(variable) {
                add(
                    .danger, "secret-in-profile",
                    "the value of \(variable.name) looks like a secret, written into the profile",
                    "take it out, and pass it on from the caller: passEnv: [\"\(variable.name)\"]",
                    ProfileSource("secrets"))
            }
        }
    }

    /// Whether a value of `commands[].environment` is one, for ``commands(_:)``.
    private mutating func environment(of rule: CommandRule) {
        for variable in rule.environment where Self.isSecret(variable) {
            add(
                .danger, "secret-in-profile",
                "the value of \(variable.name) for '\(rule.name)' looks like a secret, written into the profile",
                "take it out", ProfileSource("commands", rule.shown))
        }
    }

    // MARK: Other jails

    /// What this jail writes and another one runs.
    private mutating func neighbours(_ profile: Profile, _ others: [Profile]) {
        var written = profile.filesystem.write.map { ($0.source, ProfileSource("filesystem.write", $0.shown)) }
        if let source = profile.filesystem.data?.source { written.append((source, ProfileSource("filesystem.data"))) }
        for (path, source) in written {
            for other in others {
                for used in Self.executed(by: other) where used.isInside(path) || path.isInside(used) {
                    add(
                        .danger, "written-code-elsewhere",
                        "writes '\(path)', from which jails of profile '\(other.name)' run or read programs ('\(used)')",
                        "give the two jails different directories", source)
                }
            }
        }
    }

    private static func executed(by profile: Profile) -> [String] {
        var paths = profile.process.programs.map(\.name).filter { $0.hasPrefix("/") }
            .map { $0.hasSuffix("/") ? String(Substring($0.utf8.dropLast())) : $0 }
        if case .directory(let root) = profile.filesystem.root { paths.append(root) }
        // Data for one program is code for another: a script, a plugin, settings.
        return paths + profile.filesystem.read.map(\.source) + profile.commands.rules.map(\.program)
    }
}
