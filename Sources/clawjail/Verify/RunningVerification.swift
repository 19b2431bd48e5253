import AuditLog
import JailCore
import JailLaunch
import JailPolicy
import JailVerify

/// Verifies a running jail, from outside.
enum RunningVerification {
    static func run(_ name: String) throws(JailError) -> Verification {
        let began = System.monotonicNanoseconds()
        if SessionsInside.isInside {
            throw JailError(.usage, reason: "a jail cannot verify jails", status: ExitStatus.refused)
        }
        let address = try JailAddress(name)
        let connection = try JailConnection.open(name)
        var found: RunningJail?
        if case .running(let state) = address.presence { found = RunningJail(name: address.shown, state: state) }
        guard let jail = found, let text = try JailConnection.plan(connection) else {
            throw JailConnection.notThere(name)
        }
        guard let value = try? JSON5Reader.read(text, file: "plan"), let promises = RunningPromises(value) else {
            throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
        }
        let log = AuditLogs.log(of: address.shown, below: try AuditCommand.base())
        var facts = RunningJailFacts.gather(of: jail, log: log)
        facts.shownPlan = AuditDigest(of: text).description
        var verification = RunningCheckList(promises).verification(
            facts, subject: "jail \(address.shown), profile \(promises.profile)")
        verification.notes = [
            "\(facts.processes.count) processes were looked at from outside, and nothing was added to the jail; what only a "
                + "trial inside can show, 'clawjail verify --profile \(promises.profile)' tries in a jail of its own"
        ]
        verification.jail = address.shown
        try verification.record(through: try JailConnection.open(name))
        verification.milliseconds = (System.monotonicNanoseconds() - began) / 1_000_000
        return verification
    }
}
