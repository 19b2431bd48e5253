package import JailCore
package import JailPlan

extension Privileges {
    /// Root becomes somebody else for good: no id, group or capability of root's is left, nor can a program that it executes
    /// have one.
    package static func become(_ user: HostIdentity, groups: [UInt32]) throws(SystemError) {
        guard user.uid != 0, user.gid != 0, !groups.contains(0) else { throw SystemError(.check, .notPermitted) }
        try System.clearAmbientCapabilities()
        // While there is the right to it.
        var capability: Int32 = 0
        while try System.dropBounding(capability) { capability += 1 }
        try System.setSupplementaryGroups(groups)
        try System.setGroup(user.gid)
        try System.setUser(user.uid)
        try System.setCapabilities(.empty)
        guard try System.capabilities() == .empty, System.userID == user.uid, System.effectiveUserID == user.uid,
            System.groupID == user.gid, System.effectiveGroupID == user.gid,
            try Set(System.supplementaryGroups()) == Set(groups)
        else { throw SystemError(.check, .notPermitted) }
        // There is no way back.
        guard (try? System.setUser(0)) == nil else { throw SystemError(.check, .notPermitted) }
    }
}
