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
            say. 'plant' puts one into a directory of the host's, such as a workspace; jails that have canaries look for it as \
            well, from their next start on.
            """,
        subcommands: [
            SecretCanaryKinds.self, SecretCanaryPlant.self, SecretCanaryList.self, SecretCanaryRemove.self,
        ])
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

struct SecretCanaryPlant: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plant", abstract: "Put a new canary into a directory of the host's, over nothing that is there.")

    @Argument(help: "What it looks like, see 'kinds'.", completion: .list(Canary.Kind.allCases.map(\.rawValue)))
    var kind: String

    @Option(name: .customLong("in"), help: "The directory, such as a workspace.", completion: .directory)
    var directory: String

    @Option(help: "The file below it. Without it: where such a thing usually is.")
    var path: String?

    mutating func run() {
        do throws(JailError) {
            if SessionsInside.isInside {
                throw JailError(.usage, reason: "a jail cannot plant canaries", status: ExitStatus.refused)
            }
            guard let kind = Canary.Kind(rawValue: kind) else {
                throw JailError(
                    .usage, reason: "'\(kind.excerpt)' is no kind of canary",
                    hint: "kinds: \(Canary.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            let directory = try CanaryPlanting.wholePath(directory)
            let planting = try CanaryPlanting(kind, in: directory, at: path)
            for canary in CanaryRegister.make([kind]) {
                try planting.plant(canary, state: try LockdownWork.stateDirectory())
                try Output.print("planted: \(canary.id) in \(planting.shown.printable)")
            }
        } catch { Output.fail(error) }
    }
}

struct SecretCanaryList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the canaries of a running jail, or those on the host, by their ids, and never what they say.")

    @Argument(
        help: "The jail's name, as 'clawjail ps' shows it. Without it: those that 'plant' has put on the host.",
        completion: .jails)
    var name: String?

    @Flag(help: "As JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            let canaries = if let name { try Self.canaries(of: name) } else { try Self.registered() }
            if json { return try Output.print(JSON.array(canaries.map(\.json)).text()) }
            guard !canaries.isEmpty else {
                return try Output.print(name.map { "jail '\($0)' has no canaries" } ?? "there are no canaries")
            }
            try Output.print(Table.text([["ID", "KIND", "WHERE"]] + canaries.map(\.row)))
        } catch { Output.fail(error) }
    }

    private struct Listed {
        var id: String
        var kind: String
        var path: String?
        var variable: String?

        var json: JSON {
            var members: [(String, JSON)] = [("id", .string(id)), ("kind", .string(kind))]
            if let path { members.append(("path", .string(path))) }
            if let variable { members.append(("env", .string(variable))) }
            return .object(members)
        }

        var row: [String] { [id, kind, path ?? "the variable \(variable ?? "?")"].map(\.printable) }
    }

    private static func canaries(of name: String) throws(JailError) -> [Listed] {
        guard case .running(let state) = try JailAddress(name).presence,
            let value = try? JSON5Reader.read(state, file: name)
        else { throw JailConnection.notThere(name) }
        return (value["canaries"]?.elements ?? []).map { canary in
            Listed(
                id: canary["id"]?.text ?? "?", kind: canary["kind"]?.text ?? "?", path: canary["path"]?.text,
                variable: canary["env"]?.text)
        }
    }

    private static func registered() throws(JailError) -> [Listed] {
        try CanaryRegister.all(in: try LockdownWork.stateDirectory()).map {
            Listed(id: $0.known.id, kind: $0.kind.rawValue, path: $0.path)
        }
    }
}

struct SecretCanaryRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Look no more for a canary on the host. Its file stays where it is.")

    @Argument(help: "Its id, as 'list' shows it.") var id: String

    mutating func run() {
        do throws(JailError) {
            guard let path = try CanaryRegister.remove(id, in: try LockdownWork.stateDirectory()) else {
                throw JailError(
                    .secrets, reason: "there is no canary '\(id.excerpt)' on this host",
                    hint: "'clawjail secret canary list' lists them")
            }
            try Output.print("removed: \(id); its file is \(path.printable)")
        } catch { Output.fail(error) }
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
