internal import JailCore
internal import JailPolicy

/// Programs, one by one: never a directory of them.
struct ProgramSuggester {
    let profile: Profile
    let host: HostLook

    func suggest(_ observations: [Observation]) -> [Found] {
        var wanted: [(name: String, observations: [Observation])] = []
        for observation in observations where observation.isWanted {
            guard let name = name(observation.subject) else { continue }
            if let index = wanted.firstIndex(where: { $0.name == name }) {
                wanted[index].observations.append(observation)
            } else {
                wanted.append((name, [observation]))
            }
        }
        return wanted.compactMap { found($0.name, $0.observations) }
    }

    private func name(_ subject: Observation.Subject) -> String? {
        switch subject {
        case .program(let name): return Self.short(name)
        // What can be written inside is no program of the profile's, see ``OwnPlace``.
        case .file(let path, .execute) where host.kind(path) == .file && OwnPlace(path, .execute, in: profile) == nil:
            return Self.short(path)
        default: return nil
        }
    }

    /// A program on the usual search path goes by its bare name, as it was most likely looked for.
    private static func short(_ name: String) -> String {
        let usual = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
        guard name.hasPrefix("/"), usual.contains(name.parentPath), let last = name.split(separator: "/").last else {
            return name
        }
        return String(last)
    }

    private func found(_ name: String, _ observations: [Observation]) -> Found? {
        guard let rule = try? ProgramRule.parse(name), !rule.isDirectory, !rule.mayBeMissing else {
            return .no(observations, "it is no name of a program that a profile can have")
        }
        if profile.lists(name) { return nil }
        let isPath = name.hasPrefix("/")
        guard isPath ? host.kind(name) == .file : host.hasProgram(name) else {
            return .no(observations, "there is no such program on this host")
        }
        if isPath, let reason = host.boundary(name, false) {
            return .no(observations, "no profile can show it: \(reason)")
        }
        let base = name.split(separator: "/").last.map(String.init) ?? name
        let suggestion = Suggestion(
            change: ProfileChange(key: "process.programs", value: JSON.string(name).json5, isElement: true),
            evidence: Evidence(observations), risk: ProgramRisk.text(base),
            advisedAgainst: ProgramRisk.objection(to: base))
        return profile.offer(suggestion, .program, for: observations) { $0.lists(name) }
    }
}

extension Profile {
    /// Whether a program is in the profile, by its name or with the directory that it lies in.
    func lists(_ name: String) -> Bool {
        process.programs.contains { rule in
            rule.name == name || (rule.isDirectory && name.hasPrefix("/") && name.parentPath + "/" == rule.name)
        }
    }
}

/// What it means to have a program.
enum ProgramRisk {
    static func text(_ name: String) -> String {
        let name = family(name)
        if interpreters.contains(name) {
            return "an interpreter: it does whatever a text tells it that is found inside"
        }
        if fetchers.contains(name) { return "it fetches and sends, within the network's rules" }
        if name == "git" { return "it runs what the settings of a repository name, within the jail" }
        return "one program more that can be run inside, with its libraries; it has the jail's rights and no others"
    }

    /// Why a program should not be there all the same.
    static func objection(to name: String) -> String? {
        let name = family(name)
        if shells.contains(name) { return "it is a shell: with it, what can be run is no longer a list" }
        if managers.contains(name) {
            return "it is a package manager: it brings in and runs code that nobody has looked at"
        }
        if rights.contains(name) {
            return "it gives other rights, or runs things elsewhere; in a jail it cannot, or must not"
        }
        return nil
    }

    /// `python3.11` is `python`, `pip3` is `pip`.
    private static func family(_ name: String) -> String {
        let end = name.utf8.reversed().drop { ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") }
        return end.isEmpty ? name : String(decoding: end.reversed(), as: UTF8.self)
    }

    private static let shells: Set<String> = [
        "sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "ash", "csh", "tcsh", "busybox", "toybox", "pwsh", "rbash",
    ]
    private static let managers: Set<String> = [
        "npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg", "corepack", "bun", "bunx", "pip", "pipx", "uv", "uvx",
        "poetry",
        "conda", "mamba", "gem", "bundle", "cargo", "go", "composer", "brew", "apt", "apt-get", "aptitude", "dpkg",
        "dnf",
        "yum", "rpm", "pacman", "apk", "zypper", "snap", "flatpak", "nix", "cpan", "luarocks",
    ]
    private static let rights: Set<String> = [
        "sudo", "su", "doas", "pkexec", "docker", "podman", "nerdctl", "ctr", "kubectl", "nsenter", "unshare", "bwrap",
        "chroot", "mount", "umount", "newuidmap", "newgidmap", "ssh", "scp", "sftp", "sshd", "systemctl", "systemd-run",
        "gdb", "strace", "ltrace", "crontab", "at",
    ]
    private static let interpreters: Set<String> = [
        "python", "perl", "ruby", "lua", "luajit", "php", "node", "deno", "awk", "gawk", "mawk", "tclsh", "java",
        "Rscript",
        "make", "env", "xargs", "find",
    ]
    private static let fetchers: Set<String> = ["curl", "wget", "aria2c", "rsync"]
}
