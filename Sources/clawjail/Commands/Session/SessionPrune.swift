import ArgumentParser
import JailCore
import JailPolicy

struct SessionPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove sessions that nobody has used for a while, old ones, and dead ones.",
        discussion: "Prints the ids of those that were removed. One that executes something is not idle.")

    @Option(help: ArgumentHelp("Remove those that have been idle for longer than this.", valueName: "duration"))
    var idle = "24h"
    @Option(help: ArgumentHelp("Remove those that were made longer ago than this.", valueName: "duration"))
    var age = "7d"

    mutating func run() {
        do throws(JailError) {
            let idle = try Self.seconds(self.idle, "--idle")
            let age = try Self.seconds(self.age, "--age")
            let now = System.realtimeSeconds()
            // Those that a jail has had made are that jail's to prune.
            for session in try Session.all() where !session.jail.name.utf8.contains(UInt8(ascii: "/")) {
                if let use = try session.use() {
                    if use.isSilent {
                        Output.say("left alone: session '\(session.jail.name)', whose supervisor does not answer")
                        continue
                    }
                    let isIdle = use.execs == 0 && now - use.lastUsed > idle
                    guard isIdle || now - session.jail.started > age else { continue }
                }
                try SessionRemove.remove(session)
                try Output.print(session.jail.name)
            }
        } catch { Output.fail(error) }
    }

    private static func seconds(_ text: String, _ option: String) throws(JailError) -> Int64 {
        do throws(ValueError) { return Int64(clamping: try TimeSpan.parse(text) / 1000) } catch {
            throw JailError(.usage, reason: "\(option) \(error.reason)")
        }
    }
}
