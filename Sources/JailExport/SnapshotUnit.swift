package import JailCore
package import JailPolicy

/// A snapshot of a jail's `/data` each night, as a service of systemd and the timer that starts it: the texts of both.
/// Pure.
package struct SnapshotUnit {
    /// clawjail itself, absolute.
    package var program: String
    /// The jail's; of a template, `%i`.
    package var name: String
    /// The user whose jail it is.
    package var user: String
    /// As `--profile` names it; nil: the data is where clawjail keeps it.
    package var profileName: String?
    /// nil: which one it is, the instance says.
    package var profile: Profile?
    /// It is root's jail.
    package var asRoot = false
    /// The newest so many stay.
    package var keep: UInt64 = 7
    /// And those that are not older than so many days.
    package var days: UInt64 = 30

    package init(program: String, name: String, user: String, profileName: String?, profile: Profile?) {
        self.program = program
        self.name = name
        self.user = user
        self.profileName = profileName
        self.profile = profile
    }

    private var isTemplate: Bool { name == SystemdUnit.instance }
    private var stem: String { isTemplate ? "clawjail-snapshot@" : "\(name)-snapshot" }
    package var serviceName: String { "\(stem).service" }
    package var timerName: String { "\(stem).timer" }
    /// Of the run and state directories, below /run and /var/lib.
    private var directoryName: String { asRoot ? "clawjail" : "clawjail-\(user)" }

    /// Nothing is saved of a jail that keeps nothing.
    package func check() throws(JailError) {
        guard let profile, profile.filesystem.data == nil else { return }
        throw JailError(
            .usage, reason: "profile '\(profile.name)' has no filesystem.data: there is nothing to save",
            hint: "name another profile with --profile")
    }

    // MARK: Timer

    package var timer: String {
        var unit = UnitText()
        unit.comment(
            "\(SystemdUnit.mark.dropFirst(2)): starts \(serviceName) each night. docs/systemd.md explains it.",
            isTemplate
                ? "Instances: systemctl enable --now clawjail-snapshot@NAME.timer"
                : "Put it into /etc/systemd/system/\(timerName)")
        unit.section("Unit")
        unit.set("Description", "Nightly snapshot of \(isTemplate ? "%i" : name)")
        unit.set("Documentation", "man:clawjail-data(1)")
        unit.section("Timer")
        unit.set("OnCalendar", "*-*-* 03:00:00")
        unit.comment(
            "Not all jails, and not all hosts of a pool, at once; what a host that was off has missed, it does later.")
        unit.set("RandomizedDelaySec", "1h")
        unit.set("Persistent", "true")
        unit.section("Install")
        unit.set("WantedBy", "timers.target")
        return unit.text
    }

    // MARK: Service

    package var service: String {
        var unit = UnitText()
        unit.comment(
            "\(SystemdUnit.mark.dropFirst(2)): one snapshot, and old ones go. \(timerName) starts it.",
            isTemplate
                ? "By hand: systemctl start clawjail-snapshot@NAME"
                : "Put it into /etc/systemd/system/\(serviceName)")
        unit.section("Unit")
        unit.set("Description", "Snapshot of the data of jailed agent \(isTemplate ? "%i" : name)")
        unit.set("Documentation", "man:clawjail-data(1)")
        unit.section("Service")
        unit.set("Type", "oneshot")
        unit.comment("In this order: without a new one no old one goes.")
        unit.set("ExecStart", command(["snapshot"] + (profileName.map { ["--profile", $0] } ?? [])))
        unit.set("ExecStart", command(["prune", "--keep", "\(keep)", "--days", "\(days)"]))
        if !asRoot { unit.set("User", user) }
        unit.comment("A jail that runs stands still meanwhile: as fast as may be, but nothing else has to wait for it.")
        unit.set("Nice", "5")
        unit.set("TimeoutStartSec", "1h")
        for kind in ["Runtime", "State"] {
            unit.set("\(kind)Directory", directoryName)
            unit.set("\(kind)DirectoryMode", "0700")
        }
        unit.set("RuntimeDirectoryPreserve", "yes")
        unit.set("UMask", "0077")
        harden(&unit)
        return unit.text
    }

    private func command(_ words: [String]) -> String {
        let name = isTemplate ? name : UnitText.quoted(name)
        return
            ([UnitText.quoted(program, isProgram: true), "data"] + words.map { UnitText.quoted($0) } + ["--", name])
            .joined(separator: " ")
    }

    /// tar and zstd have walls of their own, see docs/data.md; these are around clawjail, which starts them.
    private func harden(_ unit: inout UnitText) {
        unit.space()
        unit.set("NoNewPrivileges", "yes")
        unit.set("CapabilityBoundingSet", asRoot ? Self.rootCapabilities : "")
        if !asRoot { unit.set("AmbientCapabilities", "") }
        unit.set("ProtectSystem", "strict")
        let source = profile?.filesystem.data?.source
        unit.set("ProtectHome", isBelow(source, ["/home", "/root", "/run/user"]) ? "read-only" : "yes")
        if isBelow(source, ["/tmp", "/var/tmp"]) {
            unit.comment("Without PrivateTmp: the data is there.")
        } else {
            unit.set("PrivateTmp", "yes")
        }
        if asRoot {
            unit.comment("Without PrivateDevices and ProtectProc: an image is mounted, or found where a jail has it.")
        } else {
            for name in ["PrivateDevices", "PrivateUsers"] { unit.set(name, "yes") }
            unit.set("ProtectProc", "invisible")
        }
        for name in [
            "PrivateNetwork", "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs",
            "ProtectKernelModules", "ProtectKernelTunables", "LockPersonality", "MemoryDenyWriteExecute",
            "RestrictRealtime",
        ] { unit.set(name, "yes") }
        unit.set("KeyringMode", "private")
        unit.set("RestrictAddressFamilies", "AF_UNIX")
        unit.set("RestrictNamespaces", asRoot ? "user mnt" : "user")
        unit.set("SystemCallArchitectures", "native")
        unit.set(
            "SystemCallFilter",
            "~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap"
                + (asRoot ? "" : " @mount"))
        unit.set("SystemCallErrorNumber", "EPERM")
        unit.comment("Without RestrictSUIDSGID: it takes openat2(2) away, by which the tree is opened.")
    }

    private func isBelow(_ path: String?, _ directories: [String]) -> Bool {
        guard let path else { return false }
        return directories.contains { path == $0 || path.utf8.starts(with: "\($0)/".utf8) }
    }

    /// To become the owner of the data, and to reach a file system that only the jail has mounted.
    private static let rootCapabilities =
        "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID CAP_SYS_ADMIN "
        + "CAP_SYS_PTRACE"
}
