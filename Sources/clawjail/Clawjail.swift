import ArgumentParser
internal import Glibc
import JailCore

@main
struct Clawjail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clawjail",
        abstract: "Run the OpenClaw gateway with the fewest permissions that still do the job.",
        version: Release.version,
        subcommands: [
            Run.self, Plan.self, Exec.self, SessionCommand.self, List.self, InspectCommand.self, Logs.self, Stats.self,
            Spend.self, Top.self, MetricsCommand.self, Stop.self, Pause.self, Resume.self, Lockdown.self, Unlock.self,
            DataCommand.self, ChangesCommand.self, AuditCommand.self, SecretCommand.self, Alerts.self,
            ApprovalsCommand.self, TokenCommand.self, Verify.self,
            Learn.self,
            ProfileCommand.self, Promote.self, Demote.self, Explain.self, Diagnose.self, HostAuditCommand.self,
            Setup.self, Export.self,
        ])

    /// One thread, and no library's start-up, on the way to a jail: `run` in its plain forms never sees the parser.
    static func main() {
        if let call = ExecCall(System.arguments) { call.run() }
        let words = CommandLine.arguments
        // Swift reads them from /proc/self/cmdline, and there is always at least the program's name.
        guard !words.isEmpty else {
            Output.fail(JailError(.host, path: "/proc", reason: "it is not mounted", hint: "mount -t proc proc /proc"))
        }
        // The name that it was called by: a symlink, see `make install`.
        if words[0] == "clawjail-ssh" || words[0].hasSuffix("/clawjail-ssh") { SecureShell.run(words[1...]) }
        if SecretProvider.isCalled(words) { SecretProvider.run() }
        if words.count > 1, words[1] == "run", let quick = QuickRun(words[2...]) {
            Run.run(quick.invocation, detach: quick.detach, statusDescriptor: quick.statusDescriptor)
        }
        if words.count > 2, words[1] == "session", words[2] == "create", let settings = SessionSettings(words[3...]) {
            SessionCreate.run(settings)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            // One line, as every other refusal. Help and version are "errors" of the parser's as well.
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Output.fail(usageError(words, message(for: error)))
        }
    }

    private static func usageError(_ words: [String], _ message: String) -> JailError {
        // The parser repeats the word that it does not know, and here that may be a value.
        if words.dropFirst().first(where: { !$0.hasPrefix("-") }) == "secret" {
            return JailError(
                .usage, reason: "wrong usage of 'secret': a value is never an argument, but comes from standard input",
                hint: "see 'clawjail secret --help'; a value that was given stands in the shell's history: change it")
        }
        let reason = message.split(separator: "\n").first.map(String.init) ?? "wrong usage"
        return JailError(.usage, reason: reason.printable, hint: "see 'clawjail --help'")
    }
}
