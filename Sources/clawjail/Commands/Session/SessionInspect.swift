import ArgumentParser
import JailCore

struct SessionInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a session was made with, and what it is doing, as JSON.")

    @Argument(help: "The session's id.", completion: .sessions) var id: String
    @Flag(help: "Print it on one line.") var json = false

    mutating func run() {
        do throws(JailError) { try Output.print(try Session.find(id).json().text(pretty: !json)) } catch {
            Output.fail(error)
        }
    }
}
