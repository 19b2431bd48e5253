internal import JailCore

extension Doctor {
    private static let oldest = (major: 5, minor: 15)

    var kernel: Check {
        let numbers = readings.kernelRelease.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        let isNew = numbers.count == 2 && (numbers[0], numbers[1]) >= (Self.oldest.major, Self.oldest.minor)
        return Check(
            name: "kernel", status: isNew ? .ok : .missing, finding: "Linux \(readings.kernelRelease)",
            why: "the mounts of a jail need mount_setattr and Landlock, which are there from 5.15 on",
            remedy: isNew ? nil : "upgrade to Linux 5.15 or newer (Debian 12, Ubuntu 22.04, RHEL 10)")
    }

    var userNamespaces: Check {
        let why = "without a user namespace only root can make a jail"
        let errors = [readings.trial.user, readings.trial.maps, readings.trial.others].compactMap(\.self)
        guard let errno = errors.first else {
            return Check(name: "user namespaces", status: .ok, finding: "made and mapped one", why: why)
        }
        let step =
            readings.trial.user != nil
            ? "making one" : readings.trial.maps != nil ? "writing its id maps" : "making the other namespaces in it"
        let (cause, remedy) = namespaceObstacle(errno)
        return Check(
            name: "user namespaces", status: .missing, finding: "\(step) failed: \(errno); \(cause)", why: why,
            remedy: remedy)
    }

    /// Which of the switches that forbid user namespaces is set. Each has its own remedy, so they are told apart.
    private func namespaceObstacle(_ errno: Errno) -> (cause: String, remedy: String) {
        if line("/proc/sys/user/max_user_namespaces") == "0" {
            return ("user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=15000")
        }
        if line("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            return ("kernel.unprivileged_userns_clone is 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1")
        }
        if isRestrictedByAppArmor {
            return (
                "AppArmor restricts unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)",
                namespaceRemedy
            )
        }
        if line("/proc/self/status:Seccomp") == "2" {
            return (
                "a seccomp filter is in force, as in a container",
                "start the container with --security-opt seccomp=unconfined, or clawjail outside of it"
            )
        }
        if errno == .noSpace {
            return ("the limit of user namespaces is used up", "sudo sysctl -w user.max_user_namespaces=15000")
        }
        return (
            "no known switch forbids it; a chroot or a security module may",
            "start outside of any chroot, and look for denials in 'journalctl -k'"
        )
    }

    var freshProc: Check {
        let why = "a jail has a /proc of its own; the kernel refuses one where the outer /proc is partly masked"
        guard readings.trial.user == nil, readings.trial.maps == nil, readings.trial.others == nil else {
            return Check(
                name: "fresh /proc", status: .missing, finding: "not tried without namespaces", why: why,
                remedy: "mend user namespaces first")
        }
        guard let errno = readings.trial.freshProc else {
            return Check(name: "fresh /proc", status: .ok, finding: "mounted one", why: why)
        }
        let remedy =
            containerMark == nil
            ? "take ProtectKernelTunables=, ProtectKernelLogs= and ProtectProc= out of the unit that starts clawjail"
            : "start the container with --security-opt systempaths=unconfined (Podman: --security-opt unmask=ALL)"
        return Check(
            name: "fresh /proc", status: .missing, finding: "mounting one failed: \(errno)", why: why, remedy: remedy)
    }

    var landlock: Check {
        let abi = readings.landlockABI
        let why = "it is the second wall around files, and holds where a mount was forgotten"
        if abi >= 2 { return Check(name: "Landlock", status: .ok, finding: "ABI \(abi)", why: why) }
        if abi == 1 {
            return Check(
                name: "Landlock", status: .limited,
                finding: "ABI 1, too old: it forbids every rename across directories",
                why: why, remedy: "upgrade to Linux 5.19 or newer, or add optional: [\"landlock\"] to the profile")
        }
        let modules = line("/sys/kernel/security/lsm")
        let isListed = modules?.split(separator: ",").contains("landlock") == true
        let finding =
            modules == nil || isListed
            ? "the kernel does not offer it" : "it is not among the security modules in use (\(modules ?? ""))"
        let remedy =
            modules == nil || isListed
            ? "use a kernel with CONFIG_SECURITY_LANDLOCK, or add optional: [\"landlock\"] to the profile"
            : "add lsm=landlock,\(modules ?? "") to the kernel's boot line"
        return Check(name: "Landlock", status: .limited, finding: finding, why: why, remedy: remedy)
    }

    var seccomp: Check {
        Check(
            name: "seccomp", status: readings.hasSeccompFilters ? .ok : .missing,
            finding: readings.hasSeccompFilters ? "filters are available" : "the kernel takes no filters",
            why: "it keeps the command from system calls that it has no use for",
            remedy: readings.hasSeccompFilters ? nil : "use a kernel with CONFIG_SECCOMP_FILTER")
    }

    var timeNamespaces: Check {
        let isThere = isPresent("/proc/self/ns/time")
        return Check(
            name: "time namespaces", status: isThere ? .ok : .limited,
            finding: isThere ? "available" : "the kernel has none",
            why: "without one a jail sees how long the host has been up",
            remedy: isThere ? nil : "use a kernel with CONFIG_TIME_NS, or add optional: [\"time\"] to the profile")
    }
}
