import ArgumentParser
import JailCore
import JailLaunch
import JailPlan

struct Lockdown: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a jail where it is, cut its network, keep evidence, and let it not start again.",
        discussion: """
            For an emergency. First a marker is written that keeps it from starting, whoever tries; then every process \
            stands still and the network is cut, of all jails at the same time, with the sessions that they have had made; \
            then evidence is put into one archive; then they are killed, without having executed anything more. 'clawjail \
            unlock' lets them start again.
            """)

    @Argument(help: "The jail's name; it need not be running.", completion: .jails)
    var name: String?

    @Flag(help: "Every jail of this user, and whatever would be started.")
    var all = false

    @Option(help: "Why, on one line; it is written down.")
    var reason: String

    @Flag(help: "Keep no evidence.")
    var noEvidence = false

    @Flag(help: "Leave the jail standing still, and do not kill it.")
    var keep = false

    @Flag(help: "As JSON lines.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let subject = try Self.subject(name, all: all)
            var work = try LockdownWork(
                subject, reason: reason, options: .init(keepsEvidence: !noEvidence, stops: !keep))
            try work.freeze()
            Output.say(work.summary)
            let outcomes = work.finish()
            try Output.print(outcomes.map { json ? $0.json.text() : $0.text }.joined(separator: "\n"))
            Output.leave(outcomes.contains { $0.failure != nil } ? ExitStatus.launchFailed : 0)
        } catch { Output.fail(error) }
    }

    static func subject(_ name: String?, all: Bool) throws(JailError) -> LockdownMarker.Subject {
        if SessionsInside.isInside {
            throw JailError(.usage, reason: "a jail cannot lock down or unlock any", status: ExitStatus.refused)
        }
        switch (name, all) {
        case (nil, true): return .all
        case (let name?, false):
            let address = try JailAddress(name)
            return address.gateway.map { .session(address.name, of: $0) } ?? .jail(address.name)
        default: throw JailError(.usage, reason: "name either a jail or --all")
        }
    }
}
