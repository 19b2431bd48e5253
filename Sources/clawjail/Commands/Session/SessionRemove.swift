import ArgumentParser
import JailCore
import JailLaunch
import JailPlan

struct SessionRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "End a session and everything in it. Its workspace stays.")

    @Argument(help: "The session's id.", completion: .sessions) var id: String

    mutating func run() {
        do throws(JailError) {
            do throws(JailError) { try Self.remove(try Session.find(id)) } catch {
                guard error.status == ExitStatus.notThere else { throw error }
                Output.say("no session '\(id)': nothing to remove")
                // Of one that ended by itself.
                if !SessionsInside.isInside, JailName.isValid(id) { try Background.removeLog(ofSession: id) }
            }
        } catch { Output.fail(error) }
    }

    static func remove(_ session: Session) throws(JailError) {
        if session.isRunning {
            do throws(JailError) {
                try JailConnection.end(try JailConnection.open(session.jail.name), kill: true)
            } catch {
                // It has ended meanwhile.
                guard error.status == ExitStatus.notThere || error.status == ExitStatus.notRunning else { throw error }
            }
        }
        // The maker of sessions clears up after those that a jail has had made, and they have no log.
        if SessionsInside.isInside { return }
        let address = try JailAddress(session.jail.name)
        // Somebody else may have made it anew at once: then the log is that one's.
        if case .running = address.presence { return }
        if address.gateway == nil { try Background.removeLog(ofSession: session.jail.name) }
        if case .dead = address.presence { try RunDirectory.clearDead(in: address.base) }
    }
}
