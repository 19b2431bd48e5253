import ArgumentParser
import JailCore
import JailDecision
import JailPolicy

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a profile allows something, by which rule of which file, or what would allow it.",
        discussion: """
            A file: read, write, execute or connect PATH, as the path is called inside. A program: program NAME. A system \
            call: syscall NAME [ARGUMENT]. A port to listen on: bind PORT. The network: METHOD URL, or HOST[:PORT].

            The exit status is 0 if it is allowed and 1 if it is denied. Nothing is tried, looked up or sent.
            """)

    @Option(name: [.short, .long], help: "Profile: a name, or a file with '/' or .json5.", completion: .profiles)
    var profile = "research"

    @Option(
        help: ArgumentHelp("Host directory for /workspace, as for 'run'.", valueName: "directory"),
        completion: .directory)
    var workspace: String?

    @Option(help: "Host user that the jail would run as, as for 'run'.")
    var user: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    @Argument(
        help: "What is asked, such as: read /etc/passwd.",
        completion: .list(["read", "write", "execute", "connect", "program", "syscall", "bind", "GET", "POST"]))
    var subject: [String]

    mutating func run() {
        do throws(JailError) {
            let question = try Question.parse(subject)
            let (loaded, origins) = try Invocation.loader().loadWithOrigins(profile)
            switch question {
            case .network(let subject):
                let answer = NetworkExplanation(subject, by: NetworkPolicy(loaded.network))
                try print(answer.text(origins), answer.json(origins), answer.isAllowed)
            case .systemCall(let name, let argument):
                let answer = SystemCallDecision.decide(name, argument, of: loaded)
                try print(Explanation(question, answer.decision, rules: answer.rules, origins))
            case .file(let path, let access):
                try print(Explanation(question, try decisions().access(path, access), origins))
            case .program(let name): try print(Explanation(question, try decisions().program(name), origins))
            case .bind(let port): try print(Explanation(question, try decisions().bind(port), origins))
            }
        } catch { Output.fail(error) }
    }

    private func decisions() throws(JailError) -> JailDecisions {
        var invocation = Invocation()
        invocation.profile = profile
        invocation.overrides.workspace = workspace
        invocation.overrides.user = user
        return try invocation.makeDecisions()
    }

    private func print(_ explanation: Explanation) throws(JailError) {
        try print(explanation.text, explanation.json, explanation.decision.isAllowed)
    }

    private func print(_ text: String, _ value: JSON, _ isAllowed: Bool) throws(JailError) {
        try Output.print(json ? value.text(pretty: true) : text)
        Output.leave(isAllowed ? 0 : 1)
    }
}
