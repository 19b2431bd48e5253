import ArgumentParser
internal import Glibc
import JailCore

@main
struct Clawjail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clawjail",
        abstract: "Run the OpenClaw gateway with the fewest permissions that still do the job.",
        version: "0.1.0",
        subcommands: [Run.self, Plan.self, List.self, Stop.self, ProfileCommand.self, Diagnose.self])

    /// One thread, and no library's start-up, on the way to a jail: `run` in its plain forms never sees the parser.
    static func main() {
        let words = CommandLine.arguments
        // Swift finds them through /proc/self/maps. Without them this would print its help, and seem to have done well.
        if words.isEmpty {
            Output.fail(JailError(.host, reason: "the command line cannot be read", hint: "mount /proc"))
        }
        if words.count > 1, words[1] == "run", let quick = QuickRun(words[2...]) {
            Run.run(quick.invocation, detach: quick.detach, statusDescriptor: quick.statusDescriptor)
        }
        main(nil)
    }
}
