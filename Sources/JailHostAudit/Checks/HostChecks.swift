/// What lies around the gateway.
extension HostCheck {
    static let unusualSetuid = HostCheck(
        .programs, "host.setuid.unusual",
        "each such program is a way to another user's rights for who finds a hole in it")
    static let writableSearchPath = HostCheck(
        .programs, "host.path.writable_directory", "who can write there decides what the gateway's commands execute")
    static let writableInstallation = HostCheck(
        .programs, "host.install.writable", "who can write there decides what the gateway is")
    static let ownInstallation = HostCheck(
        .programs, "host.install.owned_by_gateway",
        "an agent that was taken over once can rewrite its own gateway, and stay")

    static let programs = [unusualSetuid, writableSearchPath, writableInstallation, ownInstallation]

    static let unitRoot = HostCheck(.units, "host.unit.root", "the service manager starts the gateway as root")
    static let unitWritable = HostCheck(
        .units, "host.unit.writable", "who can write a unit decides what is executed at the next start, and as whom")
    static let unitSecret = HostCheck(.units, "host.unit.secret", "every user of the host can read units")
    static let unitNewPrivileges = HostCheck(
        .units, "host.unit.no_new_privileges", "set-user-ID programs give the agent another user's rights")
    static let unitProtectSystem = HostCheck(
        .units, "host.unit.protect_system", "the service could write to /usr and /etc where permissions let it")
    static let unitProtectHome = HostCheck(.units, "host.unit.protect_home", "the service sees home directories")
    static let unitPrivateTmp = HostCheck(
        .units, "host.unit.private_tmp", "files in /tmp are shared with every other user and service")
    static let unitCapabilities = HostCheck(
        .units, "host.unit.capabilities", "what the service executes can still come to have capabilities")
    static let unitMore = HostCheck(
        .units, "host.unit.hardening", "each of these takes something away that a gateway has no use for")

    static let units = [
        unitRoot, unitWritable, unitSecret, unitNewPrivileges, unitProtectSystem, unitProtectHome, unitPrivateTmp,
        unitCapabilities, unitMore,
    ]

    static let yama = HostCheck(
        .kernel, "host.kernel.ptrace_scope", "programs of one user can read one another's memory, secrets included")
    static let unprivilegedBPF = HostCheck(
        .kernel, "host.kernel.unprivileged_bpf", "it has been a way into the kernel several times")
    static let lockdown = HostCheck(
        .kernel, "host.kernel.lockdown", "who becomes root can change the running kernel as well")
    static let noMandatoryControl = HostCheck(
        .kernel, "host.kernel.no_mac", "neither AppArmor nor SELinux is there as one wall more")
    static let swap = HostCheck(.kernel, "host.swap.unencrypted", "memory with secrets in it can end up on the disk")
    static let coreHandler = HostCheck(
        .kernel, "host.kernel.core_pattern", "a handler gets a crashed program's memory, secrets included")

    static let kernel = [yama, unprivilegedBPF, lockdown, noMandatoryControl, swap, coreHandler]

    static let noBackup = HostCheck(
        .backups, "host.backup.none", "what an agent deletes or spoils by mistake is gone")
    static let oldBackup = HostCheck(
        .backups, "host.backup.old", "what has come since the last backup is gone if the state is spoilt")

    static let backups = [noBackup, oldBackup]
}
