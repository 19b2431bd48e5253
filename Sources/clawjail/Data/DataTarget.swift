import JailCore
import JailData
import JailHost
import JailLaunch
import JailMounts
import JailPlan
import JailPolicy

/// The `/data` of a jail, on the host.
struct DataTarget {
    enum Place {
        case directory(String)
        /// An image, and where a running jail has it.
        case image(String)

        var path: String {
            switch self {
            case .directory(let path), .image(let path): path
            }
        }
    }

    let name: String
    /// nil: nobody has said which.
    var profile: String?
    let place: Place
    /// Jail init and what it sees there; nil: the jail does not run.
    var running: (pid: Int32, target: String)?
    /// It has ended and waits to be started again; a pause keeps it from that.
    var isWaiting = false

    // MARK: Finding

    /// - Parameters:
    ///   - profile: where a jail that does not run has it; nil: it is clawjail's own directory or image.
    ///   - isReserved: the caller has its name; nothing of that name runs.
    static func find(_ name: String, profile: String?, isReserved: Bool = false) throws(JailError) -> DataTarget {
        let address = try address(name)
        if !isReserved, case .running(let state) = address.presence { return try running(name, state) }
        if let profile {
            let loaded = try Invocation.loader().load(profile)
            guard let rule = loaded.filesystem.data else {
                throw JailError(.data, reason: "profile '\(loaded.name)' has no filesystem.data")
            }
            let own = try directory("data") + "/" + name
            let place: Place = rule.mustEnforceSize ? .image(own + ".img") : .directory(rule.source ?? own)
            return DataTarget(name: name, profile: loaded.name, place: place)
        }
        let own = try directory("data") + "/" + name
        switch (isThere(own), isThere(own + ".img")) {
        case (true, false): return DataTarget(name: name, place: .directory(own))
        case (false, true): return DataTarget(name: name, place: .image(own + ".img"))
        case (true, true):
            throw JailError(
                .data, path: own, reason: "there are a directory and an image of jail '\(name)'",
                hint: "say which it is by --profile", status: ExitStatus.usage)
        case (false, false):
            throw JailError(
                .data, path: own, reason: "there is no data of a jail of that name",
                hint: "if its profile names another place, say so by --profile", status: ExitStatus.notThere)
        }
    }

    private static func running(_ name: String, _ state: [UInt8]) throws(JailError) -> DataTarget {
        guard let value = try? JSON5Reader.read(state, file: name), let pid = value["init"]?.integer else {
            throw JailError(
                .data, reason: "jail '\(name)' is just being made", hint: "try again",
                status: ExitStatus.notRunning)
        }
        guard let data = value["data"], let source = data["source"]?.text, let target = data["target"]?.text,
            case .boolean(let isImage)? = data["image"]?.content
        else { throw JailError(.data, reason: "jail '\(name)' has no data of its own", status: ExitStatus.notThere) }
        var found = DataTarget(
            name: name, profile: value["profile"]?.text, place: isImage ? .image(source) : .directory(source))
        if value["waiting"] == nil { found.running = (Int32(clamping: pid), target) } else { found.isWaiting = true }
        return found
    }

    /// Only a jail has data of its own that has a name of its own.
    static func address(_ name: String) throws(JailError) -> JailAddress {
        if SessionsInside.isInside {
            throw JailError(.usage, reason: "a jail cannot handle snapshots", status: ExitStatus.refused)
        }
        let address = try JailAddress(name)
        guard address.gateway == nil else {
            throw JailError(.usage, reason: "'\(name)' is a session: what it keeps is the jail's that has it")
        }
        return address
    }

    var isRunning: Bool { (try? Self.isRunning(name)) ?? false }

    static func isRunning(_ name: String) throws(JailError) -> Bool {
        if case .running = try address(name).presence { true } else { false }
    }

    private static func isThere(_ path: String) -> Bool { (try? System.status(path)) != nil }

    /// Below clawjail's own lasting state.
    static func directory(_ part: String) throws(JailError) -> String {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        return request.stateDirectory(try CallerFacts.current()) + "/" + part
    }

    /// The snapshots of a jail, whether or not there is anything else of it.
    static func store(_ name: String) throws(JailError) -> SnapshotStore {
        _ = try address(name)
        let path = try directory("snapshots") + "/" + name
        try attempt(.data, path) { () throws(SystemError) in try PrivateDirectory.make(path) }
        return try SnapshotStore(path, of: name)
    }

    // MARK: The tree

    /// Opens what is in it; nil: it is not there.
    func open() throws(JailError) -> SharedDescriptor? {
        let path: String
        switch (place, running) {
        case (.image(let image), nil):
            guard Self.isThere(image) else { return nil }
            return try Self.mount(image)
        case (.image, let running?): return try Self.open(inside: running)
        case (.directory(let directory), _): path = directory
        }
        do throws(SystemError) {
            return SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
        } catch {
            if error.errno == .notFound, running == nil { return nil }
            throw JailError(.data, error, path: path)
        }
    }

    /// Mounts an image for this process alone, as long as what is returned is open.
    static func mount(_ image: String) throws(JailError) -> SharedDescriptor {
        let mount = SharedDescriptor(try DataImage.mount(image, [.noSetuid, .noDevices, .noExec]))
        // fsmount(2) has only named it: such a descriptor cannot be synchronized.
        return try attempt(.data, image) { () throws(SystemError) in
            try withExtendedLifetime(mount) { () throws(SystemError) in
                SharedDescriptor(try System.open(".", [.readOnly, .directory], at: mount.borrowed))
            }
        }
    }

    /// An image is mounted where init sees it and nowhere else. Above that the payload may have put links in the place of
    /// directories, which would lead through the host's tree.
    private static func open(inside running: (pid: Int32, target: String)) throws(JailError) -> SharedDescriptor {
        let path = "/proc/\(running.pid)/root"
        return try attempt(.data, path + running.target) { () throws(SystemError) in
            let root = SharedDescriptor(try System.open(path, [.readOnly, .directory]))
            return try withExtendedLifetime(root) { () throws(SystemError) in
                let target = String(running.target.drop { $0 == "/" })
                return SharedDescriptor(
                    try System.open(
                        target, [.readOnly, .directory], at: root.borrowed, resolve: [.beneath, .noSymlinks]))
            }
        }
    }
}
