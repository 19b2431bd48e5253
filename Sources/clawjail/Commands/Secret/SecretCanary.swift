import ArgumentParser
import JailCore
import JailLaunch
import JailPolicy
import SecretTraces

struct SecretCanary: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "canary",
        abstract: "What opens nothing, and is planted in jails to be told of when it leaves them.",
        discussion: """
            A profile's 'canaries' say which ones a jail has. They are new for each jail and start; nobody is shown what they \
            say.
            """,
        subcommands: [SecretCanaryKinds.self, SecretCanaryList.self])
}

struct SecretCanaryKinds: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinds", abstract: "List the kinds of canaries, and where each usually is.")

    @Flag(help: "As JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            let kinds = Canary.Kind.allCases
            if json {
                let list = kinds.map { kind -> JSON in
                    ["kind": .string(kind.rawValue), "path": .string(kind.path), "env": .boolean(kind.isToken)]
                }
                return try Output.print(JSON.array(list).text())
            }
            try Output.print(
                Table.text(
                    [["KIND", "BELOW THE HOME DIRECTORY", "IN A VARIABLE", "LOOKS LIKE"]]
                        + kinds.map { [$0.rawValue, $0.path, $0.isToken ? "yes" : "no", $0.likeness] }))
        } catch { Output.fail(error) }
    }
}

struct SecretCanaryList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the canaries of a running jail by their ids, and never what they say.")

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.", completion: .jails)
    var name: String

    @Flag(help: "As JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            let address = try JailAddress(name)
            guard case .running(let state) = address.presence,
                let value = try? JSON5Reader.read(state, file: name)
            else { throw JailConnection.notThere(name) }
            let canaries = value["canaries"]?.elements ?? []
            if json { return try Output.print(JSON.array(canaries.map(\.json)).text()) }
            guard !canaries.isEmpty else { return try Output.print("jail '\(name)' has no canaries") }
            try Output.print(
                Table.text([["ID", "KIND", "WHERE"]] + canaries.map(Self.row)))
        } catch { Output.fail(error) }
    }

    private static func row(_ canary: JSON5Value) -> [String] {
        let place = canary["path"]?.text ?? canary["env"]?.text.map { "the variable \($0)" }
        return [canary["id"]?.text, canary["kind"]?.text, place].map { ($0 ?? "?").printable }
    }
}

extension Canary.Kind {
    /// For people.
    fileprivate var likeness: String {
        switch self {
        case .aws: "an access key of AWS with its secret"
        case .github: "a personal access token of GitHub"
        case .slack: "a bot's token of Slack"
        case .ssh: "a private key of OpenSSH"
        case .environment: "settings with a database's password and two keys"
        case .document: "a document that is not to leave the machine"
        }
    }
}
