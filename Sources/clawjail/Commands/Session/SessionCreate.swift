import ArgumentParser
import JailCore

struct SessionCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a session, or find the one of that id, and print its id.")

    @Option(help: "Its id: up to 48 of a-z, 0-9, '-' and '_'; made up if it is not given.") var id: String?
    @Option(
        name: [.short, .long], help: "Profile: a name, or a file with '/' or .json5; the default is 'session'.",
        completion: .profiles)
    var profile: String?
    @Option(help: ArgumentHelp("Host directory for /workspace: HOST:/workspace[:ro].", valueName: "directory"))
    var workspace: String?
    @Option(help: ArgumentHelp("Host directory for /agent: HOST:/agent[:ro].", valueName: "directory"))
    var agent: String?
    @Option(help: ArgumentHelp("Show a host path read-only, also below the others: HOST:INSIDE.", valueName: "path"))
    var ro: [String] = []
    @Option(help: ArgumentHelp("Limit of memory, as 512M, in place of the profile's.", valueName: "size"))
    var memory: String?
    @Option(help: ArgumentHelp("Limit of processes and threads, in place of the profile's.", valueName: "number"))
    var processes: String?
    @Option(help: ArgumentHelp("Limit of processors, as 1.5, in place of the profile's.", valueName: "number"))
    var cpus: String?
    @Option(help: ArgumentHelp("Set an environment variable: NAME=VALUE.", valueName: "variable"))
    var env: [String] = []
    @Option(help: "Remember NAME=VALUE; 'inspect' shows it.") var label: [String] = []
    @Option(help: "Host user that the session runs as; needed, and only allowed, when started by root.")
    var user: String?
    @Option(
        help: ArgumentHelp(
            "Share the process of the way out with the sessions that name the same group.", valueName: "group"))
    var egressGroup: String?

    @Option(
        help: ArgumentHelp(
            "Of the profile's secrets this one, and no others that are not named. In a jail: none that is not named.",
            valueName: "name"), completion: .secrets)
    var secret: [String] = []
    @Flag(help: "None of the profile's secrets.") var noSecrets = false

    mutating func validate() throws {
        guard secret.isEmpty || !noSecrets else {
            throw ValidationError("--secret and --no-secrets contradict each other")
        }
    }

    mutating func run() { Self.run(settings) }

    var settings: SessionSettings {
        var settings = SessionSettings()
        settings.id = id ?? ""
        settings.profile = profile
        settings.workspace = workspace
        settings.agent = agent
        settings.readOnly = ro
        settings.memory = memory
        settings.processes = processes
        settings.cpus = cpus
        settings.environment = env
        settings.labels = label
        settings.user = user
        settings.egressGroup = egressGroup
        if noSecrets || !secret.isEmpty { settings.secrets = secret }
        return settings
    }

    /// - Parameter settings: with an empty id, one is made up.
    static func run(_ settings: SessionSettings) -> Never {
        do throws(JailError) {
            var settings = settings
            if settings.id.isEmpty { settings.id = try Invocation.randomName("session") }
            try SessionCreation.create(settings)
            try Output.print(settings.id)
            Output.leave(0)
        } catch { Output.fail(error) }
    }
}
