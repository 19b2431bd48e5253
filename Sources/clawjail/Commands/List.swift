import ArgumentParser
import JailCore
import JailPlan
import JailPolicy
import JailView

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ps", abstract: "List the jails that are running.")

    @Flag(help: "Print them as JSON, one on a line.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let jails = try RunningJail.all()
            if json { return try Output.print(jails.map(\.json).joined()) }
            let now = System.realtimeSeconds()
            let rows = jails.map { jail in
                [
                    jail.name, jail.profile, "\(jail.guardian ?? jail.supervisor)", jail.condition,
                    Quantity.age(now - jail.started),
                    jail.published.isEmpty ? "-" : jail.published.joined(separator: ","),
                    jail.command.isEmpty
                        ? "-" : jail.command.map(\.quotedForShell).joined(separator: " ").printable,
                ]
            }
            try Output.print(Table.text([["NAME", "PROFILE", "PID", "STATE", "UP", "PORTS", "COMMAND"]] + rows))
        } catch { Output.fail(error) }
    }
}
