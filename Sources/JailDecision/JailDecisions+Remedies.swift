internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What would allow what is denied, or why nothing can.
extension JailDecisions {
    func isOnHost(_ path: String) -> Bool { onHost(path) != nil }

    /// A path of the host's, followed to its end: canonical, and what is there.
    private func onHost(_ path: String) -> (path: String, file: HostFile)? {
        var pending = Array(Walker.components(path).reversed())
        var current = "/"
        var followed = 0
        while let name = pending.popLast() {
            if name == ".." {
                current = current.parentPath
                continue
            }
            let next = current == "/" ? "/\(name)" : "\(current)/\(name)"
            switch host.look(next) {
            case .missing, .refused: return nil
            case .symlink(let target):
                followed += 1
                guard followed <= 40 else { return nil }
                if target.utf8.first == UInt8(ascii: "/") { current = "/" }
                pending += Walker.components(target).reversed()
            case .file: current = next
            }
        }
        guard case .file(let file) = host.look(current) else { return nil }
        return (current, file)
    }

    // MARK: Not inside

    /// - Parameter errno: what the kernel says to that.
    func invisible(_ path: String, _ access: FileAccess, _ errno: Errno) -> Decision {
        let reason = "there is no '\(path.printable)' inside"
        if let known = scratch(path, errno) { return known }
        for (closed, why) in Self.kernelTrees where path.isInside(closed) {
            return .denied(reason, path.isInside("/proc") ? nil : errno, obstacle: why)
        }
        guard let found = onHost(access == .write && !isOnHost(path) ? path.parentPath : path) else {
            let refusal = host.refusal(of: path, writable: access == .write).map { "it is never shown: \($0)" }
            return .denied(reason, errno, obstacle: refusal ?? "the host has nothing there either")
        }
        if let refusal = host.refusal(of: found.path, writable: access == .write) {
            return .denied(reason, errno, obstacle: "'\(found.path.printable)' is never shown: \(refusal)")
        }
        if let reached = unreachable(found.path, found.file, access) {
            return .denied(reason, errno, obstacle: reached)
        }
        let elsewhere = shownElsewhere(found.path)
        if access == .execute { return program(found.path, asked: path, reason, errno).noting(elsewhere) }
        return show(found, at: path, access, reason, errno).noting(elsewhere)
    }

    /// Somebody who asks with the host's name for it may mean what is there under another one.
    private func shownElsewhere(_ hostPath: String) -> String? {
        for step in plan.mounts {
            guard case .bind(let bind) = step, bind.source != bind.target, hostPath.isInside(bind.source) else {
                continue
            }
            let rest = hostPath == bind.source ? "" : "/" + hostPath.remainder(below: bind.source)
            guard self.hostPath(bind.target + rest) == hostPath else { continue }
            return "the host's '\(hostPath.printable)' is shown inside as '\((bind.target + rest).printable)'"
        }
        return nil
    }

    private static let kernelTrees = [
        ("/proc", "it is the kernel's, and the jail has a /proc of its own"),
        ("/sys", "it is the kernel's interface to the host's devices, and never shown"),
        ("/dev", "the devices of a jail are the same in every profile"),
    ]

    private func show(
        _ found: (path: String, file: HostFile), at path: String, _ access: FileAccess, _ reason: String,
        _ errno: Errno
    ) -> Decision {
        let isSpecial = ![.regular, .directory].contains(found.file.kind)
        guard found.file.kind != .characterDevice, found.file.kind != .blockDevice else {
            return .denied(reason, errno, obstacle: "devices are none outside /dev")
        }
        let asked = isOnHost(path) ? path : path.parentPath
        var target = asked
        var notes: [String] = []
        if (try? AbsolutePath.checkTarget(target)) == nil {
            target = "/run/host\(asked)"
            notes.append("it can only be shown elsewhere: nothing of the host's is put there")
        }
        if isSpecial { notes.append("whoever listens there acts for the jail; read-only does not stop a connection") }
        let isPlain = !isSpecial && !(found.path + target).utf8.contains(UInt8(ascii: ":"))
        var members = ["source: \(JSON.string(found.path).text())"]
        if target != found.path { members.append("target: \(JSON.string(target).text())") }
        if isSpecial { members.append("specialFiles: true") }
        let value =
            isPlain
            ? JSON.string(target == found.path ? target : "\(found.path):\(target)").text()
            : "{ \(members.joined(separator: ", ")) }"
        let key = access == .write ? "filesystem.write" : "filesystem.read"
        var decision = Decision.denied(
            reason, errno, change: ProfileChange(key: key, value: value, isElement: true))
        decision.notes = notes
        return decision
    }

    private func program(_ real: String, asked: String, _ reason: String, _ errno: Errno) -> Decision {
        guard host.interpreter(of: real) != .unknown, (try? ProgramRule.parse(asked)) != nil else {
            return .denied(reason, errno, obstacle: "'\(real.printable)' is no program on the host")
        }
        return Decision.denied(
            reason, errno,
            change: ProfileChange(key: "process.programs", value: JSON.string(asked).text(), isElement: true)
        ).noting(ProgramFamilies.warning(asked))
    }

    /// Init opens what it shows as the payload.
    private func unreachable(_ path: String, _ file: HostFile, _ access: FileAccess) -> String? {
        func permits(_ bits: UInt32, _ path: String) -> Bool {
            guard case .file(let file) = host.look(path) else { return false }
            var place = Place(
                path: path, kind: file.kind, mode: file.mode, owner: .host(uid: file.uid, gid: file.gid))
            place.hasList = file.hasList
            return walker.permits(bits, place)
        }
        var current = path.parentPath
        var above = [current]
        while current != "/" {
            current = current.parentPath
            above.append(current)
        }
        let isDirectory = file.kind == .directory
        let wanted: UInt32 =
            switch access {
            case .read: isDirectory ? 5 : 4
            case .write: isDirectory ? 7 : 6
            case .execute: 1
            case .connect: 2
            }
        let obstacle = above.reversed().first { !permits(1, $0) } ?? (permits(wanted, path) ? nil : path)
        guard let obstacle else { return nil }
        let name = plan.identity.host.name.printable
        return "the permission of '\(obstacle.printable)' on the host keeps '\(name)' out, whatever a profile says"
    }

    // MARK: Read-only

    /// - Parameter place: what was to be changed, or the directory that something was to be made in.
    func readOnly(_ place: Place, _ mount: InsideTree.Mount) -> Decision {
        let path = place.path
        let reason = "'\(mount.target.printable)' is read-only"
        if let known = scratch(path, .readOnly) { return known }
        // Of /proc the kernel says that there is nothing to be made.
        if path.isInside("/proc") { return .denied(reason, obstacle: kernelFile) }
        guard case .bind(let bind)? = mount.step, let hostPath = tree.hostPath(path) else {
            return .denied(reason, .readOnly, by: source(of: path), obstacle: systemFile)
        }
        switch bind.purpose {
        case .workspace:
            return .denied(
                reason, .readOnly, by: source(of: path),
                change: ProfileChange(key: "filesystem.workspace", value: "\"readWrite\"", isElement: false))
        case .read:
            guard walker.permits(place.isDirectory ? 3 : 2, place) else {
                var decision = closed(place, to: "change")
                decision.errno = .readOnly
                return decision
            }
            if let refusal = host.refusal(of: hostPath, writable: true) {
                return .denied(reason, .readOnly, by: source(of: path), obstacle: "it is never writable: \(refusal)")
            }
            let value = hostPath == path ? path : "\(hostPath):\(path)"
            return .denied(
                reason, .readOnly, by: source(of: path),
                change: ProfileChange(key: "filesystem.write", value: JSON.string(value).text(), isElement: true))
        case .program, .library, .device, .system, .write, .data:
            return .denied(
                reason, .readOnly, by: source(of: path),
                obstacle: "programs and the system's files are read-only in every profile")
        }
    }

    /// Places of the jail's own that a profile gives by their size.
    ///
    /// - Parameter errno: what the kernel says to what is not there.
    func scratch(_ path: String, _ errno: Errno) -> Decision? {
        let filesystem = profile.filesystem
        let places: [(String, UInt64, String, String)] = [
            ("/tmp", filesystem.tmp, "filesystem.tmp", "\"64M\""),
            ("/dev/shm", filesystem.sharedMemory, "filesystem.sharedMemory", "\"16M\""),
            (profile.process.inside.home, filesystem.home, "filesystem.home", "\"16M\""),
            ("/data", filesystem.data?.size ?? 0, "filesystem.data", "{ size: \"1G\" }"),
        ]
        guard let place = places.first(where: { path.isInside($0.0) && $0.1 == 0 }) else { return nil }
        return .denied(
            "the profile gives no '\(place.0.printable)' to write to", errno,
            change: ProfileChange(key: place.2, value: place.3, isElement: false))
    }

    // MARK: Where a grant comes from

    /// The value of the profile by which something is visible as it is.
    func source(of path: String, asProgram: Bool = false) -> ProfileSource? {
        guard let step = tree.mount(covering: path).step else { return nil }
        let filesystem = profile.filesystem
        switch step {
        case .tmpfs(let tmpfs):
            let keys = ["/tmp": "filesystem.tmp", "/dev/shm": "filesystem.sharedMemory"]
            return ProfileSource(keys[tmpfs.target] ?? "filesystem.home")
        case .bind(let bind):
            switch bind.purpose {
            case .read:
                return ProfileSource("filesystem.read", filesystem.read.first { $0.target == bind.target }?.shown)
            case .write:
                return ProfileSource("filesystem.write", filesystem.write.first { $0.target == bind.target }?.shown)
            case .workspace: return ProfileSource("filesystem.workspace")
            case .data: return ProfileSource("filesystem.data")
            case .program, .library: return programSource(path)
            case .system:
                if case .minimal = filesystem.root { return nil }
                return ProfileSource("filesystem.root")
            case .device: return nil
            }
        case .overlay: return ProfileSource("filesystem.workspace")
        default: return nil
        }
    }

    /// The element of `process.programs` that a program is there for; of what programs need, the key.
    private func programSource(_ path: String) -> ProfileSource {
        let base = Walker.components(path).last ?? ""
        let rule = profile.process.programs.first { rule in
            if rule.isDirectory { return path.isInside(String(Substring(rule.name.utf8.dropLast()))) }
            if rule.name == path || rule.name == base { return true }
            // `python3` on the host is a link to `python3.11`.
            return !rule.name.utf8.contains(UInt8(ascii: "/"))
                && searchPath.contains { resolved("\($0)/\(rule.name)") == path }
        }
        if rule == nil, case .host = profile.filesystem.root { return ProfileSource("filesystem.root") }
        return ProfileSource("process.programs", rule?.formatted)
    }
}
