internal import JailCore
package import JailPolicy

/// A jail as a service of systemd: the text of its unit. Pure.
///
/// docs/systemd.md has the figures behind what is here and what is missing.
package struct SystemdUnit {
    package struct Credential: Equatable, Sendable {
        package let name: String
        /// On the host, absolute.
        package let path: String

        /// nil: the name has more in it than letters, digits, '_', '-' and, within, '.'. There is no way to quote it.
        package init?(name: String, path: String) {
            let isPlain = name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
            guard isPlain, (1...64).contains(name.utf8.count), name.utf8.first != UInt8(ascii: ".") else { return nil }
            self.name = name
            self.path = path
        }
    }

    /// clawjail itself, absolute.
    package var program: String
    /// What the jail is called; of a template, `%i`.
    package var name: String
    /// The dedicated user of the host.
    package var user: String
    /// As `--profile` names it; of a template, it may be `%i`.
    package var profileName: String
    /// nil: which one it is, the instance says.
    package var profile: Profile?
    /// Empty, of a template: each instance has its own, in ``environmentFile``.
    package var command: [String]
    /// Milliseconds after which a service that gives no sign of life is started again; 0: never; nil: a minute, unless the
    /// profile wants it started again after failures alone.
    package var watchdog: UInt64?
    package var credentials: [Credential] = []
    /// Started by root, which runs the payload as that user.
    package var asRoot = false

    package init(
        program: String, name: String, user: String, profileName: String, profile: Profile?, command: [String]
    ) {
        self.program = program
        self.name = name
        self.user = user
        self.profileName = profileName
        self.profile = profile
        self.command = command
    }

    /// Stands in the first line of each unit: what has it was written by clawjail, and may be written anew.
    package static let mark = "# Written by 'clawjail export systemd'"
    /// The instance of a template, see systemd.unit(5).
    package static let instance = "%i"
    /// Where instances have their commands: `CLAWJAIL_COMMAND=…`.
    package static let commandVariable = "CLAWJAIL_COMMAND"

    package var isTemplate: Bool { name == Self.instance }
    /// Secrets and settings of the agent, for root alone.
    package var environmentFile: String { "/etc/clawjail/agents/\(name).env" }
    /// `clawjail@.service`, or `NAME.service`.
    package var fileName: String { isTemplate ? "clawjail@.service" : "\(name).service" }
    /// Of the run and state directories, below /run and /var/lib.
    private var directoryName: String { asRoot ? "clawjail" : "clawjail-\(user)" }

    // MARK: Text

    /// - Throws: if it had to name a path that no unit can name: one with a line break in it.
    package var text: String {
        get throws(JailError) {
            var unit = UnitText()
            unit.comment(
                "\(Self.mark.dropFirst(2)): a jail as a service. docs/systemd.md explains each line.",
                isTemplate
                    ? "Instances: systemctl start clawjail@NAME, with \(environmentFile)"
                    : "Put it into /etc/systemd/system/\(fileName)")
            unit.section("Unit")
            unit.set("Description", isTemplate ? "Jailed agent %i" : "Jailed agent \(name)")
            unit.set("Documentation", "man:clawjail(1)")
            unit.set("Wants", "network-online.target")
            unit.set("After", "network-online.target")
            describeStartLimit(&unit)
            unit.section("Service")
            try describeStart(&unit)
            describeTimes(&unit)
            describePlaces(&unit)
            try describeHardening(&unit)
            unit.section("Install")
            unit.set("WantedBy", "multi-user.target")
            return unit.text
        }
    }

    private func describeStart(_ unit: inout UnitText) throws(JailError) {
        unit.set("Type", "notify")
        unit.set("NotifyAccess", "main")
        unit.set("ExecStart", commandLine)
        unit.comment("Tokens, and what else belongs into no command line; NAME=VALUE, for root alone (0600).")
        unit.set("EnvironmentFile", "-\(environmentFile)")
        for credential in credentials {
            unit.set("LoadCredential", "\(credential.name):\(try UnitText.last(credential.path))")
        }
        for name in boundCredentials where !credentials.contains(where: { $0.name == name }) {
            unit.set("LoadCredentialEncrypted", "\(name):\(Self.encryptedCredentials)/\(name)")
        }
        if !asRoot { unit.set("User", user) }
        describeRestart(&unit)
        unit.set("RestartPreventExitStatus", "\(ExitStatus.configuration) \(ExitStatus.usage)")
        unit.set("SuccessExitStatus", "143")
    }

    /// Where systemd-creds(1) puts them for whoever says nothing else.
    private static let encryptedCredentials = "/etc/credstore.encrypted"

    /// Those that the profile takes secrets from.
    private var boundCredentials: [String] {
        (profile?.secrets ?? SecretRules()).names.compactMap { name in
            if case .credential(let credential) = profile?.secrets.source(of: name) { credential } else { nil }
        }
    }

    /// The profile's own policy, if it has one: clawjail leaves it to the manager that has started it.
    private var restart: RestartRules? { profile.flatMap { $0.restart.on == .never ? nil : $0.restart } }

    private func describeStartLimit(_ unit: inout UnitText) {
        guard let restart else {
            unit.comment("Five starts in five minutes, and then somebody has to look.")
            unit.set("StartLimitIntervalSec", "300")
            unit.set("StartLimitBurst", "5")
            return
        }
        unit.comment("The first start, and as many restarts as the profile allows.")
        unit.set("StartLimitIntervalSec", UnitText.seconds(restart.within))
        unit.set("StartLimitBurst", "\(restart.most + 1)")
    }

    private func describeRestart(_ unit: inout UnitText) {
        guard let restart else {
            unit.comment("A gateway that ends by itself wants to be started again; one whose set-up is wrong does not.")
            unit.set("Restart", "always")
            unit.set("RestartSec", "5")
            return
        }
        unit.comment("As the profile's 'restart' says; a set-up that is wrong is not tried again.")
        unit.set("Restart", restart.on == .always ? "always" : "on-failure")
        unit.set("RestartSec", "\(restart.delay)ms")
        guard restart.longest > restart.delay else { return }
        unit.comment(
            "From systemd 254 on the wait can grow as the profile says; older ones do not know these lines:",
            "  RestartSteps=\(restart.doublings)", "  RestartMaxDelaySec=\(UnitText.seconds(restart.longest))")
    }

    /// What a shell's reader sees is what is started.
    package var commandLine: String {
        var words = ["run", "--name", name, "--profile", profileName]
        if asRoot { words += ["--user", user] }
        // What the instance says is systemd's to fill in.
        let fixed = words.map { $0 == Self.instance ? $0 : UnitText.quoted($0) }
        let rest = command.isEmpty ? ["$\(Self.commandVariable)"] : command.map { UnitText.quoted($0) }
        return ([UnitText.quoted(program, isProgram: true)] + fixed + ["--"] + rest).joined(separator: " ")
    }

    private func describeTimes(_ unit: inout UnitText) {
        unit.space()
        unit.comment(
            "Ready is who answers the profile's health question; who has none is ready when its command runs.",
            "The supervisor asks for more time where the profile gives more.")
        unit.set("TimeoutStartSec", UnitText.seconds(startTime))
        let watchdog = watchdog ?? (restart?.on == .failure ? 0 : Self.usualWatchdog)
        if watchdog > 0 {
            unit.comment(
                "No sign of life while it is unhealthy. The supervisor is asked to stop, so that it clears up.")
            unit.set("WatchdogSec", UnitText.seconds(watchdog))
            unit.set("WatchdogSignal", "SIGTERM")
        }
        unit.comment("OpenClaw drains for up to 300 s. TERM goes to the supervisor alone, and KILL to what is left.")
        unit.set("TimeoutStopSec", UnitText.seconds(stopTime))
        unit.set("KillMode", "mixed")
        unit.space()
        unit.comment(
            "The jail's limits are cgroups of its own below the unit's. A jail that reaches its memory limit loses a",
            "process, and says so; the service goes on as long as its command does.")
        unit.set("Delegate", "yes")
        unit.set("OOMPolicy", "continue")
    }

    /// Milliseconds.
    package var stopTime: UInt64 { max(Self.gatewayStop, (profile?.process.stopGrace ?? 0) + Self.margin) }
    package var startTime: UInt64 {
        max(Self.usualStart, (profile?.health?.startPeriod ?? 60_000) + Self.margin)
    }
    private static let usualWatchdog: UInt64 = 60_000
    /// What the newest `openclaw doctor` wants at least.
    private static let gatewayStop: UInt64 = 330_000
    private static let margin: UInt64 = 30_000
    /// systemd's own.
    private static let usualStart: UInt64 = 90_000

    private func describePlaces(_ unit: inout UnitText) {
        unit.space()
        unit.comment(
            "Where 'clawjail ps', 'stop' and 'exec' look for this user's jails; shared by all services of the user.")
        unit.set("RuntimeDirectory", directoryName)
        unit.set("RuntimeDirectoryMode", "0700")
        unit.set("RuntimeDirectoryPreserve", "yes")
        unit.set("StateDirectory", directoryName)
        unit.set("StateDirectoryMode", "0700")
        unit.set("UMask", "0077")
    }
}
