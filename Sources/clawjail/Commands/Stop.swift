import ArgumentParser
import JailCore
import JailLaunch
import JailPlan

struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a running jail: SIGTERM, its profile's grace, then SIGKILL.")

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.", completion: .jails)
    var name: String

    @Flag(help: "Do not wait: SIGKILL at once.")
    var kill = false

    mutating func run() {
        do throws(JailError) {
            try JailConnection.end(name, kill: kill)
        } catch { Output.fail(error) }
    }
}
