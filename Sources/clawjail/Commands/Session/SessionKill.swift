import ArgumentParser
internal import Glibc
import JailCore
import JailLaunch

struct SessionKill: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Signal everything that an exec has started, also what called setsid.",
        discussion: "With KILL it returns when nothing of it is left.")

    @Argument(help: "The session's id.", completion: .sessions) var id: String
    @Option(help: ArgumentHelp("The name that was given to the exec with --exec-id.", valueName: "name"))
    var execId: String
    @Option(
        help: "KILL, TERM, INT, HUP, QUIT, USR1, USR2, STOP, CONT, or a number.",
        completion: .list(["KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT"]))
    var signal = "KILL"

    mutating func run() {
        do throws(JailError) {
            guard ExecRequest.isValid(id: execId) else {
                throw JailError(.usage, reason: "'\(execId.printable)' is not a name of an exec")
            }
            let request = ControlRequest.signal(id: execId, signal: try Self.number(signal))
            guard case .done? = try JailConnection.ask(request, try JailConnection.open(id)) else {
                // The jail ended, and everything in it.
                return
            }
        } catch { Output.fail(error) }
    }

    private static func number(_ name: String) throws(JailError) -> Int32 {
        let names: [String: Int32] = [
            "KILL": SIGKILL, "TERM": SIGTERM, "INT": SIGINT, "HUP": SIGHUP, "QUIT": SIGQUIT, "USR1": SIGUSR1,
            "USR2": SIGUSR2, "STOP": SIGSTOP, "CONT": SIGCONT,
        ]
        let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
        guard let number = names[short] ?? Int32(short), (1...64).contains(number) else {
            throw JailError(.usage, reason: "'\(name.printable)' is not a signal")
        }
        return number
    }
}
