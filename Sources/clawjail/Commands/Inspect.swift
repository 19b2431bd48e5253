import ArgumentParser
import JailCore

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show everything about a running jail.",
        discussion: """
            Its state, who started it, what it was made from, what it uses and has used, its sessions, its last events. The \
            digest is that of the plan as the jail's supervisor holds it.
            """)

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.", completion: .jails)
    var name: String

    @Flag(help: "As JSON, with the whole plan; of the environment only the names.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let inspection = try Inspection(name)
            if json { return try Output.print(inspection.json.text(pretty: true)) }
            let now = System.realtimeSeconds()
            try Output.print(inspection.text(now: now, offset: Surroundings.clockOffset(now)))
        } catch { Output.fail(error) }
    }
}
