import ArgumentParser
import JailCore
import JailExport
import JailPlan
import JailPolicy

struct ExportSystemd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd", abstract: "A unit of systemd that runs a jail as a service.",
        discussion: """
            A template takes its profile and its command from the instance: /etc/clawjail/profiles/NAME.json5, and \
            CLAWJAIL_COMMAND in /etc/clawjail/agents/NAME.env.

            With --snapshots, in its place: the service that makes a snapshot of the jail's /data, or the timer that starts \
            that each night.
            """)

    @OptionGroup var options: UnitOptions

    @Flag(help: "A template, for clawjail@NAME.service.")
    var template = false

    @Option(help: "Name of the jail; the default is the profile's.")
    var name: String?

    @Option(help: ArgumentHelp("For nightly snapshots: service or timer.", valueName: "unit"))
    var snapshots: SnapshotPart?

    @OptionGroup var retention: RetentionOptions

    mutating func run() {
        do throws(JailError) {
            if let snapshots {
                let unit = try options.snapshots(name: template ? SystemdUnit.instance : name, retention)
                return try Output.print(snapshots == .service ? unit.service : unit.timer)
            }
            try Output.print(try options.unit(name: template ? SystemdUnit.instance : name).text)
        } catch { Output.fail(error) }
    }
}

/// Which of the two units.
enum SnapshotPart: String, ExpressibleByArgument, CaseIterable { case service, timer }

/// Which snapshots stay, each night.
struct RetentionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Of nightly snapshots: keep the newest so many.", valueName: "number"))
    var keep: UInt64 = 7

    @Option(help: ArgumentHelp("And those that are not older than so many days.", valueName: "number"))
    var days: UInt64 = 30
}

/// What a unit is made from; `export systemd` and `setup` take the same.
struct UnitOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Profile: a name, or a file with '/' or .json5.")
    var profile: String?

    @Option(help: "The dedicated user that the service runs as.")
    var user = "clawjail"

    @Flag(help: "Start as root, which runs the command as that user.")
    var root = false

    @Option(
        help: ArgumentHelp(
            "Start it again after so long without a sign of health; 0s: never. The default is 60s, unless the profile's "
                + "'restart' is for failures alone.", valueName: "time"))
    var watchdog: String?

    @Option(help: "NAME:PATH, a secret for $CREDENTIALS_DIRECTORY.")
    var credential: [String] = []

    @Option(help: "Where clawjail will be on that host; the default is where it is now.")
    var program: String?

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    /// - Parameter name: of the jail; nil: as the profile.
    func unit(name: String?) throws(JailError) -> SystemdUnit {
        let isTemplate = name == SystemdUnit.instance
        guard isTemplate || !command.isEmpty else {
            throw JailError(.usage, reason: "no command is given", hint: "write it after --")
        }
        try checked("--user") { () throws(ValueError) in try Name.checkHostUser(user) }
        // A unit that could not start is none.
        let profileName = self.profile ?? (isTemplate ? SystemdUnit.instance : "research")
        let loaded = profileName == SystemdUnit.instance ? nil : try Invocation.loader().load(profileName)
        var unit = SystemdUnit(
            program: try programPath(), name: name ?? loaded?.name ?? profileName, user: user, profileName: profileName,
            profile: loaded,
            command: command)
        guard isTemplate || JailName.isValid(unit.name) else {
            throw JailError(
                .usage, reason: "'\(unit.name.printable)' is not a name for a jail",
                hint: "use up to 48 of a-z, 0-9, '-' and '_', starting with a letter or digit")
        }
        unit.asRoot = root
        if let watchdog {
            unit.watchdog = try checked("--watchdog") { () throws(ValueError) in try TimeSpan.parse(watchdog) }
        }
        for text in credential { unit.credentials.append(try parsed(text)) }
        return unit
    }

    /// The units of nightly snapshots of that jail.
    func snapshots(name: String?, _ retention: RetentionOptions) throws(JailError) -> SnapshotUnit {
        guard (1...100_000).contains(retention.keep), retention.days <= 36_500 else {
            throw JailError(.usage, reason: "--keep must be 1 at least, and --days from 0 to 36500")
        }
        let isTemplate = name == SystemdUnit.instance
        try checked("--user") { () throws(ValueError) in try Name.checkHostUser(user) }
        guard isTemplate || profile != nil else {
            throw JailError(.usage, reason: "no profile is named", hint: "--profile says where the data is")
        }
        let loaded =
            isTemplate ? nil : try profile.map { (name) throws(JailError) in try Invocation.loader().load(name) }
        var unit = SnapshotUnit(
            program: try programPath(), name: name ?? loaded?.name ?? "", user: user,
            profileName: isTemplate ? nil : profile, profile: loaded)
        guard isTemplate || JailName.isValid(unit.name) else {
            throw JailError(.usage, reason: "'\(unit.name.printable)' is not a name for a jail")
        }
        unit.asRoot = root
        unit.keep = retention.keep
        unit.days = retention.days
        try unit.check()
        return unit
    }

    private func programPath() throws(JailError) -> String {
        guard let program else {
            return try attempt(.host, "/proc/self/exe") { () throws(SystemError) in
                try System.readLink("/proc/self/exe")
            }
        }
        guard program.hasPrefix("/") else { throw JailError(.usage, reason: "--program must be an absolute path") }
        return program
    }

    private func parsed(_ text: String) throws(JailError) -> SystemdUnit.Credential {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1).map { String(Substring($0)) }
        guard parts.count == 2, parts[1].hasPrefix("/"),
            let credential = SystemdUnit.Credential(name: parts[0], path: parts[1])
        else { throw JailError(.usage, reason: "--credential must be NAME:PATH, not '\(text.printable)'") }
        return credential
    }

    private func checked<Result>(
        _ option: String, _ body: () throws(ValueError) -> Result
    ) throws(JailError) -> Result {
        do throws(ValueError) { return try body() } catch {
            throw JailError(.usage, reason: "\(option) \(error.reason)", hint: error.hint)
        }
    }
}
