import JailCore
import JailLaunch
import JailPlan
import JailPolicy

/// What a session is made from, as it was typed.
struct SessionSettings: Equatable {
    var id = ""
    /// nil: `session`.
    var profile: String?
    static let usualProfile = "session"
    /// `HOST:/workspace[:ro]`.
    var workspace: String?
    /// Bytes of a directory of clawjail's own for /workspace, instead.
    var ownWorkspace: UInt64?
    /// `HOST:/agent[:ro]`.
    var agent: String?
    /// `HOST:INSIDE`.
    var readOnly: [String] = []
    var memory: String?
    var processes: String?
    var cpus: String?
    var environment: [String] = []
    /// `NAME=VALUE`.
    var labels: [String] = []
    var user: String?
    /// Sessions that name the same group share the process of their ways out.
    var egressGroup: String?

    /// Names of secrets; nil: outside, all that the profile binds, and none where a jail asks.
    var secrets: [String]?

    /// The profile with the named secrets and no others.
    ///
    /// - Throws: it binds none of that name.
    func narrow(_ profile: Profile) throws(JailError) -> Profile {
        guard let secrets else { return profile }
        if let name = secrets.first(where: { !profile.secrets.names.contains($0) }) {
            throw JailError(
                .usage, reason: "profile '\(profile.name)' binds no secret '\(name.printable)'",
                hint: "bind it in 'secrets' of the profile")
        }
        var profile = profile
        profile.secrets = profile.secrets.keeping(secrets)
        return profile
    }

    /// The launch, as ``Run`` would make it of a jail that has the same.
    func invocation() throws(JailError) -> Invocation {
        guard JailName.isValid(id) else {
            throw JailError(
                .usage, reason: "'\(id.printable)' is not a name for a session",
                hint: "use up to 48 of a-z, 0-9, '-' and '_', starting with a letter or digit")
        }
        var invocation = Invocation()
        invocation.profile = profile ?? Self.usualProfile
        invocation.name = id
        invocation.overrides.memory = memory
        invocation.overrides.processes = processes
        invocation.overrides.cpus = cpus
        invocation.overrides.environment = environment
        invocation.overrides.user = user
        invocation.egressGroup = egressGroup
        if let workspace {
            let mount = try Mount(workspace, option: "--workspace", target: "/workspace")
            invocation.overrides.workspace = mount.source
            invocation.overrides.workspaceAccess = mount.isReadOnly ? .readOnly : .readWrite
        }
        invocation.overrides.ownWorkspace = ownWorkspace
        if let agent {
            let mount = try Mount(agent, option: "--agent", target: "/agent")
            if mount.isReadOnly {
                invocation.overrides.read.append(mount.text)
            } else {
                invocation.overrides.write.append(mount.text)
            }
        }
        for text in readOnly { invocation.overrides.read.append(try Mount(text, option: "--ro", target: nil).text) }
        return invocation
    }

    /// In the order of the command line.
    func parsedLabels() throws(JailError) -> [SessionPlan.Label] {
        var result: [SessionPlan.Label] = []
        for label in labels {
            guard let end = label.firstIndex(of: "="), end != label.startIndex else {
                throw JailError(.usage, reason: "--label must be NAME=VALUE")
            }
            let name = String(label[..<end])
            guard label.utf8.count <= 4096, !result.contains(where: { $0.name == name }) else {
                throw JailError(.usage, reason: "--label '\(name.printable)' is there twice, or longer than 4096 bytes")
            }
            result.append(.init(name: name, value: String(label[label.index(after: end)...])))
        }
        return result
    }

    /// What makes two requests the same: everything but the labels, and what the profile says at the moment.
    func configuration(_ profile: Profile) -> JSON {
        [
            "profile": .string(self.profile ?? Self.usualProfile),
            "policy": .string(Self.fingerprint(profile.json.text())),
            "workspace": .optional(workspace ?? ownWorkspace.map { "own, \(ByteSize.format($0))" }),
            "agent": .optional(agent), "ro": .strings(readOnly),
            "memory": .optional(memory), "processes": .optional(processes), "cpus": .optional(cpus),
            // Values may be secrets, and this is shown.
            "environment": .strings(environment.map { String($0.prefix { $0 != "=" }) }),
            "environmentFingerprint": .string(Self.fingerprint(environment.joined(separator: "\0"))),
            "user": .optional(user), "egressGroup": .optional(egressGroup),
            "secrets": secrets.map { .strings(Set($0).sorted()) } ?? .null,
        ]
    }

    /// Tells apart, and hides nothing from anybody who can guess: FNV-1a of 64 bits.
    private static func fingerprint(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// `HOST:INSIDE[:ro]`; without a colon in the host's path, which could not be told apart.
    private struct Mount {
        let source: String
        let target: String
        let isReadOnly: Bool
        var text: String { "\(source):\(target)" }

        init(_ text: String, option: String, target wanted: String?) throws(JailError) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            let form = "HOST:\(wanted ?? "INSIDE")" + (wanted == nil ? "" : "[:ro]")
            guard parts.count == 2 || (wanted != nil && parts.count == 3 && parts[2] == "ro"), parts[0].hasPrefix("/"),
                wanted == nil ? parts[1].hasPrefix("/") : parts[1] == wanted
            else {
                throw JailError(
                    .usage, reason: "\(option) must be \(form), with absolute paths, not '\(text.printable)'")
            }
            source = parts[0]
            target = parts[1]
            isReadOnly = parts.count == 3
        }
    }
}

/// `clawjail session create` without the cost of a general parser, as ``QuickRun`` is for `run`.
extension SessionSettings {
    /// - Parameter words: what follows `session create`.
    init?(_ words: ArraySlice<String>) {
        var words = words
        while let word = words.popFirst() {
            guard let value = words.popFirst(), !value.hasPrefix("-") else { return nil }
            switch word {
            case "--id": id = value
            case "--profile", "-p": profile = value
            case "--workspace": workspace = value
            case "--agent": agent = value
            case "--ro": readOnly.append(value)
            case "--memory": memory = value
            case "--processes": processes = value
            case "--cpus": cpus = value
            case "--env": environment.append(value)
            case "--label": labels.append(value)
            case "--user": user = value
            case "--egress-group": egressGroup = value
            case "--secret": secrets = (secrets ?? []) + [value]
            default: return nil
            }
        }
    }
}
