internal import JailCore
internal import JailPolicy

extension SystemdUnit {
    /// The unit's own walls around the supervisor, as far as they leave it what it needs for the jail's. What each missing
    /// one would break was tried, see docs/systemd.md.
    func describeHardening(_ unit: inout UnitText) throws(JailError) {
        unit.space()
        unit.comment(
            "Around the supervisor. The jail's own walls are thicker, and stand inside of these.")
        unit.set("NoNewPrivileges", "yes")
        unit.set("CapabilityBoundingSet", asRoot ? Self.rootCapabilities : "")
        if !asRoot { unit.set("AmbientCapabilities", "") }
        unit.set("ProtectSystem", "strict")
        for path in writablePaths { unit.set("ReadWritePaths", try UnitText.listed(path)) }
        describeHidden(&unit)
        for name in [
            "ProtectProc=invisible", "ProtectClock=yes", "ProtectKernelModules=yes", "PrivateDevices=yes",
            "LockPersonality=yes", "RestrictRealtime=yes",
        ] + (asRoot ? [] : ["PrivateUsers=yes"]) {
            let parts = name.utf8.split(separator: UInt8(ascii: "="))
            unit.set(String(Substring(parts[0])), String(Substring(parts[1])))
        }
        unit.set("KeyringMode", "private")
        unit.set("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK")
        unit.set("SystemCallArchitectures", "native")
        unit.set("SystemCallFilter", "~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap")
        unit.set("SystemCallErrorNumber", "EPERM")
        describeAddresses(&unit)
        describeMissing(&unit)
    }

    /// Directories that are shown empty, unless something of the jail lies there.
    private func describeHidden(_ unit: inout UnitText) {
        if let path = paths.first(where: { Self.isIn($0, ["/home", "/root", "/run/user"]) }) {
            unit.comment("Without ProtectHome: the jail needs '\(path.printable)'.")
        } else {
            unit.set("ProtectHome", "yes")
        }
        if let path = paths.first(where: { Self.isIn($0, ["/tmp", "/var/tmp"]) }) {
            unit.comment("Without PrivateTmp: the jail needs '\(path.printable)'.")
        } else {
            unit.set("PrivateTmp", "yes")
        }
    }

    /// The addresses of a jail that lets nothing out, and publishes nothing beyond this host.
    private func describeAddresses(_ unit: inout UnitText) {
        guard profile?.commands.rules.contains(where: { $0.place != .jail }) != true else {
            return unit.comment("Without IPAddressDeny: commands outside of the jail are in this unit as well.")
        }
        guard let profile, case let network = profile.network, !profile.hasWayOut,
            network.publish.allSatisfy({ $0.hostAddress == 0x7F00_0001 })
        else {
            return unit.comment("Without IPAddressDeny: the jail's way out decides by name, not by address.")
        }
        unit.set("IPAddressDeny", "any")
        unit.set("IPAddressAllow", "localhost")
    }

    private func describeMissing(_ unit: inout UnitText) {
        unit.space()
        unit.comment("Missing, because with them there would be no jail:")
        unit.comment(
            "  ProtectKernelTunables, ProtectKernelLogs, ProcSubset: they mask /proc, and a kernel may then refuse the jail its own",
            "  ProtectControlGroups: the jail's limits are cgroups",
            "  ProtectHostname: the jail has a host name of its own, and a call less is an error",
            "  RestrictNamespaces, SystemCallFilter=~@mount ~@privileged ~@resources: a jail is made of namespaces and mounts",
            "  RestrictSUIDSGID: it takes openat2(2) away, by which mounts are made; the jail forbids such files itself",
            "  MemoryDenyWriteExecute: V8 compiles",
            "  PrivateNetwork, RestrictAddressFamilies=~AF_INET ~AF_NETLINK: published ports, and the way out",
            "  RootDirectory: programs and profiles are the host's",
            "  RemoveIPC: it would remove those of the user's other services")
    }

    // MARK: Paths

    /// Of the profile, on the host: what is written.
    private var writablePaths: [String] {
        guard let files = profile?.filesystem else { return [] }
        return files.write.map(\.source) + (files.data?.source.map { [$0] } ?? [])
    }

    /// Everything on the host that is named, by profile or command.
    private var paths: [String] {
        let files = profile?.filesystem
        let programs = profile?.process.programs.map(\.name) ?? []
        return writablePaths + (files?.read.map(\.source) ?? []) + ofCommands
            + (programs + command).filter { $0.hasPrefix("/") }
    }

    /// What commands on the host need there.
    private var ofCommands: [String] {
        (profile?.commands.rules ?? []).flatMap { rule -> [String] in
            guard case .host = rule.place else { return [] }
            return [rule.program] + (rule.workingDirectory.map { [$0] } ?? [])
        }
    }

    private static func isIn(_ path: String, _ directories: [String]) -> Bool {
        directories.contains { path == $0 || path.utf8.starts(with: "\($0)/".utf8) }
    }

    /// What the supervisor needs until it gives them up, see docs/decisions/0007.
    private static let rootCapabilities =
        "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_SYS_ADMIN CAP_SYS_RESOURCE"
}
