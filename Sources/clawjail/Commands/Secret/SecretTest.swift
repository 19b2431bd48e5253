import ArgumentParser
import JailCore
import JailPolicy
import SecretStore

struct SecretTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Look whether a secret is there, can be opened, and is taken by its service.",
        discussion: """
            Without options nothing leaves the host. With --github or --profile the service is asked by a client in a jail \
            that may ask this one thing (curl, with a placeholder), so the value goes nowhere but where it is bound to. \
            GitHub says which scopes a token has. 123: the service does not take it.
            """)

    @Argument(help: "The secret's name.", completion: .secrets) var name: String

    @Flag(help: "Ask api.github.com, of a token of GitHub's.")
    var github = false

    @Option(
        name: [.short, .long], help: "Ask the hosts that this profile binds the secret to: the first of each binding.",
        completion: .profiles)
    var profile: String?

    @Option(help: "What is asked for (GET), with a query if that is needed; '/' unless it is said.")
    var path: String?

    @OptionGroup var key: SecretKeyOptions

    func validate() throws {
        guard !github || profile == nil else { throw ValidationError("--github and --profile are one too many") }
        guard path == nil || profile != nil else { throw ValidationError("--path needs --profile") }
    }

    mutating func run() {
        do throws(JailError) {
            // Before anything is opened here: what is started has never had a value in its memory.
            let inquiries = try inquiries()
            let said = try ask(inquiries)
            try SecretPlace.guardMemory()
            // One from elsewhere is in no store.
            if inquiries.allSatisfy(\.isKept) { for line in try local() { try Output.print(line) } }
            var failure: JailError?
            for (inquiry, bytes) in said {
                do throws(JailError) { try tell(inquiry, bytes) } catch {
                    if let failure { Output.say(failure.description) }
                    failure = error
                }
            }
            if let failure { throw failure }
        } catch { Output.fail(error) }
    }

    private func tell(_ inquiry: SecretInquiry, _ bytes: [UInt8]) throws(JailError) {
        guard let answer = SecretAnswer(bytes) else {
            throw JailError(.secrets, reason: "\(inquiry.host.text) did not answer in HTTP")
        }
        for line in try answer.lines(name, inquiry.host.text) { try Output.print(line) }
    }

    private func local() throws(JailError) -> [String] {
        try SecretTrial(try SecretPlace.reading(key), name, now: System.realtimeSeconds()).lines
    }

    private func ask(_ inquiries: [SecretInquiry]) throws(JailError) -> [(inquiry: SecretInquiry, bytes: [UInt8])] {
        var said: [(inquiry: SecretInquiry, bytes: [UInt8])] = []
        for inquiry in inquiries {
            var invocation = Invocation()
            invocation.command = inquiry.command
            invocation.name = try Invocation.randomName("secret-test")
            said.append((inquiry, try InquiryJail.run(try invocation.makePlan(with: inquiry.profile))))
        }
        return said
    }

    private func inquiries() throws(JailError) -> [SecretInquiry] {
        if github { return [try SecretInquiry.gitHub(name)] }
        guard let profile else { return [] }
        let loaded = try Self.load(profile)
        let bindings = loaded.secrets.bindings.filter { $0.name == name }
        guard !bindings.isEmpty else {
            throw JailError(.usage, reason: "the profile '\(loaded.name)' binds no secret '\(name.excerpt)'")
        }
        var inquiries: [SecretInquiry] = []
        for binding in bindings {
            inquiries.append(try SecretInquiry(binding, loaded, path: path ?? SecretInquiry.defaultPath))
        }
        return inquiries
    }

    private static func load(_ name: String) throws(JailError) -> Profile {
        var invocation = Invocation()
        invocation.profile = name
        return try invocation.loadProfile()
    }
}
