import ArgumentParser
import JailCore
import JailLaunch
import JailPlan
import JailView

struct ApprovalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals", abstract: "See what jails ask for, and say yes or no.",
        discussion: """
            Of jails whose profile has 'approvals'. What nobody answers is denied. Every decision is in the jail's log, with \
            who has made it, and why.
            """,
        subcommands: [
            ApprovalsList.self, ApprovalsWatch.self, ApprovalsServe.self, ApprovalsApprove.self, ApprovalsDeny.self,
            ApprovalsRevoke.self, ApprovalsPause.self, ApprovalsResume.self, ApprovalsStop.self, ApprovalsDeciders.self,
        ], defaultSubcommand: ApprovalsList.self)
}

/// As whom it is decided.
struct ApprovalTokenOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with a token: what it may is what may be done. '-': standard input.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    /// Bytes of the file, its line's end among them.
    private static let limit = 256

    /// nil: as the user who calls.
    func read() throws(JailError) -> String? {
        guard let tokenFile else { return nil }
        let bytes = try attempt(.usage, tokenFile == "-" ? "standard input" : tokenFile) { () throws(SystemError) in
            if tokenFile == "-" { return try System.readContent(.standardInput, limit: Self.limit) }
            let file = try System.open(tokenFile, [.readOnly, .noControllingTerminal])
            return try System.readContent(file.borrowed, limit: Self.limit)
        }
        let text = String(decoding: bytes.filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        guard !text.isEmpty else { throw JailError(.usage, path: tokenFile, reason: "there is no token in it") }
        return text
    }
}

struct ApprovalsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what waits for approval, and what was granted.")

    @Argument(help: "A jail's name; the default is all.", completion: .jails) var name: String?

    @Flag(help: "As JSON lines, one for each jail.") var json = false

    @OptionGroup var token: ApprovalTokenOption

    mutating func run() {
        do throws(JailError) {
            let token = try token.read()
            var views: [ApprovalsView] = []
            if let name {
                if let view = try ApprovalCall.queue(name, token: token) { views = [view] }
            } else {
                views = try ApprovalCall.queues(token: token)
            }
            try Output.print(json ? views.map(Self.line).joined() : Self.text(views))
        } catch { Output.fail(error) }
    }

    private static func line(_ view: ApprovalsView) -> String {
        guard case .object(let members) = view.json else { return "" }
        return JSON.object([("name", .string(view.jail))] + members).text() + "\n"
    }

    private static func text(_ views: [ApprovalsView]) -> String {
        let waiting = views.flatMap { view in
            view.waiting.map { entry in
                [
                    view.jail, "\(entry.id)", "\(max(0, (entry.left + 999) / 1000))s", "\(entry.waiting)",
                    entry.endorsedBy.map { "approved by \($0)" } ?? (entry.fourEyes ? "needs two" : "-"), entry.subject,
                ]
            }
        }
        let grants = views.flatMap { view in
            view.grants.map { grant in
                [
                    view.jail, "\(grant.id)", grant.left.map { "\(max(0, $0 / 1000))s" } ?? "-",
                    grant.usesLeft.map { "\($0)" } ?? "-", grant.by.joined(separator: " and "), grant.subject,
                ]
            }
        }
        if waiting.isEmpty, grants.isEmpty { return "nothing waits for approval" }
        var parts: [String] = []
        if !waiting.isEmpty {
            parts.append(Table.text([["NAME", "ID", "LEFT", "WAITING", "SO FAR", "WHAT"]] + waiting))
        }
        if !grants.isEmpty {
            parts.append(Table.text([["NAME", "GRANT", "LEFT", "USES LEFT", "BY", "WHAT"]] + grants))
        }
        return parts.joined(separator: "\n\n")
    }
}
