import ArgumentParser
import JailCore
import JailDecision
import JailPolicy

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a profile allows something, by which rule of which file, or what would allow it.",
        discussion: """
            A file: read, write, execute or connect PATH, as the path is called inside. A program: program NAME. A command \
            that is run for the jail: command LINE, as sh -c has it. A system call: syscall NAME [ARGUMENT]. A port to listen \
            on: bind PORT. The network: METHOD URL, or HOST[:PORT].

            With - they are read from standard input, one on a line, and each answer is printed as JSON on a line.

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
        completion: .list([
            "read", "write", "execute", "connect", "program", "command", "syscall", "bind", "GET", "POST",
        ]))
    var subject: [String]

    mutating func run() {
        do throws(JailError) {
            var asked = try Asked(profile: profile, workspace: workspace, user: user)
            if subject == ["-"] { try answerAll(&asked) }
            let answer = try asked.answer(try Question.parse(subject))
            try Output.print(json ? answer.json.text(pretty: true) : answer.text)
            Output.leave(answer.isAllowed ? 0 : 1)
        } catch { Output.fail(error) }
    }

    private func answerAll(_ asked: inout Asked) throws(JailError) -> Never {
        let input = try attempt(.usage, "standard input") { () throws(SystemError) in
            try System.readAll(.standardInput, limit: 1 << 20)
        }
        var isAllowed = true
        for line in String(decoding: input, as: UTF8.self).split(separator: "\n") {
            // What follows the verb may be a path with spaces in it.
            var words = line.split(separator: " ", maxSplits: 1).map(String.init)
            if words.first == "syscall", words.count == 2 { words = line.split(separator: " ").map(String.init) }
            let answer = try asked.answer(try Question.parse(words))
            isAllowed = isAllowed && answer.isAllowed
            try Output.print(answer.json.text())
        }
        Output.leave(isAllowed ? 0 : 1)
    }
}

/// One profile, and questions about it. The host is only looked at for those that need it.
private struct Asked {
    struct Answer {
        var text: String
        var json: JSON
        var isAllowed: Bool
    }

    private let profile: Profile
    private let origins: ProfileOrigins
    private let invocation: Invocation
    private var decisions: JailDecisions?

    init(profile name: String, workspace: String?, user: String?) throws(JailError) {
        (profile, origins) = try Invocation.loader().loadWithOrigins(name)
        var invocation = Invocation()
        invocation.profile = name
        invocation.overrides.workspace = workspace
        invocation.overrides.user = user
        self.invocation = invocation
    }

    mutating func answer(_ question: Question) throws(JailError) -> Answer {
        switch question {
        case .network(let subject):
            let answer = NetworkExplanation(subject, by: NetworkPolicy(profile.network))
            return Answer(text: answer.text(origins), json: answer.json(origins), isAllowed: answer.isAllowed)
        case .systemCall(let name, let argument):
            let answer = SystemCallDecision.decide(name, argument, of: profile)
            return self.answer(Explanation(question, answer, origins))
        case .command(let asked):
            let answer = CommandDecision.decide(asked, of: profile, program: Self.usualPlace(of:))
            return self.answer(Explanation(question, answer, origins))
        case .file(let path, let access):
            return answer(Explanation(question, try planned().access(path, access), origins))
        case .program(let name): return answer(Explanation(question, try planned().program(name), origins))
        case .bind(let port): return answer(Explanation(question, try planned().bind(port), origins))
        }
    }

    /// Where the host has a program that a command could be.
    private static func usualPlace(of name: String) -> String? {
        guard (try? CommandRule.checkName(name)) != nil else { return nil }
        return ["/usr/local/bin/", "/usr/bin/", "/bin/"].map { $0 + name }.first { System.mayAccess($0, 1) }
    }

    private func answer(_ explanation: Explanation) -> Answer {
        Answer(text: explanation.text, json: explanation.json, isAllowed: explanation.decision.isAllowed)
    }

    private mutating func planned() throws(JailError) -> JailDecisions {
        if let decisions { return decisions }
        let made = try invocation.makeDecisions()
        decisions = made
        return made
    }
}
