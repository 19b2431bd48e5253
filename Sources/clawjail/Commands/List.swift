import ArgumentParser
import JailCore
import JailPlan
import JailPolicy

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
                    jail.name, jail.profile, "\(jail.supervisor)", jail.condition, Self.age(now - jail.started),
                    jail.published.isEmpty ? "-" : jail.published.joined(separator: ","),
                    jail.command.isEmpty
                        ? "-" : jail.command.map(\.quotedForShell).joined(separator: " ").printable,
                ]
            }
            try Output.print(Table.text([["NAME", "PROFILE", "PID", "STATE", "UP", "PORTS", "COMMAND"]] + rows))
        } catch { Output.fail(error) }
    }

    static func age(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case let age where age < 120: "\(age)s"
        case let age where age < 7200: "\(age / 60)m"
        case let age where age < 172_800: "\(age / 3600)h"
        case let age: "\(age / 86400)d"
        }
    }
}
