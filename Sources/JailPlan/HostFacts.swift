package import JailCore

/// What the host offers, gathered once before planning. The plan is a pure function of this and the profile.
package struct HostFacts: Equatable, Sendable {
    package var kernelRelease = ""
    /// As uname(2) says it: `x86_64`, `aarch64`.
    package var machine = ""
    /// 0 where there is no Landlock.
    package var landlockABI: Int32 = 0
    package var hasTimeNamespaces = false
    /// Processors that may run the caller.
    package var processors = 1
    /// Bytes of memory.
    package var memory: UInt64 = 0
    package var caller = CallerFacts()
    /// Who the payload will be on the host: the caller, or `process.user` if the caller is root.
    package var payload = HostIdentity(name: "", uid: 0, gid: 0)
    package var groups = GroupDrop.notNeeded
    package var cgroup = CgroupFacts.unavailable(reason: "not looked at")
    /// Looked at only for a profile that names an AppArmor profile.
    package var appArmor = AppArmorFacts.unavailable(reason: "not looked at")
    /// mkfs.ext4, if this process could mount what it makes; nil otherwise.
    package var imageMaker: String?
    package var closure = ProgramClosure()
    /// Programs that the supervisor starts outside the jail, canonical, by the name that the profile has for them.
    package var programs: [String: String] = [:]
    package var commands = CommandFacts()
    /// Everything that the plan may bind, by canonical host path. A path that is not here is not there.
    package var sources: [String: SourceFacts] = [:]
    /// The file of trusted CA certificates, canonical and among `sources`; nil where the host has none.
    package var certificates: String?
    /// Looked at only for a profile that allows something outside.
    package var egress: EgressFacts?
    /// What stands for commands inside. Looked at only for a profile that lists some.
    package var stub: OwnProgramFacts?
    /// The blocks of /proc/cpuinfo, one for each processor that the limit on cpus rounds up to, without the empty line
    /// between them.
    package var processorInfo: [String] = []
    /// clawjail's own lasting state: `$XDG_STATE_HOME/clawjail`, or `/var/lib/clawjail` for root.
    package var stateDirectory = ""
    /// What is running: `$XDG_RUNTIME_DIR/clawjail`, or `/run/clawjail` for root.
    package var runtimeDirectory = ""

    package init() {}
}

/// Who started clawjail.
package struct CallerFacts: Equatable, Sendable {
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var supplementaryGroups: [UInt32] = []
    package var isRoot: Bool { uid == 0 }

    package init() {}
}

/// A user of the host.
package struct HostIdentity: Equatable, Sendable {
    package var name: String
    package var uid: UInt32
    package var gid: UInt32

    package init(name: String, uid: UInt32, gid: UInt32) {
        self.name = name
        self.uid = uid
        self.gid = gid
    }
}

/// How the caller's supplementary groups are taken away. With a map of a single id the kernel denies setgroups(2).
package enum GroupDrop: Equatable, Sendable {
    /// There are none besides the primary group.
    case notNeeded
    /// The caller is root, whose maps leave setgroups(2) allowed.
    case byRoot
    /// By newgidmap(1), which maps one subordinate gid beside the caller's own.
    case byHelper(path: String, subordinateGroup: UInt32)
    case impossible(reason: String)
}

/// Where this process stands in the cgroup hierarchy, and whether it may make groups below.
package enum CgroupFacts: Equatable, Sendable {
    /// The unified hierarchy: the directory of our own cgroup, and the controllers that can be handed on below it.
    case v2(directory: String, controllers: Set<String>)
    /// The unified hierarchy, and our own cgroup is not for us to make groups in: the service manager gives another one.
    case scope(ScopeOffer)
    /// One directory for each controller that is mounted: `memory`, `pids`, `cpu`.
    case v1(directories: [String: String])
    case unavailable(reason: String)
}

/// A service manager that would give this process a scope, see systemd.scope(5).
package struct ScopeOffer: Equatable, Sendable {
    package enum Manager: String, Sendable { case user, system }

    package var manager: Manager
    /// The manager's own socket, which it alone listens on.
    package var socket: String
    /// Those that it can hand on.
    package var controllers: Set<String>
    /// Why our own cgroup will not do, on one line.
    package var reason: String

    package init(manager: Manager, socket: String, controllers: Set<String>, reason: String) {
        self.manager = manager
        self.socket = socket
        self.controllers = controllers
        self.reason = reason
    }
}

/// Whether commands can be put into the AppArmor profile that a profile names.
package enum AppArmorFacts: Equatable, Sendable {
    /// - Parameter remedy: what to do, if that is known.
    case unavailable(reason: String, remedy: String? = nil)
    /// - Parameter confinement: what clawjail itself is confined by; nil: by nothing.
    case available(confinement: String?)
}

/// A host path that may be bound.
package struct SourceFacts: Equatable, Sendable {
    package var identity: FileIdentity
    package var isDirectory: Bool
    package var owner: UInt32
    package var permissions: UInt32
    /// The first socket, FIFO or device found below (or at) the path, if it was looked for.
    package var specialFile: String?
    /// Given by somebody who has opened it: a jail that has this one made. What is in it that jail may have written.
    package var isGranted = false

    package init(
        identity: FileIdentity, isDirectory: Bool, owner: UInt32 = 0, permissions: UInt32 = 0o755,
        specialFile: String? = nil
    ) {
        self.identity = identity
        self.isDirectory = isDirectory
        self.owner = owner
        self.permissions = permissions
        self.specialFile = specialFile
    }
}

/// The listed programs and everything that they need to run.
package struct ProgramClosure: Equatable, Sendable {
    /// What is executed: the command's path inside the jail.
    package var commandPath = ""
    /// Where that leads from, and what executes it if it is a script: see ``CommandPlan``.
    package var commandRoot = "/"
    package var commandInterpreters: [String] = []
    package var programs: [ResolvedProgram] = []
    /// Files and directories shown read-only under their real host path, sorted, none inside another.
    package var files: [VisibleFile] = []
    /// Symlinks to be made as they are on the host (`/bin` → `usr/bin`, `python3` → `python3.11`).
    package var symlinks: [VisibleSymlink] = []
    /// Programs with a `?` that the host does not have.
    package var missing: [String] = []
    /// Programs of `commands` that run in the jail itself. What they need is among ``files``.
    package var commandPrograms: [CommandProgram] = []
    /// Of ``files``, what the jail's own command needs; nil: all of them.
    package var ownFiles: [VisibleFile]?
    /// The tree that the command's script comes from, if it is not among the programs.
    package var entry: VisibleFile?
    /// What follows the command's name, with the path of its script as it is inside the jail.
    package var commandArguments: [String] = []
    /// Only for a profile with sessions.
    package var launcher: LauncherFacts?
    /// What was brought along, or passed over, without the profile saying so: one line each, for people.
    package var notes: [String] = []

    package init() {}
}

package struct ResolvedProgram: Equatable, Sendable {
    /// As the profile says it.
    package var name: String
    /// Where PATH found it, before symlinks.
    package var path: String
    package var realPath: String

    package init(name: String, path: String, realPath: String) {
        self.name = name
        self.path = path
        self.realPath = realPath
    }
}

/// A program of `commands`.
package struct CommandProgram: Equatable, Sendable {
    /// As the rule says it.
    package var path: String
    package var realPath: String
    package var identity: FileIdentity

    package init(path: String, realPath: String, identity: FileIdentity) {
        self.path = path
        self.realPath = realPath
        self.identity = identity
    }
}

package struct VisibleFile: Hashable, Sendable {
    /// Canonical on the host, and the same inside.
    package var path: String
    package var identity: FileIdentity
    package var isDirectory: Bool
    /// May be executed: a program, or the dynamic loader.
    package var isExecutable: Bool

    package init(path: String, identity: FileIdentity, isDirectory: Bool, isExecutable: Bool) {
        self.path = path
        self.identity = identity
        self.isDirectory = isDirectory
        self.isExecutable = isExecutable
    }
}

package struct VisibleSymlink: Hashable, Sendable {
    package var path: String
    package var target: String

    package init(path: String, target: String) {
        self.path = path
        self.target = target
    }
}
