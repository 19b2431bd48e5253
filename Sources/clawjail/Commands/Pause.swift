import ArgumentParser
import JailCore
import JailLaunch
import JailPlan

struct Pause: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop every process of a running jail where it is, until 'resume'.",
        discussion: """
            Nothing can be executed meanwhile; 'stop' ends it all the same. Without cgroup version 2 its processes are \
            stopped by SIGSTOP: one that was stopped before goes on with the others.
            """)

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.")
    var name: String

    mutating func run() { Pause.ask(.pause, name) }

    static func ask(_ request: ControlRequest, _ name: String) {
        do throws(JailError) {
            if SessionsInside.isInside {
                throw JailError(.usage, reason: "a jail cannot pause or resume any", status: ExitStatus.refused)
            }
            // The supervisor answers once every process has stopped, or goes on.
            guard try JailConnection.ask(request, try JailConnection.open(name)) != nil else {
                throw JailConnection.notThere(name)
            }
        } catch { Output.fail(error) }
    }
}

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a paused jail go on.")

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.")
    var name: String

    mutating func run() { Pause.ask(.resume, name) }
}
