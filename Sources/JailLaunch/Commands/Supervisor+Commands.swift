internal import JailCore
internal import JailPlan
internal import JailPolicy

extension Supervisor {
    /// The desk that hears of commands; nil: the plan lists none.
    ///
    /// - Parameters:
    ///   - peers: see ``JailPeers``.
    ///   - inside: runs commands in the jail itself.
    ///   - elsewhere: runs those that run in a process apart.
    static func makeDesk(
        _ plan: LaunchPlan, peers: JailPeers?, inside: (any CommandRuns)?, elsewhere: (any CommandRuns)?
    ) throws(JailError) -> CommandDesk? {
        guard let commands = plan.commands, let peers else { return nil }
        return CommandDesk(
            commands, profile: plan.profile, asksUnlisted: plan.approvals?.rules.ask.contains(.command) == true,
            try CommandPlaces(commands.places, inside: inside, elsewhere: elsewhere), admits: peers.isInside)
    }

    /// Runs what does not run in the jail that asks; nil: everything does. Forked while there are the rights to become somebody
    /// else.
    static func makeRunner(_ plan: LaunchPlan) throws(JailError) -> CommandRunnerProcess? {
        guard let commands = plan.commands, commands.leavesJail else { return nil }
        return try CommandRunnerProcess(plan, commands)
    }

    /// While init can still be looked at.
    static func makePeers(_ plan: LaunchPlan, _ pid: Int32) throws(JailError) -> JailPeers? {
        guard plan.commands != nil else { return nil }
        return try attempt(.supervise, "/proc/\(pid)/ns/pid") { () throws(SystemError) in
            try JailPeers(of: pid, uid: plan.identity.host.uid)
        }
    }
}
