import ArgumentParser
import JailApprovals
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

// For those who may handle a jail and cannot reach its own socket: with a token, or by the list of deciders.

struct ApprovalsPause: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop all processes of a jail where they are, as an operator.",
        discussion: "As 'clawjail pause', for those whom a token or the list of deciders makes operators.")

    @OptionGroup var handling: ApprovalHandling

    mutating func run() { handling.run(.pause, "paused") }
}

struct ApprovalsResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a paused jail go on, as an operator.")

    @OptionGroup var handling: ApprovalHandling

    mutating func run() { handling.run(.resume, "resumed") }
}

struct ApprovalsStop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a jail, as an operator.",
        discussion: "As 'clawjail stop', and does not wait for the end.")

    @OptionGroup var handling: ApprovalHandling

    mutating func run() { handling.run(.stop, "being stopped") }
}

struct ApprovalHandling: ParsableArguments {
    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Option(help: "Why, on one line; it is written down.") var reason: String?

    @OptionGroup var token: ApprovalTokenOption

    func run(_ action: ApprovalOrder.Action, _ done: String) {
        do throws(JailError) {
            _ = try ApprovalCall.decide(name, action, reason: reason, token: try token.read())
            try Output.print("\(done): \(name)")
        } catch { Output.fail(error) }
    }
}

struct ApprovalsDeciders: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deciders", abstract: "List who may decide without a token, and check that list.",
        discussion: """
            It is /var/lib/clawjail/\(ApprovalsPlan.decidersFile), for jails that root starts, and root writes it.
            """)

    @Flag(help: "As JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            guard System.effectiveUserID == 0 else {
                throw JailError(.usage, reason: "the list of deciders is root's", status: ExitStatus.refused)
            }
            let path = try TokenCommand.directory() + "/" + ApprovalsPlan.decidersFile
            let list = try DeciderList.read(path)
            let (accounts, groups) = (try Accounts(), try AccountGroups())
            for entry in list.entries { Self.warn(entry, accounts, groups) }
            if json { return try Output.print(JSON.array(list.entries.map(\.json)).text()) }
            guard !list.entries.isEmpty else { return try Output.print("nobody may decide without a token") }
            let rows = list.entries.map { entry in
                [entry.kind, entry.name, entry.role.rawValue, entry.owner ?? "everybody"].map(\.printable)
            }
            try Output.print(Table.text([["WHO", "NAME", "ROLE", "JAILS OF"]] + rows))
        } catch { Output.fail(error) }
    }

    private static func warn(_ entry: DeciderList.Entry, _ accounts: Accounts, _ groups: AccountGroups) {
        switch entry.subject {
        case .user(let name) where accounts.user(name) == nil: Output.say("this host knows no user '\(name.excerpt)'")
        case .group(let name) where groups.group(name) == nil: Output.say("this host knows no group '\(name.excerpt)'")
        default: break
        }
        if let owner = entry.owner, accounts.user(owner) == nil {
            Output.say("this host knows no user '\(owner.excerpt)'")
        }
    }
}

extension DeciderList.Entry {
    fileprivate var kind: String { if case .user = subject { "user" } else { "group" } }

    fileprivate var name: String {
        switch subject {
        case .user(let name), .group(let name): name
        }
    }

    fileprivate var json: JSON {
        [kind: .string(name), "role": .string(role.rawValue), "owner": .optional(owner)]
    }
}
