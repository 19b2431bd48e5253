internal import AuditLog
internal import JailCore
internal import JailHost

/// Which processes are gateways, and what can be seen of them.
extension HostPicture {
    /// What a process's own variables say of where things are. Never printed.
    struct Surroundings {
        var uid: UInt32
        var stateDirectory: String?
        var configuration: String?
        var searchPath: String?
    }

    private static let mostProcesses = 65_536
    /// `openclaw-gateway`, as the kernel cuts it.
    private static let shortName = "openclaw-gatewa"

    mutating func gatherProcesses(_ view: HostView) {
        let pids = (view.names("/proc", limit: Self.mostProcesses) ?? []).compactMap { Int32($0) }.sorted()
        let supervisors = Set(jails.map(\.supervisor))
        let ownNetwork = view.link("/proc/self/ns/net")
        for pid in pids where !supervisors.contains(pid) {
            let files = ProcessFiles(view: view, pid: pid)
            guard let name = files.name else { continue }
            let words = files.words
            guard Self.isGateway(name, words) else { continue }
            add(files, title: Self.title(name, words), words)
        }
        for index in jails.indices {
            let files = ProcessFiles(view: view, pid: jails[index].supervisor)
            guard let sockets = files.sockets else { continue }
            jails[index].listeners = files.listeners.filter { sockets.contains($0.inode) }
        }
        gatherStrangers(view, pids, ownNetwork)
    }

    static func isGateway(_ name: String, _ words: [String]) -> Bool {
        if name == shortName { return true }
        guard let program = words.first?.lastComponent else { return false }
        if program == "openclaw-gateway" || program.hasPrefix("openclaw-gateway ") { return true }
        guard isInterpreter(program) || program == "openclaw" else { return false }
        return words.contains("gateway") && words.prefix(9).contains(where: isEntry)
    }

    private static func title(_ name: String, _ words: [String]) -> String {
        let own = "openclaw-gateway"
        return name == shortName || words.first?.lastComponent.hasPrefix(own) == true ? own : name
    }

    private static func isInterpreter(_ program: String) -> Bool { ["node", "nodejs", "bun"].contains(program) }

    private static func isEntry(_ word: String) -> Bool {
        ["openclaw", "openclaw.mjs", "openclaw.js"].contains(word.lastComponent) || word.contains("/openclaw/dist/")
    }

    // MARK: One process

    private mutating func add(_ files: ProcessFiles, title: String, _ words: [String]) {
        let view = files.view
        let status = files.status
        guard let uid = status["Uid"]?.split(separator: "\t").dropFirst().first.flatMap({ UInt32($0) }) else { return }
        var gateway = GatewayView(pid: files.pid, title: title.printable)
        gateway.uid = uid
        let gids = (status["Gid"] ?? "").split(separator: "\t").dropFirst().prefix(1)
        gateway.gids = (gids + (status["Groups"] ?? "").split(separator: " ")).compactMap { UInt32($0) }
        gateway.hasNoNewPrivileges = status["NoNewPrivs"].map { $0 == "1" }
        gateway.seccompMode = status["Seccomp"].flatMap { UInt32($0) }
        gateway.capabilities = status["CapEff"].flatMap { UInt64($0, radix: 16) }
        gateway.isNested = (status["NSpid"] ?? "").split(separator: "\t").count > 1
        if let own = view.text("/proc/self/uid_map", isQuiet: true), let its = files.text("uid_map") {
            gateway.hasOwnUserNamespace = own != its
        }
        gateway.cgroup = files.text("cgroup") ?? ""
        gateway.ancestors = ancestors(of: files)
        gateway.appArmor = files.text("attr/current").map { String($0.prefix { $0 != "\n" && $0 != "\0" }) }
        gateway.dumpsCore = dumpsCore(files)
        gateway.secretArguments = SecretSize.arguments(words)
        addSockets(of: files, to: &gateway)
        var surroundings = Surroundings(uid: uid)
        addVariables(of: files, to: &gateway, &surroundings)
        // Paths of another mount namespace are not the host's.
        if gateway.isNested { surroundings = Surroundings(uid: uid) }
        gateway.installation = InstallationGathering(view: view).ways(files, words, surroundings.searchPath)
        gateways.append(gateway)
        self.surroundings.append(surroundings)
    }

    private func ancestors(of files: ProcessFiles) -> [Int32] {
        var result: [Int32] = []
        var next = files.status["PPid"].flatMap { Int32($0) }
        while let pid = next, pid > 0, result.count < 64, !result.contains(pid) {
            result.append(pid)
            next = ProcessFiles(view: files.view, pid: pid).status["PPid"].flatMap { Int32($0) }
        }
        return result
    }

    private func dumpsCore(_ files: ProcessFiles) -> Bool {
        let line = (files.text("limits") ?? "").split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        guard let soft = line?.dropFirst("Max core file size".count).split(separator: " ").first else { return false }
        return soft != "0"
    }

    private func addSockets(of files: ProcessFiles, to gateway: inout GatewayView) {
        guard let sockets = files.sockets, let network = files.link("ns/net") else {
            files.view.cannotLook("the sockets and variables of process \(files.pid)")
            return
        }
        // A network of its own: what listens there, nobody else reaches.
        let isOurs = network == files.view.link("/proc/self/ns/net")
        gateway.listeners = isOurs ? files.listeners.filter { sockets.contains($0.inode) } : []
        let mounts = (files.text("mountinfo") ?? "").split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            return fields.count > 4 ? String(fields[4]) : nil
        }
        let names = EngineSockets.names
        gateway.mountedSockets = mounts.filter { names.contains($0.lastComponent) }.map(\.printable)
    }

    private func addVariables(
        of files: ProcessFiles, to gateway: inout GatewayView, _ surroundings: inout Surroundings
    ) {
        guard let variables = files.environment else {
            return files.view.cannotLook("the sockets and variables of process \(files.pid)")
        }
        gateway.secretVariables = variables.filter {
            !$0.value.isEmpty && !["PWD", "OLDPWD"].contains($0.name)
                && (SecretShape.isName($0.name) || SecretShape.isValue($0.value))
        }.map { SecretSize(name: $0.name.printable, length: $0.value.utf8.count) }
        for (name, value) in variables {
            switch name {
            case "OPENCLAW_STATE_DIR": surroundings.stateDirectory = value
            case "OPENCLAW_CONFIG_PATH": surroundings.configuration = value
            case "OPENCLAW_GATEWAY_PORT": gateway.port = UInt16(value)
            case "PATH": surroundings.searchPath = value
            default: break
            }
        }
    }

    // MARK: Who else is at the port

    /// Listeners on the usual port that are neither a gateway's nor a jail's.
    private mutating func gatherStrangers(_ view: HostView, _ pids: [Int32], _ network: String?) {
        let known = Set(
            gateways.flatMap { $0.listeners ?? [] }.map(\.inode) + jails.flatMap { $0.listeners ?? [] }.map(\.inode))
        var left = SocketTable.listeners(view, directory: "/proc/net").filter {
            $0.port == HostAudit.usualPort && !known.contains($0.inode)
        }
        guard !left.isEmpty else { return }
        for pid in pids {
            let files = ProcessFiles(view: view, pid: pid)
            guard let sockets = files.sockets, let found = left.first(where: { sockets.contains($0.inode) }) else {
                continue
            }
            let words = files.words
            left.removeAll { sockets.contains($0.inode) }
            if let program = words.first?.lastComponent, Self.isInterpreter(program) {
                add(files, title: program, words)
            } else {
                strangers.append(Stranger(listener: found, holder: files.name?.printable))
            }
            if left.isEmpty { return }
        }
        for listener in left {
            view.cannotLook("the process that listens on \(listener.text)")
            strangers.append(Stranger(listener: listener, holder: nil))
        }
    }
}
