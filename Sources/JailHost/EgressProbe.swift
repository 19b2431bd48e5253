package import JailCore
internal import JailPlan

/// Where the process of the way out comes from, and who it could be.
package enum EgressProbe {
    /// Beside this very program. The file is opened and compared again when it is started.
    static func examine(_ accounts: Accounts) throws(JailError) -> EgressFacts {
        let program = try OwnProgramProbe.examine("clawjail-egress")
        let id = try attempt(.host, "clawjail-egress") { () throws(SystemError) in try freeID(accounts) }
        return EgressFacts(program: program.path, file: program.file, freeID: id)
    }

    /// A user's number that nobody has, for a process that is to have no files.
    ///
    /// From the range that systemd gives to services with DynamicUser= (61184 to 65519, see "Users, Groups, UIDs and
    /// GIDs on systemd Systems"): no distribution gives these to accounts. One of them by chance, so that two jails
    /// rarely share one, and never one that has an account all the same. Nothing on disk ever belongs to it.
    package static func freeID(_ accounts: Accounts) throws(SystemError) -> UInt32 {
        let random = try System.randomBytes(2)
        let count: UInt32 = 65519 - 61184 + 1
        let start = (UInt32(random[0]) | UInt32(random[1]) << 8) % count
        for offset in 0..<count {
            let id = 61184 + (start + offset) % count
            if !accounts.users.contains(where: { $0.uid == id || $0.gid == id }) { return id }
        }
        throw SystemError(.check, .noSpace)
    }
}
