package import JailCore
package import JailPlan
package import JailPolicy

/// Finds the programs of the host's that a supervisor starts outside its jail, and refuses those that the jail, or somebody
/// else, could put another one in the place of.
package struct HostPrograms {
    private let searchPath: [String]
    private let caller: UInt32
    private let payload: HostIdentity
    /// What the jail may write to, canonical.
    private var writable: [String] = []
    private var tree = HostTree()

    /// - Parameter stateDirectory: clawjail's own, where `/data` of jails is.
    package init(
        _ profile: Profile, searchPath: String?, caller: UInt32, payload: HostIdentity, stateDirectory: String
    ) throws(JailError) {
        self.searchPath = (searchPath ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(String.init)
        self.caller = caller
        self.payload = payload
        let files = profile.filesystem
        var sources = files.write.map(\.source) + ["\(stateDirectory)/data"]
        if let source = files.data?.source { sources.append(source) }
        if files.workspace == .readWrite, let source = files.workspaceSource { sources.append(source) }
        for source in sources { writable.append(try tree.furthest(source)) }
    }

    /// What the actions of alerts, the anchors of the log and the notices of approvals need, by the name that the profile has for it.
    package static func find(
        for profile: Profile, searchPath: String?, caller: UInt32, payload: HostIdentity, stateDirectory: String
    ) throws(JailError) -> [String: String] {
        let alerts = profile.alerts ?? AlertRules()
        let needed = alerts.hostPrograms
        let notify = profile.approvals?.notify ?? ApprovalNotify()
        guard !needed.isEmpty || !profile.audit.anchors.isEmpty || !notify.isEmpty else { return [:] }
        var programs = try HostPrograms(
            profile, searchPath: searchPath, caller: caller, payload: payload, stateDirectory: stateDirectory)
        var found: [String: String] = [:]
        for (action, name, key) in needed {
            found[name] = try programs.find(name, key: key)
            if action == .command { try programs.checkArguments(Array(alerts.command.dropFirst()), key: key) }
        }
        for (name, key) in notify.hostPrograms {
            found[name] = try programs.find(name, key: key)
        }
        try programs.checkArguments(Array(notify.command.dropFirst()), key: ApprovalNotify.commandKey)
        for (key, words) in profile.audit.namedAnchors {
            found[words[0]] = try programs.find(words[0], key: key)
            try programs.checkArguments(Array(words.dropFirst()), key: key)
        }
        return found
    }

    /// The canonical path of a program.
    ///
    /// - Parameters:
    ///   - name: an absolute path, or a name that is looked for on the caller's PATH.
    ///   - key: what of the profile names it.
    package mutating func find(_ name: String, key: String) throws(JailError) -> String {
        if name.utf8.first == 0x2F {
            guard let found = try tree.resolve(name) else {
                throw refusal(name, key, "there is no such file", "install it, or name another one")
            }
            return try checked(found, key)
        }
        for directory in searchPath where directory.utf8.first == 0x2F {
            guard let found = try tree.resolve(Paths.join(directory, name)), found.status.kind == .regular,
                found.status.mode & 0o111 != 0
            else { continue }
            return try checked(found, key)
        }
        throw refusal(name, key, "it is not on the search path of this host", "install it, or give its path")
    }

    /// An argument that names a file the jail may write is most likely a script, and as good as the program itself.
    package mutating func checkArguments(_ arguments: [String], key: String) throws(JailError) {
        for argument in arguments where argument.utf8.first == 0x2F {
            let path = try tree.furthest(argument)
            if let place = writable.first(where: { path.isInside($0) }) {
                throw refusal(argument, key, "the jail may write to '\(place.printable)'", "keep it elsewhere")
            }
        }
    }

    private mutating func checked(_ found: HostTree.Resolved, _ key: String) throws(JailError) -> String {
        let path = found.path
        guard found.status.kind == .regular, found.status.mode & 0o111 != 0 else {
            throw refusal(path, key, "it is not a program", "name a file that may be executed")
        }
        if let place = writable.first(where: { path.isInside($0) }) {
            throw refusal(path, key, "the jail may write to '\(place.printable)'", "keep it elsewhere")
        }
        var place = path
        while true {
            if let status = tree.status(place), !isTrusted(status) {
                throw refusal(
                    path, key, "others than root and the caller may write to '\(place.printable)'",
                    "chown it, or chmod go-w '\(place.printable)'")
            }
            if place == "/" { return path }
            place = Paths.parent(place)
        }
    }

    /// Neither a stranger's nor the payload's, and writable for neither.
    private func isTrusted(_ status: FileStatus) -> Bool {
        [0, caller].contains(status.uid) && status.permissions & 0o002 == 0
            && (status.permissions & 0o020 == 0 || status.gid != payload.gid || payload.uid == caller)
    }

    private func refusal(_ path: String, _ key: String, _ reason: String, _ hint: String) -> JailError {
        JailError(.host, path: path, reason: "\(key) names it, and \(reason)", hint: hint)
    }
}
