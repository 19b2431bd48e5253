import ArgumentParser

struct SessionExec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Execute a command in a session, as 'clawjail exec' does in any jail.")

    @OptionGroup var call: Exec

    mutating func run() { call.run() }
}
