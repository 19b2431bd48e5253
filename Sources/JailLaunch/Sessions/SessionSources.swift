internal import JailCore
internal import JailPlan

/// The directories of the host that sessions may be shown, held open from the jail's start on, and how others are found
/// below them: by names that the jail can change at any moment.
struct SessionSources {
    private let gateway: LaunchPlan
    private let roots: [SessionsPlan.Root]
    /// The source of the mount that each root lies in. Numbers that nobody closes: they live as long as the process.
    private let mounts: [Int32]

    /// - Throws: also where something else is there than the jail is shown.
    init(_ gateway: LaunchPlan, _ sessions: SessionsPlan) throws(SystemError) {
        self.gateway = gateway
        roots = sessions.roots
        mounts = try sessions.roots.map { (root) throws(SystemError) in
            let opened = try System.open(root.source, [.pathOnly, .directory, .noFollow])
            let shown = gateway.mounts.contains { step in
                guard case .bind(let bind) = step, bind.target == root.mount else { return false }
                return (try? System.status(of: opened.borrowed).identity) == bind.identity
            }
            guard shown else { throw SystemError(.check, .stale) }
            return opened.release()
        }
    }

    /// Opens the directories of an order, with the rights of the jail's user and no others. What is opened stays open:
    /// its number is no other directory's as long as it is.
    func open(_ order: SessionOrder) throws(JailError) -> [SessionStart.Source] {
        var sources: [SessionStart.Source] = []
        for mount in order.mounts {
            guard roots.indices.contains(mount.root), mount.readOnly || !roots[mount.root].readOnly else {
                throw JailError(.session, reason: "an order that no supervisor gives")
            }
            sources.append(try open(mount))
        }
        return sources
    }

    private func open(_ mount: SessionOrder.Mount) throws(JailError) -> SessionStart.Source {
        let root = roots[mount.root]
        let below = [root.below, mount.below].filter { !$0.isEmpty }.joined(separator: "/")
        do throws(SystemError) {
            let identity = try asPayload { () throws(SystemError) in
                // In two steps: what is asked for lies below the root, and not only below what the root lies in.
                let start = try Self.open(root.below, at: Descriptor(mounts[mount.root]))
                let opened = try withExtendedLifetime(start) { () throws(SystemError) in
                    try Self.open(mount.below, at: start.borrowed)
                }
                // Kept, see above.
                return try System.status(of: Descriptor(opened.take().release())).identity
            }
            return SessionStart.Source(
                path: below.isEmpty ? root.source : "\(root.source)/\(below)", identity: identity,
                target: mount.target, readOnly: mount.readOnly)
        } catch {
            let path = mount.below.isEmpty ? root.path : "\(root.path)/\(mount.below)"
            throw Self.error(error, path)
        }
    }

    private static func open(_ path: String, at directory: Descriptor) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(
            try System.open(
                path.isEmpty ? "." : path, [.pathOnly, .directory], at: directory,
                resolve: [.beneath, .noSymlinks, .noMagicLinks, .noMountCrossing]))
    }

    /// Root's own rights would lead past directories that keep the jail out.
    private func asPayload(_ body: () throws(SystemError) -> FileIdentity) throws(SystemError) -> FileIdentity {
        guard gateway.identity.startedByRoot else { return try body() }
        let payload = gateway.identity.host
        try System.setFileSystemIDs(uid: payload.uid, gid: payload.gid)
        let result: Result<FileIdentity, SystemError>
        do throws(SystemError) { result = .success(try body()) } catch { result = .failure(error) }
        try System.setFileSystemIDs(uid: 0, gid: 0)
        return try result.get()
    }

    /// The path as the jail knows it.
    private static func error(_ error: SystemError, _ path: String) -> JailError {
        let (reason, status): (String, Int32) =
            switch error.errno {
            case .notFound: ("it is not there", ExitStatus.launchFailed)
            case .symlinkLoop: ("a symlink is on the way, and none is followed", ExitStatus.refused)
            case .crossDevice:
                ("it leads out of sessions.workspaces, or to another file system", ExitStatus.refused)
            case .notDirectory: ("it is not a directory", ExitStatus.launchFailed)
            case .accessDenied: ("the jail's user may not reach it", ExitStatus.refused)
            default: (error.errno.description, ExitStatus.launchFailed)
            }
        return JailError(.session, path: path, reason: reason, status: status)
    }
}
