/// What a jail may do: a profile with its parents merged in, every value typed and checked. Pure data.
///
/// The defaults here are the least: a key that is absent grants nothing.
package struct Profile: Equatable, Sendable {
    /// The file's name without `.json5`.
    package var name: String
    package var summary = ""
    /// The files it was read from, the root of the `extends` chain first.
    package var files: [String] = []
    package var process = ProcessRules()
    package var filesystem = FilesystemRules()
    package var network = NetworkRules()
    package var secrets = SecretRules()
    package var canaries: [CanaryRule] = []
    package var commands = CommandRules()
    /// nil: no jail is made beside this one.
    package var sessions: SessionRules?
    /// nil: nobody asks what runs here how it is.
    package var health: HealthRules?
    package var restart = RestartRules()
    /// nil: nobody wants to hear of what happens.
    package var alerts: AlertRules?
    /// nil: nobody counts what is asked of providers of language models.
    package var spend: SpendRules?
    /// nil: nobody is asked, and what is not allowed is denied.
    package var approvals: ApprovalRules?
    package var limits = LimitRules()
    package var audit = AuditRules()
    /// Protections that may be left out where the host lacks them. What was left out is printed and recorded.
    package var optional: Set<OptionalProtection> = []

    package init(name: String) { self.name = name }
}

/// `process`: which programs may run, and as whom.
package struct ProcessRules: Equatable, Sendable {
    package var programs: [ProgramRule] = []
    /// Set for the command, in the order of the profile. Values are literal.
    package var environment: [EnvironmentVariable] = []
    /// Names whose values are passed on from the caller, if the caller has them.
    package var passEnvironment: [String] = []
    /// The host user that a jail started by root runs as: a name or a number. Required there, refused otherwise.
    package var user: String?
    /// Who the command is inside.
    package var inside = InsideIdentity()
    /// Absolute, inside the jail; nil: `/data`, else the workspace, else `/`.
    package var workingDirectory: String?
    package var hostName = "clawjail"
    /// Allows what a shell and its tools need beyond a single program: memfd_create without MFD_NOEXEC_SEAL, and
    /// execveat of a bare descriptor.
    package var shell = false
    /// System calls allowed beyond the built-in list, by name.
    package var systemCalls: [String] = []
    /// The AppArmor profile that commands are put into when they are executed; nil: they stay in that of whoever starts.
    package var appArmor: String?
    /// Before the command starts, the jail makes sure that its walls stand; one whose do not does not start.
    package var selfTest = false
    /// Shows a program inside that gives OpenClaw the placeholders of `secrets`.
    package var secretProvider = false
    /// How long a stopped command has until SIGKILL, in milliseconds.
    package var stopGrace: UInt64 = 30_000

    package init() {}
}

/// A program of `process.programs`: a bare name (`node`), an absolute path, or a directory (`/usr/bin/`) as a whole.
/// A trailing `?` says that it may be missing on the host.
package struct ProgramRule: Hashable, Sendable {
    package var name: String
    package var mayBeMissing: Bool
    package var isDirectory: Bool { name.hasSuffix("/") }

    package init(name: String, mayBeMissing: Bool = false) {
        self.name = name
        self.mayBeMissing = mayBeMissing
    }
}

package struct EnvironmentVariable: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// `process.inside`: the identity seen inside, whatever it is on the host.
package struct InsideIdentity: Equatable, Sendable {
    package var user = "claw"
    package var uid: UInt32 = 1000
    package var gid: UInt32 = 1000
    package var home = "/home/claw"

    package init() {}
}

/// `filesystem`: what is there.
package struct FilesystemRules: Equatable, Sendable {
    package var root = RootKind.minimal
    /// Host paths shown read-only.
    package var read: [BindRule] = []
    /// Host paths shown writable.
    package var write: [BindRule] = []
    /// Size of `/tmp`, in bytes; 0: no `/tmp`.
    package var tmp: UInt64 = 0
    /// Size of `/dev/shm`, in bytes; 0: none.
    package var sharedMemory: UInt64 = 0
    /// Size of the home directory, a tmpfs, in bytes; 0: the home directory is empty and read-only.
    package var home: UInt64 = 0
    /// A directory of the jail's own that outlives it.
    package var data: DataRule?
    /// How a host directory is shown at `/workspace`; `none` if the profile has none.
    package var workspace = WorkspaceAccess.none
    /// That directory on the host, which the command line may name instead.
    package var workspaceSource: String?
    /// Bytes that changes to be reviewed may take.
    package var reviewSize = FilesystemRules.usualReviewSize
    /// Programs may be executed from writable mounts.
    package var executeWritable = false

    package init() {}

    package static let usualReviewSize: UInt64 = 1 << 30

    /// Whether what is written to the workspace is kept apart from it.
    package var hasReview: Bool { workspace == .review && workspaceSource != nil }

    /// Whether the jail changes directories of the host's itself.
    package var writesToHost: Bool { !write.isEmpty || (workspace == .readWrite && workspaceSource != nil) }
}

package enum RootKind: Equatable, Sendable {
    /// Only the listed programs and what they need.
    case minimal
    /// The host's /usr and a filtered /etc, read-only.
    case host
    /// A prepared tree, read-only.
    case directory(String)
}

package enum WorkspaceAccess: String, CaseIterable, Sendable {
    case none, readOnly, readWrite
    /// Writable inside, and nothing of it reaches the directory before somebody has looked at it.
    case review
}

/// A host path and where it is shown.
package struct BindRule: Hashable, Sendable {
    package var source: String
    package var target: String
    /// Sockets, FIFOs and devices below the source are meant to be reachable.
    package var allowSpecialFiles = false

    package init(source: String, target: String, allowSpecialFiles: Bool = false) {
        self.source = source
        self.target = target
        self.allowSpecialFiles = allowSpecialFiles
    }
}

/// `filesystem.data`: state that outlives the jail.
package struct DataRule: Equatable, Sendable {
    /// In bytes.
    package var size: UInt64
    /// Inside the jail.
    package var target = "/data"
    /// On the host; nil: clawjail's own state directory, under the jail's name.
    package var source: String?
    /// Refuse to start where the size can only be watched.
    package var mustEnforceSize = false

    package init(size: UInt64) { self.size = size }
}

/// `limits`. nil: not limited (beyond what the host sets).
package struct LimitRules: Equatable, Sendable {
    /// Bytes of memory, page cache and tmpfs included.
    package var memory: UInt64?
    /// Bytes of swap on top of that.
    package var swap: UInt64 = 0
    /// Processes and threads.
    package var processes: UInt64?
    /// Thousandths of a processor: 1500 is one and a half.
    package var milliCPUs: UInt64?
    package var openFiles: UInt64 = 1024
    /// Bytes of the largest file that may be written.
    package var fileSize: UInt64?

    package init() {}
}

/// What `optional` may name.
package enum OptionalProtection: String, CaseIterable, Sendable {
    /// The Landlock wall, where the kernel has no (or too old a) Landlock.
    case landlock
    /// Dropping the caller's supplementary groups, where there are no subordinate gids.
    case groups
    /// Limits of memory, processes and cpu, where the user may not make cgroups.
    case cgroup
    /// The time namespace, where the kernel has none.
    case time
    /// The AppArmor profile, where there is no AppArmor, or the profile is not loaded.
    case apparmor
}
