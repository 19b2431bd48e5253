import ArgumentParser
import JailCore
import JailView

struct ApprovalsWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Watch what jails ask for, and answer with a key.",
        discussion: "Of all jails, until it is left with 'q'. No colours with NO_COLOR set.")

    @OptionGroup var token: ApprovalTokenOption

    mutating func run() {
        do throws(JailError) {
            if token.tokenFile == "-" {
                throw JailError(.usage, reason: "standard input is the keyboard here, and no place for a token")
            }
            // Refused inside a jail, before anything is drawn.
            _ = try JailLook.jails(named: nil)
            guard Surroundings.isTerminal(.standardInput), Surroundings.isTerminal(.standardOutput),
                !Surroundings.isDumb
            else {
                throw JailError(
                    .usage, reason: "watch needs a terminal that moves its cursor",
                    hint: "'clawjail approvals list' prints what waits")
            }
            var loop = try ApprovalsLoop(token: try token.read())
            try loop.run()
        } catch { Output.fail(error) }
    }
}
