import JailCore
import JailDecision
import JailPlan
import JailPolicy

/// A host that exists on paper.
struct PaperHost: HostView {
    var entries: [String: HostEntry] = [:]
    var interpreters: [String: Interpreter] = [:]
    var programs: [String: String] = [:]
    var refusals: [String: String] = [:]
    var keptGroups: [UInt32] = []

    /// Its directories come with it.
    mutating func add(
        _ path: String, _ kind: FileStatus.Kind = .regular, _ mode: UInt32 = 0o644, uid: UInt32 = 0, gid: UInt32 = 0
    ) {
        var parent = path.parentPath
        while true {
            if entries[parent] == nil { entries[parent] = Self.file(parent, .directory, 0o755, 0, 0) }
            if parent == "/" { break }
            parent = parent.parentPath
        }
        entries[path] = Self.file(path, kind, mode, uid, gid)
    }

    mutating func add(link path: String, to target: String) {
        add(path)
        entries[path] = .symlink(target)
    }

    mutating func add(program path: String, _ interpreter: Interpreter = .none) {
        add(path, .regular, 0o755)
        interpreters[path] = interpreter
    }

    static func identity(_ path: String) -> FileIdentity {
        FileIdentity(device: 1, inode: path.utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) })
    }

    private static func file(
        _ path: String, _ kind: FileStatus.Kind, _ mode: UInt32, _ uid: UInt32, _ gid: UInt32
    ) -> HostEntry {
        .file(HostFile(identity: identity(path), kind: kind, mode: mode, uid: uid, gid: gid))
    }

    func look(_ path: String) -> HostEntry { entries[path] ?? .missing }
    func refusal(of path: String, writable: Bool) -> String? { refusals[path] }
    func interpreter(of path: String) -> Interpreter { interpreters[path] ?? .unknown }
    func find(program: String) -> String? { programs[program] }
}

/// A plan for a profile on a host that has /usr/bin/node and its loader, and what is added to it.
struct Setting {
    var profile = Profile(name: "test")
    var host = PaperHost()
    var facts = HostFacts()
    static let loader = "/usr/lib/ld.so"

    init() {
        profile.process.programs = [ProgramRule(name: "node")]
        profile.filesystem.tmp = 64 << 20
        facts.landlockABI = 7
        facts.hasTimeNamespaces = true
        facts.caller.uid = 1234
        facts.caller.gid = 1234
        facts.payload = HostIdentity(name: "ann", uid: 1234, gid: 1234)
        facts.memory = 8 << 30
        facts.stateDirectory = "/home/ann/.local/state/clawjail"
        facts.runtimeDirectory = "/run/user/1234/clawjail"
        host.add(program: "/usr/bin/node", .loader(Self.loader))
        host.add(program: Self.loader)
        facts.closure.programs = [ResolvedProgram(name: "node", path: "/usr/bin/node", realPath: "/usr/bin/node")]
        facts.closure.symlinks = [VisibleSymlink(path: "/bin", target: "usr/bin")]
        facts.closure.files = ["/usr/bin/node", Self.loader].map {
            VisibleFile(path: $0, identity: PaperHost.identity($0), isDirectory: false, isExecutable: true)
        }
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            source("/dev/\(name)", .characterDevice, 0o666)
        }
    }

    /// Something of the host's that the plan may show.
    mutating func source(
        _ path: String, _ kind: FileStatus.Kind = .regular, _ mode: UInt32 = 0o644, uid: UInt32 = 0
    ) {
        host.add(path, kind, mode, uid: uid)
        facts.sources[path] = SourceFacts(
            identity: PaperHost.identity(path), isDirectory: kind == .directory, owner: uid, permissions: mode,
            specialFile: kind == .socket ? path : nil)
    }

    func decisions(_ change: (inout LaunchPlan) -> Void = { _ in }) throws(JailError) -> JailDecisions {
        let request = LaunchRequest(name: "jail", arguments: ["node"], bootID: "b007")
        var plan = try Planner.plan(profile, on: facts, for: request)
        change(&plan)
        return JailDecisions(plan, of: profile, host: host)
    }
}
