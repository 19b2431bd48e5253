import ArgumentParser
import JailCore
import JailLaunch

struct Exec: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Execute a command in a running jail, under the same confinement as everything in it.",
        discussion: """
            Standard input, output and error are the caller's, and so is the exit status; 128+N for a signal. The command \
            has the jail's environment, and what is given here over it. 120: there is no such jail; 121: it does not run; \
            122: an exec of that name runs already; 126, 127: the command cannot be executed, or is not there.
            """)

    @Argument(help: "The jail's name, as 'clawjail ps' shows it.", completion: .jails) var name: String

    @Option(help: ArgumentHelp("Working directory inside; the default is the jail's.", valueName: "directory"))
    var workdir: String?
    @Option(
        help: ArgumentHelp(
            "Read environment variables from this descriptor: NAME=VALUE lines, or NUL-separated.",
            valueName: "descriptor"))
    var envFd: Int32?
    @Option(
        help: ArgumentHelp(
            "Read environment variables from this file, which nobody else may be able to read.", valueName: "file"),
        completion: .file())
    var envFile: String?
    @Flag(name: [.short, .long], help: "Give the command a terminal of its own.") var tty = false
    @Option(
        help: ArgumentHelp(
            "A name for 'clawjail session kill': 1-64 letters, digits, '.', '_', '-'.", valueName: "name"))
    var execId: String?
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.") var command: [String] = []

    mutating func run() { call.run() }

    var call: ExecCall {
        ExecCall(
            name: name, directory: workdir, environmentDescriptor: envFd, environmentFile: envFile, terminal: tty,
            id: execId)
    }
}

/// `exec` with everything but the command, which is taken from the process's own arguments as bytes.
struct ExecCall: Equatable {
    var name = ""
    var directory: String?
    var environmentDescriptor: Int32?
    var environmentFile: String?
    var terminal = false
    var id: String?

    /// - Parameter words: this process's arguments, as bytes.
    func run(_ words: [[UInt8]] = System.arguments) -> Never {
        do throws(JailError) {
            let request = try makeRequest(words)
            Output.leave(try ExecClient.run(request) { () throws(JailError) in try JailConnection.open(name) })
        } catch {
            Output.say(error.description)
            Output.leave(error.status)
        }
    }

    private func makeRequest(_ words: [[UInt8]]) throws(JailError) -> ExecRequest {
        let command = words.drop { $0 != Array("--".utf8) }.dropFirst()
        guard let program = command.first, !program.isEmpty else {
            throw JailError(.usage, reason: "no command is given", hint: "write it after --")
        }
        var request = ExecRequest(arguments: Array(command))
        if let environmentFile { request.environment += try EnvironmentFile.read(path: environmentFile) }
        if let environmentDescriptor {
            request.environment += try EnvironmentFile.read(descriptor: environmentDescriptor)
        }
        if let directory {
            guard directory.hasPrefix("/"), !directory.utf8.contains(0) else {
                throw JailError(.usage, reason: "--workdir must be an absolute path inside the jail")
            }
            request.directory = Array(directory.utf8)
        }
        if let id {
            guard ExecRequest.isValid(id: id) else {
                throw JailError(
                    .usage,
                    reason: "--exec-id must be 1 to \(ExecRequest.longestID) of letters, digits, '.', '_' and '-'")
            }
            request.id = id
        }
        if terminal { request.terminal = TerminalSize(rows: 0, columns: 0) }
        return request
    }
}

/// `clawjail exec` without the cost of a general parser, as ``QuickRun`` is for `run`.
extension ExecCall {
    /// - Parameter words: the arguments of the whole process: `clawjail exec …` or `clawjail session exec …`.
    init?(_ words: [[UInt8]]) {
        var words = words.dropFirst()
        func next() -> String? {
            guard let word = words.popFirst() else { return nil }
            return String(validating: word, as: UTF8.self)
        }
        guard let first = next(), first == "exec" || (first == "session" && next() == "exec") else { return nil }
        guard let name = next(), !name.hasPrefix("-") else { return nil }
        self.name = name
        while let word = next() {
            switch word {
            case "--": return
            case "--tty", "-t": terminal = true
            default:
                guard let value = next(), !value.hasPrefix("-") else { return nil }
                switch word {
                case "--workdir": directory = value
                case "--env-file": environmentFile = value
                case "--exec-id": id = value
                case "--env-fd":
                    guard let number = Int32(value) else { return nil }
                    environmentDescriptor = number
                default: return nil
                }
            }
        }
        // Without a command the general parser says what is missing.
        return nil
    }
}
