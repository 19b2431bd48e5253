package import JailCore
package import JailPlan
internal import JailPolicy

/// Looks at what a profile wants to show of the host, and refuses what cannot be shown safely.
package struct SourceProbe {
    package let reach: Reach
    package let boundaries: Boundaries
    package var tree: HostTree
    /// For people: what could not be looked at.
    package private(set) var notes: [String] = []
    package private(set) var sources: [String: SourceFacts] = [:]

    /// See ``HostRequest/granted``.
    private let granted: [String: FileIdentity]

    package init(reach: Reach, boundaries: Boundaries, tree: HostTree, granted: [String: FileIdentity] = [:]) {
        self.granted = granted
        self.reach = reach
        self.boundaries = boundaries
        self.tree = tree
    }

    /// A source that the profile or the command line names. `key` is where it was written, such as `filesystem.read`.
    package mutating func add(
        _ path: String, key: String, writable: Bool, allowSpecialFiles: Bool
    ) throws(JailError) {
        if let identity = granted[path] { return try add(granted: path, identity, key: key, writable: writable) }
        let status = try checked(path, key: key, writable: writable)
        if status.isDirectory, let place = try boundaries.credentials(in: path, &tree) {
            throw JailError(
                .host, path: path,
                reason:
                    "\(key) cannot show it: it holds '\(place.printable)', which is a place of credentials or policy",
                hint: "show a directory below it, or take that out of it")
        }
        var special = SpecialFileSearch.describe(status.kind).map { _ in path }
        if status.isDirectory, !allowSpecialFiles {
            special = try search(path, writable: writable)
        }
        keep(path, status, special)
    }

    /// Who may show it has been decided. What lies in it has not: the path is only looked into, and what is shown in the
    /// end must be the directory of that identity.
    private mutating func add(
        granted path: String, _ identity: FileIdentity, key: String, writable: Bool
    ) throws(JailError) {
        let special = try search(path, writable: writable)
        let status = try attempt(.host, path) { () throws(SystemError) in try System.status(path) }
        guard status.identity == identity else {
            throw JailError(
                .host, path: path, reason: "\(key) names it, and it was replaced meanwhile", hint: "try again")
        }
        keep(path, status, special)
        sources[path]?.isGranted = true
    }

    /// The source of `/data`. It outlives jails, so nobody but the payload may have prepared something in it.
    package mutating func addData(_ path: String) throws(JailError) {
        let key = "filesystem.data.source"
        let status = try checked(path, key: key, writable: true)
        guard status.isDirectory else {
            throw JailError(.host, path: path, reason: "\(key) is not a directory", hint: "make one: mkdir -m 700")
        }
        let payload = reach.payload
        guard status.uid == payload.uid else {
            throw JailError(
                .host, path: path,
                reason: "\(key) belongs to user id \(status.uid), not to '\(payload.name.printable)' (\(payload.uid))",
                hint: "chown \(payload.uid):\(payload.gid) '\(path.printable)'")
        }
        guard status.mode & 0o022 == 0 else {
            throw JailError(
                .host, path: path, reason: "others than its owner may write to \(key)",
                hint: "chmod go-w '\(path.printable)'")
        }
        keep(path, status, try search(path, writable: true))
    }

    /// What every jail may show: listed if it is there, under its canonical path, which is returned.
    package mutating func addIfPresent(_ path: String) throws(JailError) -> String? {
        guard let resolved = try tree.resolve(path) else { return nil }
        keep(resolved.path, resolved.status, nil)
        return resolved.path
    }

    /// A tree that the payload writes to is what the payload made of it: that alone must not end the next start. Its own
    /// FIFOs are left alone where no other process of the host has its user id.
    private mutating func search(_ path: String, writable: Bool) throws(JailError) -> String? {
        let leniency = SpecialFileSearch.Leniency(
            fifoOwner: writable && !reach.isCaller ? reach.payload.uid : nil, mayBeIncomplete: writable)
        let result = try SpecialFileSearch.search(path, leniency: leniency)
        if let unseen = result.unseen {
            notes.append("\(unseen): not all of it was searched for sockets, FIFOs and devices")
        }
        return result.found
    }

    private mutating func keep(_ path: String, _ status: FileStatus, _ special: String?) {
        sources[path] = SourceFacts(
            identity: status.identity, isDirectory: status.isDirectory, owner: status.uid,
            permissions: status.permissions, specialFile: special)
    }

    private mutating func checked(_ path: String, key: String, writable: Bool) throws(JailError) -> FileStatus {
        guard Paths.isCanonicalText(path) else {
            throw JailError(
                .host, path: path, reason: "\(key) is not an absolute path without '.', '..', '//' and final '/'",
                hint: "write it in full")
        }
        try refuseSymlinks(path, key)
        guard let status = tree.status(path) else {
            if let error = tree.refusal(path) { throw JailError(.host, error, path: path) }
            throw JailError(
                .host, path: path, reason: "\(key) names it, and it is not there",
                hint: "make it, or take it out of the profile")
        }
        if let reason = boundaries.refusal(of: path, writable: writable) {
            throw JailError(
                .host, path: path, reason: "\(key) cannot show it: \(reason)",
                hint: "show only the directory below it that the job needs")
        }
        try requireReadable(path, status, key)
        return status
    }

    /// A symlink in the path could be turned around between two launches; the real path says what is meant.
    private mutating func refuseSymlinks(_ path: String, _ key: String) throws(JailError) {
        guard let resolved = try tree.resolve(path), let symlink = resolved.symlinks.first else { return }
        throw JailError(
            .host, path: path,
            reason: "\(key) leads through the symlink '\(symlink.path.printable)' → '\(symlink.target.printable)'",
            hint: "write the real path instead: '\(resolved.path.printable)'")
    }

    private mutating func requireReadable(_ path: String, _ status: FileStatus, _ key: String) throws(JailError) {
        let access: Reach.Access = status.isDirectory ? [.read, .execute] : .read
        guard !reach.allows(access, path, in: &tree) else { return }
        let obstacle = reach.obstacle(access, path, in: &tree) ?? path
        throw JailError(
            .host, path: path,
            reason: "\(key) names it, and the user '\(reach.payload.name.printable)' may not reach it because of the "
                + "permissions of '\(obstacle.printable)'",
            hint: "change those permissions, or show another path")
    }
}
