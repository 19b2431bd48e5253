import ArgumentParser
import JailApprovals
import JailCore
import JailLaunch
import JailPolicy

struct ApprovalsApprove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Say yes to what a jail asks for: once, unless more is said.",
        discussion: """
            Where two have to say yes the first one says how far it goes, and the second one says the same, or nothing.
            """)

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "The number that 'clawjail approvals' shows.") var id: UInt64

    @Option(name: .customLong("for"), help: ArgumentHelp("For a time such as 5m, up to 1d.", valueName: "time"))
    var time: String?

    @Option(help: ArgumentHelp("So many times, up to \(ApprovalTerms.mostUses).", valueName: "number"))
    var uses: UInt64?

    @Flag(help: "Until the jail ends.") var untilEnd = false

    @Option(help: ArgumentHelp("Also for other paths below this one, which ends with '/'.", valueName: "path"))
    var below: String?

    @Option(help: "Why, on one line; it is written down.") var reason: String?

    @OptionGroup var token: ApprovalTokenOption

    mutating func run() {
        do throws(JailError) {
            let action = ApprovalOrder.Action.approve(id, try terms())
            try Output.print(try ApprovalCall.decide(name, action, reason: reason, token: try token.read()))
        } catch { Output.fail(error) }
    }

    private func terms() throws(JailError) -> ApprovalTerms? {
        if untilEnd, time != nil || uses != nil {
            throw JailError(.usage, reason: "--until-end is without --for and --uses")
        }
        var milliseconds: UInt64?
        if let time {
            do throws(ValueError) { milliseconds = try TimeSpan.parse(time) } catch {
                throw JailError(.usage, reason: "--for \(error.reason)")
            }
        }
        if !untilEnd, time == nil, uses == nil {
            return below == nil ? nil : ApprovalTerms(uses: 1, below: below)
        }
        return ApprovalTerms(uses: uses, time: milliseconds, below: below)
    }
}

struct ApprovalsDeny: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny", abstract: "Say no to what a jail asks for.",
        discussion: "Whoever asks the same again within a minute hears it as well, and nobody is asked.")

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "The number that 'clawjail approvals' shows.") var id: UInt64

    @Option(help: "Why, on one line; it is written down, and told to who has asked.") var reason: String?

    @OptionGroup var token: ApprovalTokenOption

    mutating func run() {
        do throws(JailError) {
            try Output.print(try ApprovalCall.decide(name, .deny(id), reason: reason, token: try token.read()))
        } catch { Output.fail(error) }
    }
}

struct ApprovalsRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take back what is left of a grant.",
        discussion: "Requests that it has let through already go on.")

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "The grant's number, as 'clawjail approvals' shows it.") var grant: UInt64

    @OptionGroup var token: ApprovalTokenOption

    mutating func run() {
        do throws(JailError) {
            try Output.print(
                try ApprovalCall.decide(name, .revoke(grant: grant), reason: nil, token: try token.read()))
        } catch { Output.fail(error) }
    }
}
