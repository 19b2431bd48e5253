import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

/// A host that exists on paper: what it says is all that the planner knows.
enum PaperHost {
    static let libraries = ["/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libm.so.6"]
    static let loader = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"

    /// A service manager that would give a scope.
    static func offer(controllers: Set<String> = ["memory", "pids", "cpu"]) -> ScopeOffer {
        ScopeOffer(manager: .user, socket: "/s", controllers: controllers, reason: "r")
    }

    /// With Landlock, time namespaces, cgroups v2, four processors, 8 GiB, and node.
    static func facts(_ change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        var facts = HostFacts()
        facts.kernelRelease = "6.12.0"
        facts.machine = "x86_64"
        facts.landlockABI = 7
        facts.hasTimeNamespaces = true
        facts.processors = 4
        facts.memory = 8 << 30
        facts.caller.uid = 1234
        facts.caller.gid = 1234
        facts.payload = HostIdentity(name: "ann", uid: 1234, gid: 1234)
        facts.cgroup = .v2(directory: "/sys/fs/cgroup/user.slice", controllers: ["memory", "pids", "cpu"])
        facts.appArmor = .available(confinement: nil)
        facts.certificates = "/etc/pki/tls/certs/ca-bundle.crt"
        facts.processorInfo = (0..<4).map { "processor\t: \($0)\nmodel name\t: Paper" }
        facts.stateDirectory = "/home/ann/.local/state/clawjail"
        facts.runtimeDirectory = "/run/user/1234/clawjail"
        facts.closure = closure()
        facts.egress = EgressFacts(
            program: "/usr/bin/clawjail-egress",
            file: SourceFacts(identity: identity("/usr/bin/clawjail-egress"), isDirectory: false), freeID: 61200)
        for name in ["null", "zero", "full", "random", "urandom", "tty"] { facts.add("/dev/\(name)") }
        facts.add("/usr/share/zoneinfo", isDirectory: true)
        facts.add("/etc/pki/tls/certs/ca-bundle.crt")
        change(&facts)
        return facts
    }

    static func closure() -> ProgramClosure {
        var closure = ProgramClosure()
        closure.commandPath = "/usr/bin/node"
        closure.commandArguments = ["--version"]
        closure.programs = [ResolvedProgram(name: "node", path: "/usr/bin/node", realPath: "/usr/bin/node")]
        closure.files = [file("/usr/bin/node", isExecutable: true)] + libraries.map { file($0) }
        closure.files.append(file(loader, isExecutable: true))
        closure.files.sort { $0.path < $1.path }
        closure.symlinks = [
            VisibleSymlink(path: "/bin", target: "usr/bin"),
            VisibleSymlink(path: "/lib64", target: "usr/lib/x86_64-linux-gnu"),
        ]
        return closure
    }

    static func file(_ path: String, isDirectory: Bool = false, isExecutable: Bool = false) -> VisibleFile {
        VisibleFile(path: path, identity: identity(path), isDirectory: isDirectory, isExecutable: isExecutable)
    }

    /// A number that only this path has.
    static func identity(_ path: String) -> FileIdentity {
        FileIdentity(device: 1, inode: path.utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) })
    }
}

extension HostFacts {
    mutating func add(_ path: String, isDirectory: Bool = false, specialFile: String? = nil) {
        sources[path] = SourceFacts(
            identity: PaperHost.identity(path), isDirectory: isDirectory, specialFile: specialFile)
    }
}

/// The profiles that are shipped.
enum Shipped {
    static let names = ["offline", "research", "session", "shell", "stateful"]
    private static let directory = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/profiles"

    static func load(_ name: String) throws -> Profile {
        // A checkout may be group-writable, and belongs to whoever made it; both are the loader's own tests.
        let copy = try TemporaryDirectory()
        for name in names {
            try copy.file(
                "\(name).json5", String(decoding: try System.readFile("\(directory)/\(name).json5"), as: UTF8.self))
        }
        return try ProfileLoader(directories: [copy.path], owners: [0, System.userID], home: nil).load(name)
    }
}

/// A profile that grants one program and nothing else.
func bare(_ change: (inout Profile) -> Void = { _ in }) -> Profile {
    var profile = Profile(name: "bare")
    profile.process.programs = [ProgramRule(name: "node")]
    change(&profile)
    return profile
}

func plan(
    _ profile: Profile, on facts: HostFacts = PaperHost.facts(), name: String = "jail",
    _ change: (inout LaunchRequest) -> Void = { _ in }
) throws(JailError) -> LaunchPlan {
    var request = LaunchRequest(name: name, arguments: ["node", "--version"], bootID: "b007-1d")
    change(&request)
    return try Planner.plan(profile, on: facts, for: request)
}

extension LaunchPlan {
    var binds: [BindPlan] { mounts.compactMap { if case .bind(let bind) = $0 { bind } else { nil } } }
    var tmpfs: [TmpfsPlan] { mounts.compactMap { if case .tmpfs(let tmpfs) = $0 { tmpfs } else { nil } } }
    func bind(at target: String) -> BindPlan? { binds.first { $0.target == target } }
    func cover(of path: String) -> String? {
        mounts.lazy.compactMap { if case .cover(path, let content) = $0 { content } else { nil } }.first
    }
    func file(_ path: String) -> String? {
        mounts.lazy.compactMap { if case .file(path, let content, _) = $0 { content } else { nil } }.first
    }
    func environment(_ name: String) -> String? {
        command.environment.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }
    func access(to path: String) -> [LandlockPlan.Rule.Access] {
        landlock?.rules.filter { $0.path == path }.map(\.access) ?? []
    }
}
