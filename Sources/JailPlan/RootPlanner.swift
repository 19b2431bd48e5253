internal import JailCore
internal import JailPolicy

/// The file tree: which steps make it, and which Landlock rules go with them.
struct RootPlanner {
    let profile: Profile
    let facts: HostFacts
    let request: LaunchRequest
    let data: DataPlan?
    let review: ReviewPlan?
    let egress: EgressPlan?

    private(set) var steps: [MountStep] = []
    var landlockRules: [LandlockPlan.Rule] = []
    /// Paths that are there already: directories, symlinks and mounted files.
    private(set) var made: Set<String> = ["/"]
    /// Directories that were bound as a whole: what is below them is theirs.
    private var bound: [String] = []

    /// Where the files of ``TrustFile`` are inside, for the command's environment.
    private(set) var trustFiles: [TrustFile: String] = [:]
    var canaries: [CanaryPlan] = []
    /// Where clawjail itself is inside, if there are sessions to ask for.
    private(set) var launcher: String?
    /// What stands for commands, see ``CommandsPlan/stubs``.
    var stubs: [String] = []

    init(
        profile: Profile, facts: HostFacts, request: LaunchRequest, data: DataPlan?, review: ReviewPlan?,
        egress: EgressPlan?
    ) {
        self.profile = profile
        self.facts = facts
        self.request = request
        self.data = data
        self.review = review
        self.egress = egress
    }

    /// System first, then what the profile grants: a later step may lie inside an earlier one, never the other way round.
    mutating func make() throws(JailError) -> [MountStep] {
        landlockRules.append(.init(path: "/", access: .read))
        if case .directory(let root) = profile.filesystem.root { addPreparedRoot(root) }
        addPrograms(inScratch: false)
        try addSystemFiles()
        addGeneratedFiles()
        addTrustFiles()
        try addSessions()
        try addCommands()
        try addSecretProvider()
        try addDevices()
        addProc()
        addScratch()
        // What lies below /tmp on the host would be hidden by the jail's own.
        addPrograms(inScratch: true)
        try addBinds()
        try addData()
        try addCanaries()
        return steps
    }

    // MARK: Programs and libraries

    private mutating func addPrograms(inScratch: Bool) {
        // Programs of a directory that is shown as a whole have helpers and loaders in others, which nobody has listed.
        let showsDirectories = profile.process.programs.contains(where: \.isDirectory)
        for file in facts.closure.files where isInScratch(file.path) == inScratch {
            bind(
                file, purpose: file.isExecutable ? .program : .library,
                isExecutable: file.isExecutable || (showsDirectories && file.isDirectory))
        }
        if let entry = facts.closure.entry, isInScratch(entry.path) == inScratch {
            bind(entry, purpose: .program, isExecutable: entry.isExecutable)
        }
        // A script in a package's tree is a program of its own, and the tree around it is not.
        for path in facts.closure.programs.map(\.realPath) + facts.closure.commandPrograms.map(\.realPath)
        where isInScratch(path) == inScratch && !mayExecute(path) {
            landlockRules.append(.init(path: path, access: .execute))
        }
        for symlink in facts.closure.symlinks
        where isInScratch(symlink.path) == inScratch && !isBelowBound(symlink.path) && !made.contains(symlink.path) {
            addParents(of: symlink.path)
            steps.append(.symlink(path: symlink.path, target: symlink.target))
            made.insert(symlink.path)
        }
    }

    /// The entries of a prepared tree, one by one: so that mount points can stand beside them.
    private mutating func addPreparedRoot(_ root: String) {
        for (path, source) in facts.sources.sorted(by: { $0.key < $1.key }) where path.parentPath == root {
            let target = "/" + path.remainder(below: root)
            addBind(
                source: path, target: target, identity: source.identity, isDirectory: source.isDirectory,
                attributes: [.readOnly, .noSetuid, .noDevices], purpose: .system)
            landlockRules.append(.init(path: target, access: .execute))
        }
    }

    private mutating func bind(_ file: VisibleFile, purpose: BindPlan.Purpose, isExecutable: Bool) {
        guard !isBelowBound(file.path), !made.contains(file.path) else { return }
        addBind(
            source: file.path, target: file.path, identity: file.identity, isDirectory: file.isDirectory,
            attributes: [.readOnly, .noSetuid, .noDevices], purpose: purpose)
        if isExecutable { landlockRules.append(.init(path: file.path, access: .execute)) }
    }

    // MARK: Asking for sessions

    /// clawjail itself as a program, and the socket that it speaks to. Where /usr/bin is the host's, nothing can be added
    /// to it; /run is always the jail's own.
    private mutating func addSessions() throws(JailError) {
        guard profile.sessions != nil else { return }
        launcher = try showLauncher()
        addParents(of: SessionsPlan.socket)
        steps.append(.socket(path: SessionsPlan.socket))
        made.insert(SessionsPlan.socket)
    }

    /// - Returns: where clawjail itself is inside.
    private mutating func showLauncher() throws(JailError) -> String {
        guard let facts = facts.closure.launcher else {
            throw JailError(.host, path: "/proc/self/exe", reason: "clawjail does not find itself")
        }
        if let launcher { return launcher }
        var path = SessionsPlan.usualProgram
        if made.contains(path) ? facts.path != path : isBelowBound(path) && !facts.isInUsualPlace {
            path = "/run/clawjail/bin/clawjail"
        }
        if !made.contains(path) {
            addBind(
                source: facts.path, target: path, identity: facts.identity, isDirectory: false,
                attributes: [.readOnly, .noSetuid, .noDevices], purpose: .program)
        }
        if !mayExecute(path) { landlockRules.append(.init(path: path, access: .execute)) }
        return path
    }

    /// The program is a line that names clawjail: what is the host's belongs to nobody inside, and OpenClaw takes only
    /// what is its user's own.
    private mutating func addSecretProvider() throws(JailError) {
        guard profile.process.secretProvider else { return }
        let program = try showLauncher()
        addParents(of: PlaceholderFile.path)
        steps.append(.file(path: PlaceholderFile.path, content: PlaceholderFile.content([]), mode: 0o400))
        addParents(of: PlaceholderFile.program)
        steps.append(.script(path: PlaceholderFile.program, content: "#!\(program) \(PlaceholderFile.word)\n"))
        landlockRules.append(.init(path: PlaceholderFile.program, access: .execute))
        made.formUnion([PlaceholderFile.path, PlaceholderFile.program])
    }

    // MARK: The system's own files

    private mutating func addSystemFiles() throws(JailError) {
        let zones = "/usr/share/zoneinfo"
        var files = [(zones, zones)]
        // Under Debian's name, wherever the host keeps it.
        if egress == nil, let certificates = facts.certificates {
            files.append((certificates, "/etc/ssl/certs/ca-certificates.crt"))
        }
        for (path, target) in files where !isBelowBound(target) {
            guard let source = facts.sources[path] else { continue }
            addBind(
                source: path, target: target, identity: source.identity, isDirectory: source.isDirectory,
                attributes: [.readOnly, .noSetuid, .noDevices, .noExec], purpose: .system)
        }
    }

    /// The host's bundle under Debian's name, with the jail's CA in it. Where that directory is the host's (or of a
    /// prepared root), only what is there already can be covered, and the environment names files of our own.
    private mutating func addTrustFiles() {
        guard let egress else { return }
        let usual = "/etc/ssl/certs"
        let usualBundle = usual + "/ca-certificates.crt"
        let isOurs = !isBelowBound(usualBundle)
        let directory = isOurs ? usual : "/run/clawjail"
        var files: [(TrustFile, String)] = [
            (.bundle, directory + "/ca-certificates.crt"), (.authority, directory + "/clawjail-ca.pem"),
        ]
        if egress.wantsJavaTrustStore { files.append((.java, directory + "/java/cacerts")) }
        for (file, path) in files {
            addParents(of: path)
            steps.append(.trust(path: path, file: file, covers: false))
            made.insert(path)
            trustFiles[file] = path
        }
        if !isOurs, facts.certificates == usualBundle {
            steps.append(.trust(path: usualBundle, file: .bundle, covers: true))
        }
    }

    private mutating func addGeneratedFiles() {
        let inside = profile.process.inside
        let shell = profile.process.shell ? "/bin/sh" : "/usr/sbin/nologin"
        let files: [(String, String)] = [
            (
                "/etc/passwd",
                "\(inside.user):x:\(inside.uid):\(inside.gid)::\(inside.home):\(shell)\n"
                    + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            ),
            ("/etc/group", "\(inside.user):x:\(inside.gid):\nnogroup:x:65534:\n"),
            ("/etc/hostname", profile.process.hostName + "\n"),
            (
                "/etc/hosts",
                "127.0.0.1 localhost \(profile.process.hostName)\n::1 localhost ip6-localhost ip6-loopback\n"
            ),
            ("/etc/resolv.conf", resolvConf),
            ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ]
        for (path, content) in files where !made.contains(path) && !isBelowBound(path) {
            addParents(of: path)
            steps.append(.file(path: path, content: content, mode: 0o444))
            made.insert(path)
        }
        // Of a prepared root all of /etc is shown as it is, and its resolv.conf would ask servers that are not there.
        if egress != nil, isBelowBound("/etc/resolv.conf") {
            steps.append(.cover(path: "/etc/resolv.conf", content: resolvConf))
        }
        for (path, target) in [("/var/tmp", "/tmp"), ("/var/run", "/run")]
        where !made.contains(path) && !isBelowBound(path) {
            addParents(of: path)
            steps.append(.symlink(path: path, target: target))
            made.insert(path)
        }
        addDirectory("/run")
    }

    private var resolvConf: String {
        egress == nil
            ? "# No name server: this jail has no way out.\n" : "nameserver \(EgressPlan.addressText)\n"
    }

    // MARK: Devices, /proc, tmpfs

    static let devices = ["null", "zero", "full", "random", "urandom", "tty"]

    private mutating func addDevices() throws(JailError) {
        for name in Self.devices {
            let path = "/dev/\(name)"
            guard let source = facts.sources[path] else {
                throw JailError(.host, path: path, reason: "the host does not have this device")
            }
            addBind(
                source: path, target: path, identity: source.identity, isDirectory: false,
                attributes: [.readOnly, .noSetuid, .noExec], purpose: .device)
            landlockRules.append(.init(path: path, access: .device))
        }
        addDirectory("/dev/pts")
        steps.append(.devpts(path: "/dev/pts"))
        landlockRules.append(.init(path: "/dev/pts", access: .device))
        let links = [
            ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ]
        for (name, target) in links { steps.append(.symlink(path: "/dev/\(name)", target: target)) }
    }

    private mutating func addProc() {
        addDirectory("/proc")
        steps.append(.proc(path: "/proc"))
        for (path, content) in ProcFiles(profile: profile, facts: facts, bootID: request.bootID).all {
            steps.append(.cover(path: path, content: content))
        }
    }

    private mutating func addScratch() {
        let filesystem = profile.filesystem
        addTmpfs("/tmp", size: filesystem.tmp, mode: 0o1777)
        addTmpfs("/dev/shm", size: filesystem.sharedMemory, mode: 0o1777)
        if filesystem.home > 0 {
            addTmpfs(profile.process.inside.home, size: filesystem.home, mode: 0o700)
        } else {
            addDirectory(profile.process.inside.home)
        }
    }

    private func isInScratch(_ path: String) -> Bool {
        ["/tmp", "/dev/shm", profile.process.inside.home].contains { path.isBelow($0) }
    }

    private mutating func addTmpfs(_ path: String, size: UInt64, mode: UInt32) {
        addDirectory(path)
        guard size > 0 else { return }
        steps.append(
            .tmpfs(
                TmpfsPlan(
                    target: path, size: size, inodes: max(1024, size / 4096), mode: mode,
                    attributes: writableAttributes)))
        landlockRules.append(.init(path: path, access: writableAccess))
    }

    private var writableAttributes: MountAttributes {
        profile.filesystem.executeWritable ? [.noSetuid, .noDevices] : [.noSetuid, .noDevices, .noExec]
    }
    private var writableAccess: LandlockPlan.Rule.Access { profile.filesystem.executeWritable ? .all : .write }

    // MARK: What the profile grants

    private mutating func addBinds() throws(JailError) {
        var rules =
            profile.filesystem.read.map { ($0, false) } + profile.filesystem.write.map { ($0, true) }
        if let workspace = profile.filesystem.workspaceSource {
            rules.append(
                (BindRule(source: workspace, target: "/workspace"), profile.filesystem.workspace == .readWrite))
        }
        // Shorter targets first: a mount below another must come after it.
        for (rule, writable) in rules.sorted(by: { $0.0.target.utf8.count < $1.0.target.utf8.count }) {
            let source = try source(rule.source)
            let isReview = review != nil && rule.target == "/workspace"
            if let special = source.specialFile, !rule.allowSpecialFiles {
                throw JailError(
                    .host, path: special,
                    reason: "a socket, FIFO or device lies in a directory that the jail would see",
                    hint:
                        "remove it ('\(special.printable)'): read-only does not stop a connection to it; to show it on "
                        + "purpose: "
                        + "{ source: \"\(rule.source)\", specialFiles: true }")
            }
            try checkPlace(of: rule)
            // Data is not a program: the dynamic loader runs whatever it can map, listed or not. And what is writable
            // under another path is not to be executed under this one.
            let isAlias =
                !writable && !profile.filesystem.executeWritable && (source.isGranted || isWritableElsewhere(rule))
            var attributes: MountAttributes = [.readOnly, .noSetuid, .noDevices]
            if isAlias || !profile.process.shell { attributes.insert(.noExec) }
            if isReview {
                try addReview(source, rule)
                continue
            }
            addBind(
                source: rule.source, target: rule.target, identity: source.identity, isDirectory: source.isDirectory,
                attributes: writable ? writableAttributes : attributes,
                purpose: rule.target == "/workspace" ? .workspace : writable ? .write : .read,
                isGranted: source.isGranted)
            if writable {
                landlockRules.append(.init(path: rule.target, access: writableAccess))
            } else if profile.process.shell, !isAlias {
                landlockRules.append(.init(path: rule.target, access: .execute))
            }
        }
    }

    /// What is written there is as good as what is written anywhere: it is executed where that may be.
    private mutating func addReview(_ source: SourceFacts, _ rule: BindRule) throws(JailError) {
        guard let review else { return }
        guard source.isDirectory else {
            throw JailError(
                .host, path: rule.source, reason: "it is not a directory, and its changes are to be reviewed")
        }
        guard !isBelowBound(rule.target) else {
            throw JailError(
                .plan, path: rule.target, reason: "it lies in a directory of the host's",
                hint: "a workspace of mode \"review\" needs a root of the jail's own")
        }
        addDirectory(rule.target)
        steps.append(
            .overlay(
                OverlayPlan(
                    source: rule.source, target: rule.target, identity: source.identity, isGranted: source.isGranted,
                    layer: review.layer, attributes: writableAttributes)))
        bound.append(rule.target)
        landlockRules.append(.init(path: rule.target, access: writableAccess))
    }

    /// Whether the jail may write to what a read-only grant shows, or to something below it. Not so where the one lies
    /// on the other inside as it does outside: then the mount that lies on top hides what is under it.
    private func isWritableElsewhere(_ rule: BindRule) -> Bool {
        var grants = profile.filesystem.write
        if let workspace = profile.filesystem.workspaceSource, profile.filesystem.workspace == .readWrite {
            grants.append(BindRule(source: workspace, target: "/workspace"))
        }
        if let data { grants.append(BindRule(source: data.source, target: data.target)) }
        func covers(_ upper: BindRule, _ lower: BindRule) -> Bool {
            upper.target == (lower.target == "/" ? "" : lower.target) + "/"
                + upper.source.remainder(below: lower.source)
        }
        return grants.contains { grant in
            if grant.source.isBelow(rule.source) { return !covers(grant, rule) }
            if rule.source.isBelow(grant.source) { return !covers(rule, grant) }
            return grant.source == rule.source
        }
    }

    private mutating func addData() throws(JailError) {
        guard let data else { return }
        // A directory of clawjail's own may not exist yet; the launch makes it, and records which one it made.
        let identity = facts.sources[data.source]?.identity ?? FileIdentity(device: 0, inode: 0)
        if !data.isOwn, let special = try source(data.source).specialFile {
            throw JailError(
                .host, path: special, reason: "a socket, FIFO or device lies in the data directory",
                hint: "remove it: nothing outside may be reached through it")
        }
        try checkPlace(of: BindRule(source: data.source, target: data.target))
        addBind(
            source: data.source, target: data.target, identity: identity, isDirectory: true,
            attributes: writableAttributes, purpose: .data)
        landlockRules.append(.init(path: data.target, access: writableAccess))
    }

    private func checkPlace(of rule: BindRule) throws(JailError) {
        guard mayBeCovered(by: rule) else {
            let isStub = stubs.contains { $0.isInside(rule.target) }
            throw JailError(
                .plan, path: rule.target, reason: "something else is shown there already",
                hint: isStub ? "show it elsewhere: what stands for the commands of the profile is there" : nil)
        }
    }

    private func source(_ path: String) throws(JailError) -> SourceFacts {
        guard let source = facts.sources[path] else {
            throw JailError(
                .host, path: path, reason: "it is not there", hint: "make it, or take it out of the profile")
        }
        return source
    }

    // MARK: Steps

    mutating func addBind(
        source: String, target: String, identity: FileIdentity, isDirectory: Bool, attributes: MountAttributes,
        purpose: BindPlan.Purpose, isGranted: Bool = false
    ) {
        // Below a directory that was bound the target must be there already: nothing is made in what is the host's.
        if !isBelowBound(target) {
            if isDirectory { addDirectory(target) } else { addParents(of: target) }
        }
        for path in writablePath(to: target, includingIt: isDirectory) where !made.contains(path) {
            steps.append(.pin(path: path))
            made.insert(path)
        }
        steps.append(
            .bind(
                BindPlan(
                    source: source, target: target, identity: identity, isDirectory: isDirectory,
                    makesTarget: !isDirectory && !isBelowBound(target),
                    attributes: attributes,
                    purpose: purpose, isGranted: isGranted)))
        made.insert(target)
        if isDirectory { bound.append(target) }
    }

    mutating func add(_ step: MountStep) {
        steps.append(step)
        made.insert(step.path)
    }

    private mutating func addDirectory(_ path: String) {
        guard !made.contains(path), !isBelowBound(path) else { return }
        addParents(of: path)
        steps.append(.directory(path: path, mode: 0o755))
        made.insert(path)
    }

    mutating func addParents(of path: String) {
        let parent = path.parentPath
        if !made.contains(parent) { addDirectory(parent) }
    }

    func isBelowBound(_ path: String) -> Bool { bound.contains { path.isBelow($0) } }

    /// The directories between a bind that the payload may write to and what is to be bound below it.
    private func writablePath(to target: String, includingIt: Bool) -> [String] {
        let around = steps.compactMap { (step) -> (target: String, attributes: MountAttributes)? in
            switch step {
            case .bind(let bind) where bind.isDirectory && target.isBelow(bind.target): (bind.target, bind.attributes)
            case .overlay(let overlay) where target.isBelow(overlay.target): (overlay.target, overlay.attributes)
            default: nil
            }
        }
        guard let nearest = around.max(by: { $0.target.utf8.count < $1.target.utf8.count }),
            !nearest.attributes.contains(.readOnly)
        else { return [] }
        var path = includingIt ? target : target.parentPath
        var result: [String] = []
        while path.isBelow(nearest.target) {
            result.insert(path, at: 0)
            path = path.parentPath
        }
        return result
    }

    private func mayExecute(_ path: String) -> Bool {
        landlockRules.contains { $0.access == .execute && ($0.path == path || path.isBelow($0.path)) }
    }

    /// A grant may lie where nothing is, or on a directory that nothing was mounted on. What is shown below it already must be what the
    /// grant shows there as well: a host directory under its own name, over files of it.
    private func mayBeCovered(by rule: BindRule) -> Bool {
        steps.allSatisfy { step in
            guard step.path == rule.target || step.path.isBelow(rule.target) else { return true }
            switch step {
            case .directory: return true
            case .bind(let bind):
                return bind.target != rule.target && bind.source == bind.target && rule.source == rule.target
            case .symlink: return step.path != rule.target && rule.source == rule.target
            case .file, .script, .trust, .tmpfs, .overlay, .proc, .devpts, .cover, .socket, .pin, .canary: return false
            }
        }
    }
}

extension String {
    /// Whether the path lies inside a directory: `/usr/bin/node` is below `/usr/bin`, and not below `/usr/b`.
    ///
    /// By bytes, as the kernel compares names: to Swift two spellings of the same character are equal.
    package func isBelow(_ directory: String) -> Bool {
        if directory == "/" { return utf8.count > 1 }
        let rest = utf8.dropFirst(directory.utf8.count)
        return utf8.starts(with: directory.utf8) && rest.count > 1 && rest.first == UInt8(ascii: "/")
    }

    /// What follows a directory that the path lies below, without the slash; by bytes, too.
    package func remainder(below directory: String) -> String {
        String(Substring(utf8.dropFirst(directory == "/" ? 1 : directory.utf8.count + 1)))
    }
}
