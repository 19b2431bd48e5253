internal import JailCore
internal import JailPlan

extension Doctor {
    static let restrictsNamespaces = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    /// Where the profile belongs that scripts/install.d/apparmor has.
    static let ownProfile = "/etc/apparmor.d/clawjail"

    /// Whether the kernel lets only programs with a profile that says so use user namespaces.
    var isRestrictedByAppArmor: Bool { line(Self.restrictsNamespaces) == "1" }

    /// What mends that: the profile that is made for it, before the switch that opens it to every program.
    var namespaceRemedy: String {
        isPresent(Self.ownProfile)
            ? "sudo apparmor_parser -r \(Self.ownProfile), and start clawjail from /usr/bin or /usr/local/bin"
            : "install clawjail with its AppArmor profile ('make install', or the package); or, for every program: "
                + "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    }

    var appArmor: Check {
        let why = "AppArmor can take away what a user namespace is needed for, and can be one more wall for commands"
        func check(_ status: Status, _ finding: String, _ remedy: String? = nil) -> Check {
            Check(name: "AppArmor", status: status, finding: finding, why: why, remedy: remedy)
        }
        guard line(AppArmorProbe.enabled) == "Y" else { return check(.ok, "not in force") }
        let label = line(AppArmorProbe.attributes + "/current") ?? "unconfined"
        let place =
            AppArmorProbe.confinement(label).map { "clawjail runs in the profile '\($0)'" }
            ?? (label == "unconfined" ? "clawjail runs unconfined" : "clawjail runs as '\(label)'")
        guard isRestrictedByAppArmor, !readings.caller.isRoot else { return check(.ok, "in force; " + place) }
        // Tried, and not guessed from names.
        let isLet = [readings.trial.user, readings.trial.maps, readings.trial.others].allSatisfy { $0 == nil }
        if isLet, label != "unconfined" {
            return check(.ok, "restricts unprivileged user namespaces, and allows them here: " + place)
        }
        return check(.limited, "restricts unprivileged user namespaces; " + place, namespaceRemedy)
    }
}
