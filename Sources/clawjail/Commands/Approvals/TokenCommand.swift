import ArgumentParser
import JailApprovals
import JailCore
import JailHost
import JailPlan
import JailPolicy

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list and revoke tokens for those who look at approvals, or decide.",
        discussion: """
            A token is shown once, when it is made; what is kept is its SHA-256. It ends by itself, and at once when it is \
            revoked.
            """,
        subcommands: [TokenCreate.self, TokenShow.self, TokenRevoke.self])

    static func directory() throws(JailError) -> String {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        return request.stateDirectory(try CallerFacts.current())
    }
}

struct TokenCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a token, and print it.",
        discussion: "Who holds it is known by its name in the log: one for each person, and none for two.")

    @Argument(help: "Whose it is: letters, digits, '-', '_' and '.'.") var name: String

    @Option(help: "viewer (sees), operator (sees; pauses and stops), approver (sees; decides), or admin (everything).")
    var role = ApprovalRole.approver

    @Option(help: ArgumentHelp("When it ends, up to 366d.", valueName: "time")) var expires = "30d"

    @Option(help: ArgumentHelp("For root: whose jails it is for; the default is everybody's.", valueName: "user"))
    var owner: String?

    mutating func run() {
        do throws(JailError) {
            let (token, text) = try make()
            try TokenFile.change(try TokenCommand.directory(), ApprovalsPlan.tokensFile) { (list) throws(JailError) in
                do throws(ValueError) { try list.add(token) } catch { throw JailError(.usage, reason: error.reason) }
            }
            try Output.print(text)
            Output.say(
                "token '\(name)' is \(role.rawValue) until \(UTCTime.shown(token.expires / 1000)) UTC; it is not shown again"
            )
        } catch { Output.fail(error) }
    }

    private func make() throws(JailError) -> (AccessToken, text: String) {
        let time: UInt64
        do throws(ValueError) {
            try AccessToken.checkName(name)
            time = try TimeSpan.parse(expires)
        } catch { throw JailError(.usage, reason: "'\(name.excerpt)', '\(expires.excerpt)': \(error.reason)") }
        guard (60_000...AccessToken.longest).contains(time) else {
            throw JailError(.usage, reason: "--expires must be from 1m to \(TimeSpan.format(AccessToken.longest))")
        }
        let random = try attempt(.usage) { () throws(SystemError) in
            try System.randomBytes(AccessToken.randomCount)
        }
        let text = AccessToken.text(of: random)
        let now = System.realtimeMilliseconds()
        let token = AccessToken(
            name: name, role: role, owner: try tenant(), created: now, expires: now + Int64(time),
            digest: AccessToken.digest(of: text))
        return (token, text)
    }

    private func tenant() throws(JailError) -> UInt32? {
        let own = System.effectiveUserID
        guard own == 0 else {
            guard owner == nil else {
                throw JailError(.usage, reason: "--owner is for root: a token of yours is for your jails")
            }
            return own
        }
        guard let owner else { return nil }
        if let uid = UInt32(owner) { return uid }
        guard let user = try Accounts().user(owner) else {
            throw JailError(.usage, reason: "there is no user '\(owner.excerpt)'")
        }
        return user.uid
    }
}

struct TokenShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tokens, and never what they are. Times are UTC.")

    @Flag(help: "As JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            let path = try TokenCommand.directory() + "/" + ApprovalsPlan.tokensFile
            let list = try TokenFile.read(path)
            if json { return try Output.print(Self.json(list).text()) }
            guard !list.tokens.isEmpty else { return try Output.print("there are no tokens") }
            let now = System.realtimeMilliseconds()
            let rows = list.tokens.map { token in
                [
                    token.name, token.role.rawValue, token.owner.map { "uid \($0)" } ?? "everybody",
                    UTCTime.shown(token.created / 1000),
                    token.expires <= now ? "expired" : UTCTime.shown(token.expires / 1000),
                ]
            }
            try Output.print(Table.text([["NAME", "ROLE", "JAILS OF", "CREATED", "UNTIL"]] + rows))
        } catch { Output.fail(error) }
    }

    private static func json(_ list: TokenList) -> JSON {
        .array(
            list.tokens.map {
                [
                    "name": .string($0.name), "role": .string($0.role.rawValue),
                    "owner": $0.owner.map { .number($0) } ?? .null, "created": .number($0.created),
                    "expires": .number($0.expires),
                ]
            })
    }
}

struct TokenRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a token, at once and everywhere.",
        discussion: "What was granted with it stays granted; 'clawjail approvals revoke' takes that back.")

    @Argument(help: "Its name.", completion: .tokens) var name: String

    mutating func run() {
        do throws(JailError) {
            let directory = try TokenCommand.directory()
            let wasThere = try TokenFile.change(directory, ApprovalsPlan.tokensFile) { (list) throws(JailError) in
                list.revoke(name)
            }
            guard wasThere else {
                throw JailError(
                    .usage, reason: "there is no token '\(name.excerpt)'", status: ExitStatus.notThere)
            }
            try Output.print("revoked: \(name)")
        } catch { Output.fail(error) }
    }
}

extension ApprovalRole: ExpressibleByArgument {}
