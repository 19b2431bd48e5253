package import JailCore
package import JailPolicy

/// Everything that a launch will do, resolved: a pure value. After it is made, code only carries it out in order.
package struct LaunchPlan: Equatable, Sendable {
    /// Of the JSON form. Raised when a field changes its meaning or goes away.
    package static let formatVersion = 1

    /// Of the jail, unique among those running.
    package var name: String
    /// The jail that has this one made: it is unique among that one's, and ends with it.
    package var gateway: String?
    package var profile: String
    package var profileFiles: [String] = []
    package var command: CommandPlan
    package var identity: IdentityPlan
    package var namespaces: NamespacePlan
    /// In order. The new root is an empty tmpfs before the first step.
    package var mounts: [MountStep] = []
    package var limits: LimitPlan
    /// nil: left out, see ``leftOut``.
    package var landlock: LandlockPlan?
    /// What may be read, written and executed where, whether or not the kernel has a Landlock to enforce it.
    package var access: [LandlockPlan.Rule] = []
    /// nil: not asked for, or left out.
    package var appArmor: AppArmorPlan?
    package var seccomp: SeccompPlan
    /// Before the command starts, init makes sure that the walls stand.
    package var selfTest = false
    package var network: NetworkPlan
    package var data: DataPlan?
    /// nil: no workspace whose changes are kept apart.
    package var review: ReviewPlan?
    /// nil: none is made beside this jail.
    package var sessions: SessionsPlan?
    /// nil: this is no session.
    package var session: SessionPlan?
    /// nil: nobody asks the jail how it is.
    package var health: HealthRules?
    /// nil: its end is the end.
    package var restart: RestartRules?
    package var audit: AuditPlan
    /// nil: nobody wants to hear of what happens.
    package var alerts: AlertsPlan?
    /// Those that are files have a step of ``mounts`` each, which names them by their index.
    package var canaries: [CanaryPlan] = []
    /// nil: nobody is asked, and what is not allowed is denied.
    package var approvals: ApprovalsPlan?
    /// nil: none are run for programs of the jail.
    package var commands: CommandsPlan?
    package var leftOut: [LeftOut] = []
    /// What a reader should know besides: programs that are not installed, promises that are only watched.
    package var notes: [String] = []
    /// Milliseconds that a stopped command has until SIGKILL.
    package var stopGrace: UInt64
    package var runtimeDirectory: String
    package var stateDirectory: String
}

package struct CommandPlan: Equatable, Sendable {
    /// Inside the jail, absolute; empty if there is no command.
    package var path: String
    /// The directory of the host's that the path leads from: that of a prepared root, or `/`.
    package var root = "/"
    /// Of a script: the paths of what executes it.
    package var interpreters: [String] = []
    /// Empty: the jail has no command of its own. It waits for what is executed in it, until it is stopped.
    package var arguments: [String]
    /// `NAME=value`, the whole environment.
    package var environment: [String]
    package var workingDirectory: String
    /// A terminal of its own, relayed to the caller's.
    package var terminal: Bool
    /// 0o022, whatever the caller's was.
    package var fileModeMask: UInt32 = 0o022

    package var isNone: Bool { arguments.isEmpty }
}

package struct IdentityPlan: Equatable, Sendable {
    package var host: HostIdentity
    package var inside: InsideIdentity
    package var startedByRoot: Bool
    package var groups: GroupDrop
}

package struct NamespacePlan: Equatable, Sendable {
    /// Made by the clone: the user namespace, which owns all others, and pid, which only a new process can enter.
    package var cloned: NamespaceFlags = [.user, .pid]
    /// Made by init itself, while the supervisor prepares what lies outside: the network alone takes 0.5 ms.
    package var unshared: NamespaceFlags = [.mount, .network, .ipc, .uts]
    /// Made by init, entered by the command: its clocks start at zero.
    package var time: Bool
    package var hostName: String

    /// CLONE_NEW* of every one but time, as clone(2) numbers them.
    package var all: NamespaceFlags { cloned.union(unshared).union(.cgroup) }
}

package enum MountStep: Equatable, Sendable {
    /// An empty directory in the new root, for something to be mounted on or to be there.
    case directory(path: String, mode: UInt32)
    /// A file of the new root, generated.
    case file(path: String, content: String, mode: UInt32)
    /// A generated file of the payload's own that may be executed, and is read-only: its interpreter is shown as well.
    case script(path: String, content: String)
    /// A file whose content the way out gives. `covers`: it is laid over one that is there already.
    case trust(path: String, file: TrustFile, covers: Bool)
    case symlink(path: String, target: String)
    /// A host file or directory.
    case bind(BindPlan)
    /// A host directory with what the payload changes in it kept apart.
    case overlay(OverlayPlan)
    case tmpfs(TmpfsPlan)
    /// A fresh /proc, read-only and without other users' processes.
    case proc(path: String)
    /// Terminals of the jail's own.
    case devpts(path: String)
    /// A directory in a writable bind, on the way to a bind below: made if it is missing, and bound on itself. Otherwise the
    /// payload could rename it, and put something else in its place.
    case pin(path: String)
    /// A generated file laid over one of /proc's.
    case cover(path: String, content: String)
    /// A listening socket of the new root, whose other side is outside.
    case socket(path: String)
    /// A file of the jail's own whose content is made with the jail: a canary, by its index.
    case canary(path: String, index: Int)

    package var path: String {
        switch self {
        case .directory(let path, _), .file(let path, _, _), .symlink(let path, _), .proc(let path),
            .devpts(let path), .cover(let path, _), .script(let path, _), .trust(let path, _, _), .socket(let path),
            .pin(let path), .canary(let path, _):
            path
        case .bind(let bind): bind.target
        case .overlay(let overlay): overlay.target
        case .tmpfs(let tmpfs): tmpfs.target
        }
    }
}

package struct BindPlan: Equatable, Sendable {
    package enum Purpose: String, Sendable { case program, library, device, system, read, write, data, workspace }

    package var source: String
    package var target: String
    /// What was there when the plan was made. Anything else is refused.
    package var identity: FileIdentity
    package var isDirectory: Bool
    /// An empty file is made in the new root for it to be mounted on. Never below a directory of the host's.
    package var makesTarget: Bool
    package var attributes: MountAttributes
    package var purpose: Purpose
    /// Cloned while init has the ids of whoever started it: it lies below a directory that those of the payload may not
    /// pass.
    package var isGranted = false
}

package struct OverlayPlan: Equatable, Sendable {
    /// What lies below: shown, and never written to.
    package var source: String
    package var target: String
    /// Of the source, when the plan was made. Anything else is refused.
    package var identity: FileIdentity
    /// See ``BindPlan/isGranted``.
    package var isGranted = false
    /// A directory of clawjail's own, for what is changed.
    package var layer: String
    /// Of the layer, once the launch has it.
    package var layerIdentity = FileIdentity(device: 0, inode: 0)
    package var attributes: MountAttributes

    /// In the layer: what was changed, and what the kernel needs for that.
    package static let upper = "upper"
    package static let work = "work"
}

package struct TmpfsPlan: Equatable, Sendable {
    package var target: String
    /// Bytes.
    package var size: UInt64
    package var inodes: UInt64
    package var mode: UInt32
    package var attributes: MountAttributes
}

package struct LimitPlan: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var resource: Resource
        package var value: UInt64

        package init(resource: Resource, value: UInt64) {
            self.resource = resource
            self.value = value
        }
    }
    package var resources: [Entry]
    /// nil: no cgroup, either because nothing asks for one or because it was left out.
    package var cgroup: CgroupPlan?
}

/// A scope of the service manager's, with a delegated control group, that the supervisor has itself put into.
package struct ScopePlan: Equatable, Sendable {
    package var manager: ScopeOffer.Manager
    /// The manager's own socket.
    package var socket: String
    /// Of the unit, without the supervisor's process id and `.scope`.
    package var prefix: String
    /// What the manager shows to people.
    package var description: String

    /// The name of the unit for a supervisor: no other process has that number while it runs.
    package func unit(_ processID: Int32) -> String { "\(prefix)-\(processID).scope" }
}

/// A control group below the one that clawjail was started in, or below a scope of its own.
package struct CgroupPlan: Equatable, Sendable {
    package enum Place: Equatable, Sendable {
        /// Made below this directory of the unified hierarchy.
        case v2(parent: String)
        /// The unified hierarchy, below a scope that the launch asks the service manager for; `v2` once it has it.
        case scope(ScopePlan)
        /// Made below one directory for each controller.
        case v1(parents: [Controller: String])
    }
    package var isUnified: Bool { if case .v1 = place { false } else { true } }
    package enum Controller: String, CaseIterable, Sendable { case memory, pids, cpu }

    /// Controllers that the limits need.
    package var controllers: [Controller] {
        Controller.allCases.filter { controller in
            switch controller {
            case .memory: memory != nil
            case .pids: processes != nil
            case .cpu: milliCPUs != nil
            }
        }
    }

    /// On v2 the group beside the jails' that supervisors move into: one that hands controllers on may hold no process.
    package static let supervisors = "clawjail-supervisors"

    package var place: Place
    package var name: String
    package var memory: UInt64?
    package var swap: UInt64
    package var processes: UInt64?
    package var milliCPUs: UInt64?
}

/// The second wall around files, and the only one around ports, abstract sockets and signals.
package struct LandlockPlan: Equatable, Sendable {
    package struct Rule: Equatable, Sendable {
        package enum Access: String, Sendable {
            /// Read files and list directories.
            case read
            /// Read and execute.
            case execute
            /// Read, and change everything.
            case write
            /// Read, change and execute.
            case all
            /// Read and write what is there, make nothing: devices.
            case device
        }
        package var path: String
        package var access: Access
    }
    package var abi: Int32
    package var rules: [Rule]
    /// TCP ports that may be bound; nil: not handled.
    package var bindPorts: [UInt16]?
    /// Abstract UNIX sockets and signals of other domains are out of reach (ABI 6).
    package var scoped: Bool
}

/// A wall that the host's administrator writes: commands enter it when they are executed. It must be loaded already.
package struct AppArmorPlan: Equatable, Sendable {
    package var profile: String
    /// What clawjail itself is confined by, as the kernel says it; nil: by nothing. A confined process can only add a
    /// profile to its own, which stays in force beside it.
    package var confinement: String?

    package init(profile: String, confinement: String? = nil) {
        self.profile = profile
        self.confinement = confinement
    }
}

package struct SeccompPlan: Equatable, Sendable {
    /// Which of the filters that were compiled with the program.
    package enum Variant: String, CaseIterable, Sendable {
        /// For a fixed set of programs: no executable memory files, no execveat of a bare descriptor.
        case strict
        /// For a shell and its tools.
        case shell
    }
    package var variant: Variant
    /// Allowed beyond the variant, by name.
    package var additional: [String]
}

package struct NetworkPlan: Equatable, Sendable {
    package var publish: [PublishedPort]
    /// Where the placeholder of ports' token is inside, as OpenClaw reads it.
    package static let tokenVariable = "OPENCLAW_GATEWAY_TOKEN"
    /// nil: the profile allows nothing outside.
    package var egress: EgressPlan?
}

package struct DataPlan: Equatable, Sendable {
    package enum Enforcement: Equatable, Sendable {
        /// The supervisor looks, and ends the jail when it is over.
        case watched
        /// A file system of that size in a file, made with this mkfs.ext4: a write beyond it fails.
        case image(mkfs: String)
    }

    /// The directory, or the image.
    package var source: String
    package var target: String
    package var size: UInt64
    package var enforcement = Enforcement.watched
    /// Made by the launch if it is not there yet.
    package var isOwn: Bool
}

/// A workspace whose changes are kept apart until somebody has looked at them.
package struct ReviewPlan: Equatable, Sendable {
    /// On the host.
    package var source: String
    package var target: String
    /// Of clawjail's own: the layer, and what the source was like when it was last looked at.
    package var directory: String
    /// Bytes that what is changed may take. The supervisor looks, and ends the jail when it is over.
    package var size: UInt64

    package var layer: String { "\(directory)/\(Self.layerName)" }

    package static let layerName = "layer"
    /// Below the state directory.
    package static let directoryName = "changes"
}

/// A jail that was made for what is executed in it: the sandbox of one chat.
package struct SessionPlan: Equatable, Sendable {
    package struct Label: Equatable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
    /// What it was asked for, as JSON: another request of the same name with the same text means this one.
    package var configuration: String
    /// For whoever asked; without a meaning here.
    package var labels: [Label]

    package init(configuration: String, labels: [Label] = []) {
        self.configuration = configuration
        self.labels = labels
    }
}

/// A protection that the profile says may be missing, and is.
package struct LeftOut: Equatable, Sendable {
    package var protection: OptionalProtection
    package var reason: String
}

/// A file system of the jail's whose size the kernel limits.
package struct SizedFileSystem: Equatable, Sendable {
    package var path: String
    /// Bytes.
    package var size: UInt64
    package var isData: Bool
}

extension LaunchPlan {
    /// Below the state directory: what jails have spent.
    package static let spendDirectory = "spend"

    /// Where groups of jails meet: of a session, above the directory of the jail that has had it made.
    package var groupDirectory: String {
        gateway == nil ? runtimeDirectory : runtimeDirectory.parentPath.parentPath
    }

    /// In the order of the steps.
    package var sizedFileSystems: [SizedFileSystem] {
        mounts.compactMap { step in
            switch step {
            case .tmpfs(let tmpfs): SizedFileSystem(path: tmpfs.target, size: tmpfs.size, isData: false)
            case .bind(let bind) where bind.purpose == .data:
                data.flatMap {
                    $0.enforcement == .watched ? nil : SizedFileSystem(path: bind.target, size: $0.size, isData: true)
                }
            default: nil
            }
        }
    }
}
