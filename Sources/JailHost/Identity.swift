package import JailCore
package import JailPlan

/// Who the payload is on the host.
package enum Identity {
    /// Root must name somebody else; everybody else is themselves.
    package static func payload(
        caller: CallerFacts, user: String?, accounts: Accounts
    ) throws(JailError) -> HostIdentity {
        caller.isRoot ? try named(user, accounts) : try own(caller, user, accounts)
    }

    private static func named(_ user: String?, _ accounts: Accounts) throws(JailError) -> HostIdentity {
        guard let user else {
            throw JailError(
                .host, reason: "started by root, but no user is named to run the command as",
                hint: "set process.user in the profile, give --user NAME, or start as that user; "
                    + "'clawjail setup' makes one for the purpose")
        }
        guard let found = accounts.user(user) else {
            throw JailError(
                .host, reason: "process.user '\(user.printable)' is not in /etc/passwd",
                hint: "make it with 'clawjail setup', or name a user that is there")
        }
        guard found.uid != 0, found.gid != 0 else {
            throw JailError(
                .host, reason: "process.user '\(user.printable)' has \(found.uid == 0 ? "user id" : "group id") 0",
                hint: "name an ordinary user; 'clawjail setup' makes one for the purpose")
        }
        return found.identity
    }

    private static func own(
        _ caller: CallerFacts, _ user: String?, _ accounts: Accounts
    ) throws(JailError) -> HostIdentity {
        // Users from a directory service are not in the file; their number serves.
        let known = accounts.user(uid: caller.uid)
        let identity = HostIdentity(name: known?.name ?? String(caller.uid), uid: caller.uid, gid: caller.gid)
        guard let user, user != String(caller.uid), accounts.user(user)?.uid != caller.uid else { return identity }
        throw JailError(
            .host,
            reason: "process.user is '\(user.printable)', but clawjail was started by '\(identity.name.printable)'",
            hint: "start it as root or as that user, or take process.user out of the profile")
    }
}

extension GroupDrop {
    private static let helper = "/usr/bin/newgidmap"

    /// How the caller's supplementary groups can be taken away.
    package static func examine(caller: CallerFacts, payload: HostIdentity) -> GroupDrop {
        // Root's own group 0 may be in the list as well, so root always clears it.
        if caller.isRoot { return .byRoot }
        guard caller.supplementaryGroups.contains(where: { $0 != caller.gid }) else { return .notNeeded }
        if (try? System.hasNoNewPrivileges()) == true {
            return .impossible(
                reason: "the caller's other groups can only be dropped by newgidmap, which cannot work under "
                    + "no_new_privs: take NoNewPrivileges= out of the unit, or start as a user without other groups")
        }
        guard helperWorks() else {
            return .impossible(
                reason: "the caller's other groups can only be dropped by \(helper), which is missing or not setuid: "
                    + "apt install uidmap (Debian, Ubuntu), dnf install shadow-utils (Fedora)")
        }
        let subordinates = (try? System.readFile("/etc/subgid", limit: 4 << 20)) ?? []
        guard let group = Accounts.firstSubordinate(of: payload, in: subordinates) else {
            let name = payload.name.printable
            return .impossible(
                reason:
                    "the caller's other groups can only be dropped with a subordinate group, and '\(name)' has none "
                    + "in /etc/subgid: usermod --add-subgids 100000-165535 \(name) (as root)")
        }
        return .byHelper(path: helper, subordinateGroup: group)
    }

    /// newgidmap is root's and has its rights from the setuid bit or from CAP_SETGID (6) as a file capability.
    private static func helperWorks() -> Bool {
        guard let status = try? System.status(helper, followSymlink: true), status.kind == .regular, status.uid == 0,
            status.mode & 0o111 != 0
        else { return false }
        if status.mode & 0o4000 != 0 { return true }
        // struct vfs_cap_data of linux/capability.h: a magic number, then the permitted set's low word.
        guard let capability = System.attribute("security.capability", helper) else { return false }
        let permitted = try? ByteReader(capability).number(at: 4, as: UInt32.self)
        return (permitted ?? 0) & (1 << 6) != 0
    }
}
