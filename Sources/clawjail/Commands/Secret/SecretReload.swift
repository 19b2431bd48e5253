import ArgumentParser
import JailCore
import JailLaunch

struct SecretReload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have jails that run read their secrets again, wherever they come from.",
        discussion: """
            For secrets that files, credentials or programs hold, after they were changed there. What 'clawjail secret' itself \
            changes, jails know at once; a variable is read once, at the start. Exit status 1: a jail could not read one, and goes \
            on with what it had.
            """)

    @Argument(help: "The jail; without it, all that run.", completion: .jails) var jail: String?

    mutating func run() {
        do throws(JailError) {
            if let jail { _ = try JailConnection.open(jail) }
            let isWell = SecretNews.tell(SecretNote(.reload, nil, who: LockdownWork.who()), only: jail)
            if !isWell { Output.leave(1) }
        } catch { Output.fail(error) }
    }
}
