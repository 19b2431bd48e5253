internal import JailCore
internal import JailPlan
package import JailPolicy

extension JailDecisions {
    /// What comes of opening, changing, executing or connecting to a path, as it is called inside.
    ///
    /// To write to a directory is to make and remove entries in it, and to write to what is not there is to make it.
    package func access(_ path: String, _ access: FileAccess) -> Decision {
        switch walker.walk(path) {
        case .loop: .denied("its symlinks lead in a circle", .symlinkLoop, obstacle: "the symlinks are the host's")
        case .notDirectory(let end):
            .denied(
                "'\(end.printable)' is no directory", .notDirectory, obstacle: "there can be nothing below a file")
        case .closed(let place): closed(place, to: "pass")
        case .ofProcess(let end): ofProcess(end, access)
        case .missing(let end, let parent): missing(end, in: parent, access)
        case .found(let place): found(place, access)
        }
    }

    /// Where a path leads: canonical, inside; nil if nothing is there.
    package func resolved(_ path: String) -> String? {
        guard case .found(let place) = walker.walk(path) else { return nil }
        return place.path
    }

    /// The path of the host's that is shown at a path inside; nil: what is there is the jail's own, or nothing.
    package func hostPath(_ path: String) -> String? {
        guard case .found(let place) = walker.walk(path) else { return nil }
        return place.hostPath
    }

    // MARK: What is there

    private func found(_ place: Place, _ access: FileAccess) -> Decision {
        let decision =
            switch access {
            case .read: read(place)
            case .write: write(place)
            case .execute: execute(place, depth: 0)
            case .connect: connect(place)
            }
        return decision.noting(aclNote(place))
    }

    private func read(_ place: Place) -> Decision {
        if place.kind == .socket {
            return .denied("it is a socket, which is connected to and not opened", obstacle: "no socket is a file")
        }
        if let decision = device(place) { return decision }
        guard walker.permits(4, place) else { return closed(place, to: "read") }
        if isOfAdministrator(place.path) {
            return .denied("the kernel shows it to none but the host's root", obstacle: kernelFile)
        }
        if !place.isDirectory, let decision = kept(place) { return decision }
        guard has(place.isDirectory ? FileRights.readDirectory : FileRights.readFile, place.path) else {
            return .denied("no rule of Landlock lets it be read", .accessDenied, obstacle: systemFile)
        }
        return .allowed(shows(place), by: source(of: place.path))
    }

    private func write(_ place: Place) -> Decision {
        if place.kind == .socket {
            return .denied("it is a socket, which is connected to and not opened", obstacle: "no socket is a file")
        }
        if let decision = device(place) { return decision }
        let mount = tree.mount(covering: place.path)
        let isReadOnly = mount.attributes.contains(.readOnly)
        // In the kernel's order: of a file its permission comes first.
        if place.isDirectory, isReadOnly, walker.permits(1, place) { return readOnly(place, mount) }
        guard walker.permits(place.isDirectory ? 3 : 2, place) else { return closed(place, to: "change") }
        // A device or FIFO is no part of the file system that its name lies in.
        if place.kind == .regular, isReadOnly { return readOnly(place, mount) }
        guard has(place.isDirectory ? FileRights.makeRegular : FileRights.writeFile, place.path) else {
            return .denied("no rule of Landlock lets it be changed", .accessDenied, obstacle: systemFile)
        }
        return .allowed(shows(place), by: source(of: place.path))
    }

    private func connect(_ place: Place) -> Decision {
        guard place.kind == .socket else {
            return .denied("it is no socket", .connectionRefused, obstacle: "there is nothing to connect to")
        }
        guard walker.permits(2, place) else { return closed(place, to: "connect to") }
        return .allowed(shows(place), by: source(of: place.path))
    }

    private func device(_ place: Place) -> Decision? {
        guard place.kind == .characterDevice || place.kind == .blockDevice,
            tree.mount(covering: place.path).attributes.contains(.noDevices)
        else { return nil }
        return .denied(
            "it is a device, and devices are none outside /dev", .accessDenied,
            obstacle: "the devices of a jail are the same in every profile")
    }

    /// There for commands that run in the jail, and kept from its own command.
    func kept(_ place: Place) -> Decision? {
        guard plan.commands?.withheld?.withholds(place.path) == true else { return nil }
        return .denied(
            "it is shown for 'commands' alone: the jail's own command neither reads nor executes it", .accessDenied,
            obstacle: "called by its name, it is run for the jail as the rules of commands say")
    }

    // MARK: What is not there

    private func missing(_ path: String, in parent: Place?, _ access: FileAccess) -> Decision {
        guard access == .write, let parent else { return invisible(path, access, .notFound) }
        let mount = tree.mount(covering: parent.path)
        if mount.attributes.contains(.readOnly) {
            if let known = scratch(path, .readOnly) { return known }
            return isOnHost(path) ? invisible(path, access, .readOnly) : readOnly(parent, mount)
        }
        guard walker.permits(3, parent) else { return closed(parent, to: "make something in") }
        guard has(FileRights.makeRegular, parent.path) else {
            return .denied("no rule of Landlock lets it be made", .accessDenied, obstacle: systemFile)
        }
        return .allowed("it can be made in '\(parent.path.printable)'", by: source(of: parent.path))
    }

    /// Of a process there is only something while it runs.
    private func ofProcess(_ path: String, _ access: FileAccess) -> Decision {
        guard access == .read else {
            return .denied("/proc is read-only", obstacle: kernelFile)
        }
        return Decision.allowed("the kernel makes it for each process").noting(
            "of processes of this jail alone, and while they run")
    }

    // MARK: Texts

    var kernelFile: String { "it is the kernel's, and the same in every profile" }
    var systemFile: String { "what the launch makes and shows of itself is the same in every profile" }

    /// `its own permission (0640, user 0, group 42) keeps out …`
    func closed(_ place: Place, to verb: String) -> Decision {
        let identity = plan.identity.host
        let mode = "0" + String(place.mode & 0o7777, radix: 8)
        let owner =
            switch place.owner {
            case .payload: "its own user"
            case .host(let uid, let gid): "user \(uid), group \(gid)"
            }
        return .denied(
            "the permission of '\(place.path.printable)' itself (\(mode), \(owner)) does not let "
                + "'\(identity.name.printable)' (\(identity.uid)) \(verb) it", .accessDenied,
            obstacle: place.owner == .payload
                ? systemFile : "a profile gives nobody more than the file's own permission does")
    }

    private func shows(_ place: Place) -> String {
        guard let hostPath = place.hostPath, hostPath != place.path else {
            return place.hostPath == nil ? "it is the jail's own" : "it is shown"
        }
        return "it is the host's '\(hostPath.printable)'"
    }

    private func aclNote(_ place: Place) -> String? {
        place.hasList ? "the file has an access control list, which counts beside its permission bits" : nil
    }

    func has(_ right: UInt64, _ path: String) -> Bool { rights(at: path).map { $0 & right != 0 } ?? true }

    /// Files of /proc that ask for a capability, whatever their permission says.
    private func isOfAdministrator(_ path: String) -> Bool {
        path == "/proc/mtrr" || (path.isInside("/proc") && path.hasSuffix("/stack"))
    }
}
