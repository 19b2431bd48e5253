package import JailCore
package import JailPlan
internal import JailPolicy

extension IdentityPlan {
    /// A gid inside that nothing uses; it only has to be mapped for setgroups(2) to stay allowed.
    private static let spareGroup: UInt32 = 65533

    /// Supervisor, after the clone: writes the child's id maps, see user_namespaces(7).
    ///
    /// One id each: the payload's on the host, under its name inside. setgroups(2) is denied for good, except where it
    /// is needed once to take the caller's supplementary groups away.
    package func writeMaps(of pid: Int32) throws(JailError) {
        switch groups {
        case .notNeeded, .impossible:
            try write("deny", to: "/proc/\(pid)/setgroups")
            try write("\(inside.gid) \(host.gid) 1\n", to: "/proc/\(pid)/gid_map")
        case .byRoot:
            try write("\(inside.gid) \(host.gid) 1\n", to: "/proc/\(pid)/gid_map")
        case .byHelper(let helper, let subordinate):
            try runHelper(helper, pid: pid, subordinate: subordinate)
        }
        try write("\(inside.uid) \(host.uid) 1\n", to: "/proc/\(pid)/uid_map")
    }

    private func write(_ text: String, to path: String) throws(JailError) {
        do {
            let file = try System.open(path, .writeOnly)
            try System.writeAll(file.borrowed, text)
        } catch {
            throw JailError(.identity, error, path: path)
        }
    }

    /// newgidmap(1) may map a group beside the caller's own, and the kernel then leaves setgroups(2) allowed.
    private func runHelper(_ helper: String, pid: Int32, subordinate: UInt32) throws(JailError) {
        let arguments = [
            helper, "\(pid)", "\(inside.gid)", "\(host.gid)", "1", "\(Self.spareGroup)", "\(subordinate)", "1",
        ]
        let ended: Termination
        do {
            let child = try System.fork()
            if child == 0 {
                try? System.resetSignals()
                try? System.execute(helper, arguments: arguments, environment: [])
                System.exitNow(127)
            }
            ended = try System.wait(forChild: child)
        } catch {
            throw JailError(.identity, error, path: helper)
        }
        guard ended == .exited(0) else {
            throw JailError(
                .identity, operation: "newgidmap", reason: "it ended with status \(ended.status)",
                hint: "check the user's line in /etc/subgid, or add optional: [\"groups\"] to the profile")
        }
    }

    /// Init: becomes the payload. Afterwards nothing of the caller's identity is left, and that is read back.
    package func take() throws(SystemError) {
        let mayDropGroups =
            switch groups {
            case .byRoot, .byHelper: true
            case .notNeeded, .impossible: false
            }
        if mayDropGroups { try System.setSupplementaryGroups([]) }
        try System.setGroup(inside.gid)
        try System.setUser(inside.uid)
        if mayDropGroups, try !System.supplementaryGroups().isEmpty { throw SystemError(.check, .notPermitted) }
        guard System.userID == inside.uid, System.effectiveUserID == inside.uid, System.groupID == inside.gid,
            System.effectiveGroupID == inside.gid
        else { throw SystemError(.check, .notPermitted) }
    }
}
