import ArgumentParser
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

struct Alerts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Try what a profile's alerts do.", subcommands: [AlertsTest.self])
}

struct AlertsTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Do once what a rule of 'alerts' does, without a jail.",
        discussion: """
            Pausing and stopping are left out. The exit status is 125 if something could not be done.
            """)

    @Option(
        name: [.short, .long], help: "A profile's name, or a file with '/' or .json5.", completion: .profiles)
    var profile = "research"

    @Argument(help: "The name of the rule.") var rule: String

    mutating func run() {
        do throws(JailError) {
            let profile = try Invocation.loader().load(profile)
            guard let alerts = profile.alerts, let found = alerts.all.first(where: { $0.name == rule }) else {
                throw Self.unknown(rule, in: profile)
            }
            guard let plan = try Self.plan(alerts, of: profile) else { throw Self.unknown(rule, in: profile) }
            try Output.print("\(found.shown)")
            var hasFailed = false
            for outcome in AlertTest.fire(found, of: plan, jail: "test") {
                try Output.print("\(outcome.action.rawValue): \(outcome.failure ?? "done")")
                if outcome.failure != nil { hasFailed = true }
            }
            for action in found.actions where action == .pause || action == .stop {
                try Output.print("\(action.rawValue): not tried: there is no jail")
            }
            if found.actions.isEmpty { try Output.print("it goes to the log alone") }
            Output.leave(hasFailed ? ExitStatus.launchFailed : 0)
        } catch { Output.fail(error) }
    }

    private static func plan(_ alerts: AlertRules, of profile: Profile) throws(JailError) -> AlertsPlan? {
        let request = try HostRequest.fromEnvironment(profile: profile, command: [])
        let caller = try CallerFacts.current()
        let state = request.stateDirectory(caller)
        let programs = try HostPrograms.find(
            for: profile, searchPath: request.searchPath, caller: caller.uid,
            // Who it would be inside is not known yet.
            payload: HostIdentity(name: "", uid: caller.uid, gid: caller.gid), stateDirectory: state)
        return try AlertsPlanner(rules: alerts, programs: programs).plan(baseline: state)
    }

    private static func unknown(_ rule: String, in profile: Profile) -> JailError {
        let names = profile.alerts?.all.map(\.name) ?? []
        let nearest = NearestName.find(rule, among: names)
        return JailError(
            .usage, reason: "profile '\(profile.name)' has no rule of alerts that is called '\(rule.excerpt)'",
            hint: nearest.map { "did you mean '\($0)'?" }
                ?? (names.isEmpty ? "it has none at all" : "it has \(names.joined(separator: ", "))"))
    }
}
