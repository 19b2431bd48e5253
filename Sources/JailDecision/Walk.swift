internal import JailCore
internal import JailPlan

/// Something that a path inside a jail leads to.
struct Place {
    /// Canonical, inside.
    var path: String
    var kind: FileStatus.Kind
    /// Permission bits, and whose file it is.
    var mode: UInt32
    var owner: Owner
    /// The host's path that it shows.
    var hostPath: String?
    var hasList = false

    enum Owner: Equatable {
        /// The payload itself: what the launch and the jail's programs make.
        case payload
        case host(uid: UInt32, gid: UInt32)
    }

    var isDirectory: Bool { kind == .directory }
}

/// How far a path leads.
enum Walked {
    case found(Place)
    /// Nothing is there, or not all of the way to it. `parent` is the directory that it would be made in, if only the last
    /// name is missing.
    case missing(path: String, parent: Place?)
    /// Not of this jail's tree: a file that the kernel makes for each process, opened by the process itself.
    case ofProcess(path: String)
    case notDirectory(String)
    /// A directory that the payload may not pass.
    case closed(Place)
    case loop
}

/// Follows paths inside a jail as the kernel does, by the plan and a look at the host.
struct Walker {
    let tree: InsideTree
    let plan: LaunchPlan
    let host: any HostView

    /// As many symlinks in one path as the kernel follows (MAXSYMLINKS), see path_resolution(7).
    private static let mostSymlinks = 40

    func walk(_ path: String) -> Walked {
        var pending = Array(Self.components(path).reversed())
        var here = place("/", host: "/")
        var followed = 0
        // A slash at the end asks for a directory.
        let wantsDirectory = path.utf8.last == UInt8(ascii: "/")
        while let name = pending.popLast() {
            guard here.isDirectory else { return .notDirectory(here.path) }
            guard permits(1, here) else { return .closed(here) }
            if name == "." { continue }
            if name == ".." {
                here = place(here.path.parentPath, host: tree.hostPath(here.path.parentPath))
                continue
            }
            let next = here.path == "/" ? "/\(name)" : "\(here.path)/\(name)"
            switch look(next) {
            case .file(let found): here = found
            case .missing:
                let isLast = pending.isEmpty && !wantsDirectory
                return .missing(
                    path: pending.reversed().reduce(next) { "\($0)/\($1)" }, parent: isLast ? here : nil)
            case .ofProcess: return .ofProcess(path: next)
            case .symlink(let target):
                followed += 1
                guard followed <= Self.mostSymlinks else { return .loop }
                if target.utf8.first == UInt8(ascii: "/") { here = place("/", host: tree.hostPath("/")) }
                pending += Self.components(target).reversed()
            }
        }
        return wantsDirectory && !here.isDirectory ? .notDirectory(here.path) : .found(here)
    }

    static func components(_ path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }

    // MARK: One name

    private enum Look {
        case file(Place)
        case symlink(String)
        case missing
        case ofProcess
    }

    /// A directory that has been passed already.
    private func place(_ path: String, host: String?) -> Place {
        guard case .file(let place) = look(path) else {
            return Place(path: path, kind: .directory, mode: 0o755, owner: .payload, hostPath: host)
        }
        return place
    }

    private func look(_ path: String) -> Look {
        let mount = tree.mount(covering: path)
        switch mount.content {
        case .own: return own(path)
        case .file:
            let mode: UInt32 = mount.attributes.contains(.noExec) ? 0o444 : 0o555
            return .file(Place(path: path, kind: .regular, mode: mode, owner: .payload))
        case .terminals: return terminal(path, mount.target)
        case .proc: return ofKernel(path)
        case .host: return ofHost(path, mount)
        }
    }

    private func own(_ path: String) -> Look {
        switch tree.made(path) {
        case .directory(let mode): .file(Place(path: path, kind: .directory, mode: mode, owner: .payload))
        case .file(let mode): .file(Place(path: path, kind: .regular, mode: mode, owner: .payload))
        case .socket: .file(Place(path: path, kind: .socket, mode: 0o666, owner: .payload))
        case .symlink(let target): .symlink(target)
        case nil: .missing
        }
    }

    private func terminal(_ path: String, _ target: String) -> Look {
        if path == target { return .file(Place(path: path, kind: .directory, mode: 0o755, owner: .payload)) }
        // Made with ptmxmode=0666; the others come into being when it is opened.
        guard path == target + "/ptmx" else { return .missing }
        return .file(Place(path: path, kind: .characterDevice, mode: 0o666, owner: .payload))
    }

    private func ofHost(_ path: String, _ mount: InsideTree.Mount) -> Look {
        guard let hostPath = tree.hostPath(path) else { return .missing }
        let madeHere = Place(path: path, kind: .directory, mode: 0o700, owner: .payload, hostPath: hostPath)
        switch host.look(hostPath) {
        case .file(let file):
            var place = Place(
                path: path, kind: file.kind, mode: file.mode, owner: .host(uid: file.uid, gid: file.gid),
                hostPath: hostPath)
            place.hasList = file.hasList
            return .file(place)
        case .symlink(let target): return .symlink(target)
        case .missing, .refused:
            if tree.isPinned(path) { return .file(madeHere) }
            // The launch makes a data directory of clawjail's own.
            if case .bind(let bind)? = mount.step, bind.purpose == .data, path == mount.target {
                return .file(madeHere)
            }
            return .missing
        }
    }

    // MARK: /proc

    /// What is the same for all is looked up in the host's own /proc; the rest belongs to a process.
    private func ofKernel(_ path: String) -> Look {
        let parts = Self.components(path)
        guard parts.count > 1 else {
            return .file(Place(path: path, kind: .directory, mode: 0o555, owner: .host(uid: 0, gid: 0)))
        }
        // Init is no process that the jail's programs may look at, and hidepid hides those altogether.
        if parts[1] == "1" { return .missing }
        if parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return .ofProcess }
        let isOwn = parts[1] == "self" || parts[1] == "thread-self"
        if isOwn, parts.count == 2 {
            return .file(Place(path: path, kind: .directory, mode: 0o555, owner: .payload))
        }
        if isOwn, parts.count == 3, let target = ownLink(parts[2]) { return .symlink(target) }
        switch host.look(path) {
        case .missing, .refused: return .missing
        case .symlink(let target): return isOwn ? .ofProcess : .symlink(target)
        case .file(let file):
            return .file(
                Place(
                    path: path, kind: file.kind, mode: file.mode,
                    owner: isOwn ? .payload : .host(uid: file.uid, gid: file.gid)))
        }
    }

    private func ownLink(_ name: String) -> String? {
        switch name {
        case "root": "/"
        case "cwd": plan.command.workingDirectory
        case "exe" where !plan.command.path.isEmpty: plan.command.path
        default: nil
        }
    }

    // MARK: Permission bits

    /// Whether the payload may do this by the file's own permission: 4 read, 2 write, 1 execute or pass. It has no
    /// capability that would set aside what the bits say.
    func permits(_ bits: UInt32, _ place: Place) -> Bool {
        let identity = plan.identity.host
        let shift: UInt32 =
            switch place.owner {
            case .payload: 6
            case .host(let uid, _) where uid == identity.uid: 6
            case .host(_, let gid) where gid == identity.gid || host.keptGroups.contains(gid): 3
            case .host: 0
            }
        return place.mode >> shift & bits == bits || place.hasList
    }
}
