import ArgumentParser
import JailCore
import JailPolicy

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a profile allows a request or a host, by which rule, or which rule would.",
        discussion: "The exit status is 0 if it is allowed and 1 if it is denied. Nothing is looked up or sent.")

    @Option(name: [.short, .long], help: "Profile: a name, or a file with '/' or .json5.", completion: .profiles)
    var profile = "research"

    @Flag(help: "Print the answer as JSON.")
    var json = false

    @Argument(help: "METHOD URL, or HOST[:PORT].")
    var subject: [String]

    mutating func run() {
        do throws(JailError) {
            let subject = try NetworkSubject.parse(subject)
            let rules = try Invocation.loader().load(profile).network
            let explanation = NetworkExplanation(subject, by: NetworkPolicy(rules))
            try Output.print(json ? explanation.json.text(pretty: true) : explanation.text)
            Output.leave(explanation.isAllowed ? 0 : 1)
        } catch { Output.fail(error) }
    }
}
