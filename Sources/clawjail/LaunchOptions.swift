import ArgumentParser
import JailCore
import JailPolicy

/// The options of `run` and `plan`.
struct LaunchOptions: ParsableArguments {
    @Option(
        name: [.short, .long], help: "What the jail may do: a profile's name, or a file with '/' or .json5.",
        completion: .profiles)
    var profile = "research"

    @Option(
        help: "Name of the jail, for 'clawjail stop' and the like; the default is the profile's, or one made from it.")
    var name: String?

    @Flag(name: [.short, .long], help: "Give the command a terminal of its own.")
    var tty = false

    @Option(
        help: ArgumentHelp(
            "Show a port of the jail on the host: [ADDRESS:][HOSTPORT:]PORT. Without an address, on 127.0.0.1.",
            valueName: "port"))
    var publish: [String] = []

    @Option(help: ArgumentHelp("Show a host path read-only: SOURCE[:TARGET].", valueName: "path"))
    var read: [String] = []

    @Option(help: ArgumentHelp("Show a host path writable: SOURCE[:TARGET].", valueName: "path"))
    var write: [String] = []

    @Option(help: ArgumentHelp("Set an environment variable: NAME=VALUE.", valueName: "variable"))
    var env: [String] = []

    @Option(help: ArgumentHelp("Limit of memory, as 512M, in place of the profile's.", valueName: "size"))
    var memory: String?

    @Option(help: ArgumentHelp("Limit of processes and threads, in place of the profile's.", valueName: "number"))
    var processes: String?

    @Option(help: ArgumentHelp("Limit of processors, as 1.5, in place of the profile's.", valueName: "number"))
    var cpus: String?

    @Option(
        help: ArgumentHelp("Host directory for /workspace, if the profile has one.", valueName: "directory"),
        completion: .directory)
    var workspace: String?

    @Option(
        help: ArgumentHelp(
            "Directory inside that the command starts in, in place of the profile's.", valueName: "path"))
    var directory: String?

    @Option(help: "Host user that the jail runs as; needed, and only allowed, when started by root.")
    var user: String?

    @Option(
        help: ArgumentHelp(
            "Share the process of the way out with the jails that name the same group.", valueName: "group"))
    var egressGroup: String?

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    var invocation: Invocation {
        var invocation = Invocation()
        invocation.profile = profile
        invocation.name = name
        invocation.terminal = tty
        invocation.egressGroup = egressGroup
        invocation.overrides.publish = publish
        invocation.overrides.read = read
        invocation.overrides.write = write
        invocation.overrides.environment = env
        invocation.overrides.memory = memory
        invocation.overrides.processes = processes
        invocation.overrides.cpus = cpus
        invocation.overrides.workspace = workspace
        invocation.overrides.workingDirectory = directory
        invocation.overrides.user = user
        invocation.command = command
        return invocation
    }
}

/// `clawjail run` without the cost of a general parser (0.8 ms): the same options, in their plain forms.
///
/// Whatever is not understood here (help, abbreviations, mistakes) gives nil, and the general parser answers. A test
/// holds the two against each other.
struct QuickRun: Equatable {
    var invocation = Invocation()
    var detach = false
    var statusDescriptor: Int32?

    /// - Parameter words: what follows `clawjail run`.
    init?(_ words: ArraySlice<String>) {
        var words = words
        while let word = words.popFirst() {
            switch word {
            case "--":
                invocation.command = Array(words)
                return
            case "--tty", "-t": invocation.terminal = true
            case "--detach", "-d": detach = true
            default:
                guard let value = words.popFirst(), !value.hasPrefix("-"), take(word, value) else { return nil }
            }
        }
    }

    private mutating func take(_ option: String, _ value: String) -> Bool {
        switch option {
        case "--profile", "-p": invocation.profile = value
        case "--name": invocation.name = value
        case "--publish": invocation.overrides.publish.append(value)
        case "--read": invocation.overrides.read.append(value)
        case "--write": invocation.overrides.write.append(value)
        case "--env": invocation.overrides.environment.append(value)
        case "--memory": invocation.overrides.memory = value
        case "--processes": invocation.overrides.processes = value
        case "--cpus": invocation.overrides.cpus = value
        case "--workspace": invocation.overrides.workspace = value
        case "--directory": invocation.overrides.workingDirectory = value
        case "--user": invocation.overrides.user = value
        case "--status-fd":
            guard let number = Int32(value) else { return false }
            statusDescriptor = number
        default: return false
        }
        return true
    }
}
