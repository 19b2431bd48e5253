internal import JailPlan

/// State directories, and what lies above them.
extension HostAudit {
    @Sendable static func stateDirectories(_ picture: HostPicture) -> [HostFinding] {
        picture.states.flatMap { state -> [HostFinding] in
            let view = state.way.end
            let path = state.path
            var found: [HostFinding] = []
            if state.named.isLink {
                found.append(
                    HostFinding(
                        .stateLink, .medium, path, seen: "it is a link to '\(state.named.target ?? "?")'",
                        remedy: "export OPENCLAW_STATE_DIR=\(state.way.canonical.quotedForShell)"))
            }
            found += modes(view, canMend: isMendable(state, picture))
            if let owner = wrongOwner(state, picture) {
                found.append(
                    HostFinding(
                        .stateOwner, .high, path, seen: "it belongs to \(picture.userName(view.uid)), not to \(owner)",
                        remedy: "sudo chown -R \(owner.quotedForShell) \(path.quotedForShell)"))
            }
            if let mark = state.syncMarks.first {
                found.append(
                    HostFinding(
                        .synced, .medium, path, seen: "it is in a directory that is copied elsewhere ('\(mark)')",
                        remedy: "move it out of there, and set OPENCLAW_STATE_DIR"))
            }
            return found
        }
    }

    private static func modes(_ view: FileView, canMend: Bool) -> [HostFinding] {
        let seen = "its mode is \(view.modeText)"
        let remedy = "chmod 700 \(view.path.quotedForShell)"
        let fixes = canMend ? [ModeFix(view, taking: 0o077)].compactMap(\.self) : []
        func finding(_ check: HostCheck, _ severity: Severity) -> HostFinding {
            HostFinding(check, severity, view.path, seen: seen, remedy: remedy, fixes: fixes)
        }
        if view.isWorldWritable { return [finding(.stateWorldWritable, .critical)] }
        if view.isGroupWritable { return [finding(.stateGroupWritable, .high)] }
        return view.permissions & 0o055 != 0 ? [finding(.stateReadable, .medium)] : []
    }

    /// Nobody else has said that this directory is one: it is the caller's own, and no link of another user's leads to it.
    /// A user whose `~/.openclaw` leads to /etc must not have root close /etc.
    static func isMendable(_ state: StateView, _ picture: HostPicture) -> Bool {
        state.way.end.uid == picture.callerUID
            && state.way.links.allSatisfy { $0.uid == 0 || $0.uid == picture.callerUID }
            && state.way.directories.allSatisfy { $0.uid == 0 || $0.uid == picture.callerUID }
    }

    /// Who should own it: the one whose home it is in, or the only gateway's user. nil: nobody can say.
    private static func rightfulOwner(_ state: StateView, _ picture: HostPicture) -> UInt32? {
        let homes = picture.accounts.filter {
            $0.uid != 0 && $0.home.utf8.count > 1 && state.path.hasPrefix($0.home + "/")
        }
        if let account = homes.max(by: { $0.home.utf8.count < $1.home.utf8.count }) {
            // Several users may have one home.
            return homes.first { $0.uid == state.way.end.uid }?.uid ?? account.uid
        }
        let users = Set(picture.gateways.map(\.uid))
        return users.count == 1 && picture.states.count == 1 ? users.first : nil
    }

    private static func wrongOwner(_ state: StateView, _ picture: HostPicture) -> String? {
        guard let user = rightfulOwner(state, picture), user != state.way.end.uid else { return nil }
        return picture.userName(user)
    }

    // MARK: The way there

    @Sendable static func ways(_ picture: HostPicture) -> [HostFinding] {
        var told: Set<String> = []
        return picture.states.flatMap { state in
            state.way.directories.compactMap { parent(of: state, $0, picture) }.filter {
                told.insert("\($0.check.id) \($0.subject)").inserted
            }
        }
    }

    /// A sticky directory that everybody may write to lets nobody rename what is another's.
    private static func parent(of state: StateView, _ view: FileView, _ picture: HostPicture) -> HostFinding? {
        let owner = state.way.end.uid
        if view.uid != 0, view.uid != owner, view.uid != rightfulOwner(state, picture) {
            return HostFinding(
                .parentOwner, .high, view.path,
                seen: "it belongs to \(picture.userName(view.uid)), and '\(state.path)' is below",
                remedy: "sudo chown \(picture.userName(owner).quotedForShell) \(view.path.quotedForShell)")
        }
        guard isOpen(view, picture) else { return nil }
        return HostFinding(
            .parentWritable, view.isWorldWritable ? .critical : .high, view.path,
            seen:
                "its mode is \(view.modeText), its group \(picture.groupName(view.gid)), and '\(state.path)' is below",
            remedy: "chmod go-w \(view.path.quotedForShell)")
    }

    /// Others than the owner and root can put something in the place of what is in it.
    static func isOpen(_ view: FileView, _ picture: HostPicture) -> Bool {
        if view.isSticky, view.isDirectory { return false }
        if view.isWorldWritable { return true }
        return view.isGroupWritable && !isClosed(group: view.gid, owner: view.uid, picture)
    }

    private static func isClosed(group gid: UInt32, owner uid: UInt32, _ picture: HostPicture) -> Bool {
        if picture.isPrivate(group: gid, of: uid) { return true }
        return gid == 0 && picture.groups.filter { $0.gid == 0 }.flatMap(\.members).allSatisfy { $0 == "root" }
            && !picture.accounts.contains { $0.gid == 0 && $0.uid != 0 }
    }
}
