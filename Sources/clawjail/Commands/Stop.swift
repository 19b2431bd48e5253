import ArgumentParser
import JailCore
import JailLaunch
import JailPlan

struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a running jail: SIGTERM, its profile's grace, then SIGKILL.")

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.")
    var name: String

    @Flag(help: "Without grace.")
    var kill = false

    mutating func run() {
        do throws(JailError) {
            // A name with a slash in it would lead to another directory.
            guard JailName.isValid(name) else {
                throw JailError(.usage, reason: "'\(name.printable)' is not a name of a jail")
            }
            let path = "\(try RunningJail.directory())/\(name)/\(RunDirectory.socketFile)"
            let socket = try attempt(.supervise) { () throws(SystemError) in
                try System.makeUnixSocket(.sequencedPacket)
            }
            do throws(SystemError) {
                try System.connect(socket.borrowed, path: path)
            } catch {
                throw JailError(
                    .supervise, reason: "no jail named '\(name)' is running",
                    hint: "'clawjail ps' lists those that are",
                    status: 1)
            }
            do throws(SystemError) {
                try System.send(socket.borrowed, [UInt8(ascii: kill ? "K" : "S")])
                // The supervisor closes the connection when the jail is gone.
                while try !System.receive(socket.borrowed, most: 1).bytes.isEmpty {}
            } catch  where error.errno == .connectionReset || error.errno == .brokenPipe {
            } catch { throw JailError(.supervise, error, path: path) }
        } catch { Output.fail(error) }
    }
}
