import ArgumentParser
import AuditLog
import JailCore
import JailLaunch
import JailPlan
import JailPolicy
import JailVerify

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prove that a jail holds what its profile promises.",
        discussion: """
            Starts a jail as the profile says, with a probe that tries what must be impossible and what must work, and \
            prints what the kernel answered. The result is recorded in the log of that jail. Exit status 1: something did \
            not hold, or could not be tried. With the name of a running jail every process in it is looked at from outside.
            """)

    @Argument(
        help: "A running jail, GATEWAY/ID for a session: it is looked at from outside.", completion: .jails)
    var name: String?

    @Option(
        name: [.short, .long],
        help: "The profile to verify, by name or file with '/' or .json5; the default is research.",
        completion: .profiles)
    var profile: String?

    @Option(
        help: ArgumentHelp(
            "Judge by what this profile promises, in place of the same.", valueName: "profile"), completion: .profiles)
    var against: String?

    @Option(help: "Host user that the jail runs as; needed, and only allowed, when started by root.")
    var user: String?

    @Option(
        help: ArgumentHelp("Host directory for /workspace, if the profile has one.", valueName: "directory"),
        completion: .directory)
    var workspace: String?

    @Flag(help: "Also try what must work and leaves the host: an allowed request.")
    var online = false

    @Flag(help: "Print everything as JSON.")
    var json = false

    @Flag(help: "Print only what does not hold.")
    var quiet = false

    mutating func run() {
        do throws(JailError) {
            try check()
            let verification = if let name { try RunningVerification.run(name) } else { try verifyProfile() }
            let text = quiet && !json ? verification.complaints : verification.text
            if json || !text.isEmpty { try Output.print(json ? verification.fullJSON.text(pretty: true) : text) }
            Output.leave(verification.holds ? 0 : 1)
        } catch { Output.fail(error) }
    }

    /// A running jail is what it is.
    private func check() throws(JailError) {
        guard let name, profile != nil || against != nil || user != nil || workspace != nil || online else { return }
        throw JailError(
            .usage, reason: "with '\(name.printable)', a running jail, go no options but --json and --quiet",
            hint: "without a name, a jail of a profile is started and verified")
    }

    private func verifyProfile() throws(JailError) -> Verification {
        var invocation = Invocation()
        if let profile { invocation.profile = profile }
        invocation.overrides.user = user
        invocation.overrides.workspace = workspace
        return try VerifyWork(invocation, against: against, online: online).run()
    }
}
