package import JailCore

/// What `clawjail setup` is asked for.
package struct SetupRequest: Equatable, Sendable {
    package struct Unit: Equatable, Sendable {
        /// `NAME.service`.
        package var fileName: String
        package var text: String
        package var isTemplate: Bool
        package var enable: Bool

        package init(fileName: String, text: String, isTemplate: Bool, enable: Bool) {
            self.fileName = fileName
            self.text = text
            self.isTemplate = isTemplate
            self.enable = enable
        }
    }

    package var user: String
    /// In the order in which they are written.
    package var units: [Unit]

    package init(user: String, units: [Unit] = []) {
        self.user = user
        self.units = units
    }
}

/// What is there of it.
package struct SetupFacts: Equatable, Sendable {
    package struct Account: Equatable, Sendable {
        package var uid: UInt32
        package var gid: UInt32
        package var shell: String
        /// nil: /etc/shadow has no line of it.
        package var isLocked: Bool?
        /// Those that name it as a member.
        package var groups: [String] = []

        package init(uid: UInt32, gid: UInt32, shell: String) {
            self.uid = uid
            self.gid = gid
            self.shell = shell
        }
    }

    package struct Entry: Equatable, Sendable {
        package enum Kind: Equatable, Sendable { case directory, file, symlink, other }
        package var kind: Kind
        package var uid: UInt32
        package var mode: UInt32

        package init(_ kind: Kind, uid: UInt32, mode: UInt32) {
            self.kind = kind
            self.uid = uid
            self.mode = mode
        }
    }

    package var account: Account?
    /// By path; those of ``SetupPlan/paths(for:)`` that are there.
    package var entries: [String: Entry] = [:]
    /// By the name of the unit's file.
    package var unitTexts: [String: String] = [:]
    /// Units of such names that a package has brought, and not clawjail's: ours would take their place.
    package var vendorUnits: [String: String] = [:]
    package var enabled: Set<String> = []

    package init() {}
}

package enum SetupStep: Equatable, Sendable {
    /// Nothing is to be done.
    case there(String)
    /// A system user: no login shell, no home, no password, no other groups.
    case makeUser(String)
    /// - `owner`: nil: root.
    case makeDirectory(path: String, owner: String?, mode: UInt32)
    case changeMode(path: String, mode: UInt32)
    case writeUnit(path: String, text: String)
    /// systemd reads its units again.
    case reload
    case enable(String)
    /// For whoever reads it; nothing is done.
    case warn(String)

    package var description: String {
        switch self {
        case .there(let text), .warn(let text): text
        case .makeUser(let name): "make the system user '\(name)', without login, home, password and other groups"
        case .makeDirectory(let path, let owner, let mode):
            "make the directory \(path), of \(owner ?? "root"), mode \(Self.octal(mode))"
        case .changeMode(let path, let mode): "change the mode of \(path) to \(Self.octal(mode))"
        case .writeUnit(let path, _): "write the unit \(path)"
        case .reload: "have systemd read its units"
        case .enable(let name): "enable \(name), so that it starts with the machine"
        }
    }

    static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }
}

/// Request + facts → steps. Pure: what is done is this list, in its order, and nothing else.
package enum SetupPlan {
    private struct Place {
        var path: String
        /// nil: root.
        var owner: String?
        var mode: UInt32
    }

    private static func places(_ request: SetupRequest) -> [Place] {
        [
            // Profiles are no secrets, and each service's user reads them.
            Place(path: "/etc/clawjail", mode: 0o755), Place(path: "/etc/clawjail/profiles", mode: 0o755),
            // Tokens are: systemd reads these, as root.
            Place(path: "/etc/clawjail/agents", mode: 0o700),
            Place(path: "/var/lib/clawjail-\(request.user)", owner: request.user, mode: 0o700),
        ]
    }

    package static func path(of unit: SetupRequest.Unit) -> String { "/etc/systemd/system/\(unit.fileName)" }

    /// What ``SetupFacts/entries`` is to hold.
    package static func paths(for request: SetupRequest) -> [String] {
        places(request).map(\.path) + request.units.map(path)
    }

    /// Where packages have a unit of that name, see systemd.unit(5).
    package static func vendorPaths(of unit: SetupRequest.Unit) -> [String] {
        ["/usr/local/lib", "/usr/lib", "/lib"].map { "\($0)/systemd/system/\(unit.fileName)" }
    }

    package static func steps(_ request: SetupRequest, _ facts: SetupFacts) throws(JailError) -> [SetupStep] {
        var steps = try userSteps(request, facts)
        for place in places(request) { steps.append(try step(place, request, facts)) }
        for unit in request.units { steps += try unitSteps(unit, facts) }
        // Once, when all are there, and before the first is enabled.
        if steps.contains(where: \.isWriting) { steps.append(.reload) }
        for unit in request.units where unit.enable { steps.append(try enabling(unit, facts)) }
        return steps
    }

    // MARK: User

    /// Who is in one of these is root, or nearly.
    private static let mightyGroups: Set<String> = [
        "root", "sudo", "wheel", "admin", "docker", "lxd", "incus", "libvirt", "disk", "shadow", "adm", "podman", "kvm",
    ]

    private static func userSteps(_ request: SetupRequest, _ facts: SetupFacts) throws(JailError) -> [SetupStep] {
        let name = request.user
        guard let account = facts.account else { return [.makeUser(name)] }
        guard account.uid != 0, account.gid != 0 else {
            throw JailError(
                .host, reason: "user '\(name)' has \(account.uid == 0 ? "user" : "group") id 0",
                hint: "name another one: --user NAME")
        }
        var steps: [SetupStep] = [.there("user '\(name)', uid \(account.uid)")]
        for group in account.groups {
            let why =
                mightyGroups.contains(group)
                ? "which is as good as root" : "which its jails can only drop with newgidmap and a line in /etc/subgid"
            steps.append(
                .warn("user '\(name)' is in group '\(group)', \(why); take it out: gpasswd --delete \(name) \(group)"))
        }
        if !["/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false"].contains(account.shell) {
            steps.append(
                .warn("user '\(name)' may log in; take that away: usermod --shell /usr/sbin/nologin \(name)"))
        }
        if account.isLocked == false {
            steps.append(.warn("user '\(name)' has a password; lock it: usermod --lock \(name)"))
        }
        return steps
    }

    // MARK: Directories

    private static func step(
        _ place: Place, _ request: SetupRequest, _ facts: SetupFacts
    ) throws(JailError) -> SetupStep {
        guard let entry = facts.entries[place.path] else {
            return .makeDirectory(path: place.path, owner: place.owner, mode: place.mode)
        }
        guard entry.kind == .directory else {
            throw JailError(
                .host, path: place.path,
                reason: entry.kind == .symlink ? "it is a symlink" : "it is no directory",
                hint: "look what it is, and move it away")
        }
        // Of a user that is not there yet it cannot be.
        let owner = place.owner == nil ? 0 : facts.account?.uid
        guard entry.uid == owner else {
            throw JailError(
                .host, path: place.path,
                reason: "it belongs to uid \(entry.uid), and not to \(place.owner ?? "root")",
                hint: "look what is in it; then move it away, or: chown -R \(place.owner ?? "root") \(place.path)")
        }
        let excess = place.mode == 0o700 ? entry.mode & 0o7777 != 0o700 : entry.mode & 0o7022 != 0
        return excess
            ? .changeMode(path: place.path, mode: place.mode)
            : .there("\(place.path), of \(place.owner ?? "root"), mode \(SetupStep.octal(entry.mode & 0o7777))")
    }

    // MARK: Unit

    private static func unitSteps(
        _ unit: SetupRequest.Unit, _ facts: SetupFacts
    ) throws(JailError) -> [SetupStep] {
        let path = Self.path(of: unit)
        if let vendor = facts.vendorUnits[unit.fileName] {
            throw JailError(
                .host, path: vendor, reason: "the host has a service of that name already",
                hint: "take another name for yours")
        }
        var steps: [SetupStep] = []
        if let entry = facts.entries[path] {
            guard entry.kind == .file, entry.uid == 0 else {
                throw JailError(
                    .host, path: path,
                    reason: entry.kind == .symlink ? "it is a symlink" : "it is no file of root's",
                    hint: "look what it is, and move it away")
            }
            guard facts.unitTexts[unit.fileName]?.hasPrefix(SystemdUnit.mark) == true else {
                throw JailError(
                    .host, path: path, reason: "this unit was not written by clawjail",
                    hint: "move it away, or take another name for yours")
            }
        }
        steps.append(
            facts.unitTexts[unit.fileName] == unit.text
                ? .there("\(path), as it is to be") : .writeUnit(path: path, text: unit.text))
        return steps
    }

    private static func enabling(_ unit: SetupRequest.Unit, _ facts: SetupFacts) throws(JailError) -> SetupStep {
        guard !unit.isTemplate else {
            throw JailError(
                .usage, reason: "a template cannot be enabled, only an instance of it",
                hint: "systemctl enable \(unit.fileName.replacingInstance)")
        }
        return facts.enabled.contains(unit.fileName) ? .there("\(unit.fileName), enabled") : .enable(unit.fileName)
    }
}

extension SetupStep {
    fileprivate var isWriting: Bool { if case .writeUnit = self { true } else { false } }
}

extension String {
    /// `clawjail@.service` → `clawjail@NAME`.
    fileprivate var replacingInstance: String { "\(prefix { $0 != "@" })@NAME" }
}
