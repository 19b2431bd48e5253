import ArgumentParser
import JailCore
import JailView

struct SessionList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the sessions.")

    @Flag(help: "Print them as JSON, one on a line.") var json = false

    mutating func run() {
        do throws(JailError) {
            let sessions = try Session.all()
            if json {
                guard !sessions.isEmpty else { return }
                let lines = try sessions.map { (session) throws(JailError) in try session.json().text() }
                return try Output.print(lines.joined(separator: "\n"))
            }
            let now = System.realtimeSeconds()
            let rows = try sessions.map { (session) throws(JailError) -> [String] in
                let use = try session.use()
                return [
                    session.jail.name, session.jail.profile, use.map { $0.isSilent ? "silent" : "running" } ?? "dead",
                    Quantity.age(now - session.jail.started), use.map { Quantity.age(now - $0.lastUsed) } ?? "-",
                    use.map { "\($0.execs)" } ?? "-",
                ]
            }
            try Output.print(Table.text([["ID", "PROFILE", "STATE", "AGE", "IDLE", "EXECS"]] + rows))
        } catch { Output.fail(error) }
    }
}
