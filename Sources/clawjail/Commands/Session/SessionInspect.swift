import ArgumentParser
import JailCore

struct SessionInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "What a session was made with, and what it is doing.")

    @Argument(help: "The session.") var id: String
    @Flag(help: "On one line.") var json = false

    mutating func run() {
        do throws(JailError) { try Output.print(try Session.find(id).json().text(pretty: !json)) } catch {
            Output.fail(error)
        }
    }
}
