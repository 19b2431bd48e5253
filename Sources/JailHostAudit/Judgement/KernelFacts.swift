internal import JailCore

/// The kernel, memory, backups.
extension HostAudit {
    static let ptraceScope = "/proc/sys/kernel/yama/ptrace_scope"
    static let bpf = "/proc/sys/kernel/unprivileged_bpf_disabled"
    static let lockdownState = "/sys/kernel/security/lockdown"
    static let modules = "/sys/kernel/security/lsm"
    static let corePattern = "/proc/sys/kernel/core_pattern"

    @Sendable static func kernel(_ picture: HostPicture) -> [HostFinding] {
        var found: [HostFinding] = []
        func tell(_ check: HostCheck, _ subject: String, _ seen: String, _ remedy: String) {
            found.append(HostFinding(check, .low, subject, seen: seen, remedy: remedy))
        }
        if let scope = picture.lines[ptraceScope] {
            if scope == "0" {
                tell(.yama, "kernel.yama.ptrace_scope", "it is 0", "sudo sysctl -w kernel.yama.ptrace_scope=1")
            }
        } else {
            tell(
                .yama, "kernel.yama.ptrace_scope", "the kernel has no Yama",
                "add yama to lsm= on the kernel's boot line")
        }
        if picture.lines[bpf] == "0" {
            tell(
                .unprivilegedBPF, "kernel.unprivileged_bpf_disabled", "it is 0",
                "sudo sysctl -w kernel.unprivileged_bpf_disabled=1")
        }
        if picture.lines[lockdownState]?.contains("[none]") == true {
            tell(.lockdown, lockdownState, "it is off", "add lockdown=integrity to the kernel's boot line")
        }
        if let modules = picture.lines[modules],
            Set(modules.split(separator: ",").map(String.init)).isDisjoint(with: [
                "apparmor", "selinux", "smack", "tomoyo",
            ])
        {
            tell(
                .noMandatoryControl, Self.modules, "it has \(modules)", "add apparmor to lsm= on the kernel's boot line"
            )
        }
        return found
    }

    @Sendable static func memory(_ picture: HostPicture) -> [HostFinding] {
        var found = picture.swaps.filter { !$0.isSafe }.map {
            HostFinding(
                .swap, .low, $0.name, seen: "memory is swapped to it, unencrypted",
                remedy: "sudo swapoff \($0.name), or encrypt it (crypttab)")
        }
        if let pattern = picture.lines[corePattern], pattern.hasPrefix("|") {
            found.append(
                HostFinding(
                    .coreHandler, .low, "kernel.core_pattern", seen: "it is \(pattern)",
                    remedy: "sudo sysctl -w kernel.core_pattern=core"))
        }
        return found
    }

    /// Days after which a backup is old.
    static let staleAfter: Int64 = 7

    @Sendable static func backups(_ picture: HostPicture) -> [HostFinding] {
        guard picture.hasAnything else { return [] }
        let remedy = "clawjail data snapshot NAME, every night by a timer"
        guard let last = picture.lastBackup else {
            guard picture.timers.isEmpty else { return [] }
            return [
                HostFinding(
                    .noBackup, .low, "backups", seen: "there is no snapshot of any jail's data, and no timer for one",
                    remedy: remedy)
            ]
        }
        let days = (picture.now - last) / 86_400
        guard days > staleAfter else { return [] }
        return [
            HostFinding(
                .oldBackup, .low, "backups", seen: "the newest snapshot is of \(UTCTime.text(last)), \(days) days ago",
                remedy: remedy)
        ]
    }
}
