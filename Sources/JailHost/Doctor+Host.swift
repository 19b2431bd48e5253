internal import JailCore
internal import JailPlan

extension Doctor {
    var groups: Check {
        let why = "a jail must not keep the caller's groups: they open files that its user alone could not"
        switch readings.groups {
        case .notNeeded:
            return Check(name: "groups", status: .ok, finding: "the caller has no others to drop", why: why)
        case .byRoot: return Check(name: "groups", status: .ok, finding: "root drops them itself", why: why)
        case .byHelper(let path, let group):
            return Check(
                name: "groups", status: .ok, finding: "dropped by \(path), subordinate group \(group)", why: why)
        case .impossible(let reason):
            // The reason ends with what to do, after its last colon.
            let parts = reason.split(separator: ": ")
            return Check(
                name: "groups", status: .limited, finding: parts.dropLast().joined(separator: ": "), why: why,
                remedy: (parts.last ?? "") + ", or optional: [\"groups\"] in the profile")
        }
    }

    var cgroups: Check {
        let why = "memory, processes and processor time are limited by cgroups"
        switch readings.cgroup {
        case .v2(let directory, let controllers):
            let lacking = ["memory", "pids", "cpu"].filter { !controllers.contains($0) }
            let finding = "version 2, our own is \(directory), with \(controllers.sorted().joined(separator: " "))"
            if lacking.isEmpty { return Check(name: "cgroups", status: .ok, finding: finding, why: why) }
            return Check(
                name: "cgroups", status: .limited, finding: finding + "; not \(lacking.joined(separator: ", "))",
                why: why,
                remedy: "systemd-run --user --scope -p Delegate=yes clawjail …")
        case .scope(let offer): return scope(offer, why)
        case .v1(let directories):
            let names = directories.keys.sorted().joined(separator: ", ")
            return Check(
                name: "cgroups", status: directories.count == 3 ? .ok : .limited,
                finding: "version 1, with \(names)", why: why,
                remedy: directories.count == 3 ? nil : "boot with systemd.unified_cgroup_hierarchy=1")
        case .unavailable(let reason):
            return Check(
                name: "cgroups", status: .limited, finding: reason, why: why,
                remedy:
                    "systemd-run --user --scope -p Delegate=yes clawjail …, or optional: [\"cgroup\"] in the profile")
        }
    }

    /// Each jail is given a scope of its own, if the manager answers.
    private func scope(_ offer: ScopeOffer, _ why: String) -> Check {
        let lacking = ["memory", "pids", "cpu"].filter { !offer.controllers.contains($0) }
        let manager = "the \(offer.manager) service manager"
        if let silence = readings.managerSilence {
            return Check(
                name: "cgroups", status: .limited,
                finding: "version 2; \(offer.reason), and \(manager) gives no other: \(silence)", why: why,
                remedy: offer.manager == .user
                    ? "log in anew, or start in a unit with Delegate=yes" : "start in a unit with Delegate=yes")
        }
        let finding =
            "version 2; \(offer.reason): \(manager) gives each jail a scope, with "
            + offer.controllers.sorted().joined(separator: " ")
        guard !lacking.isEmpty else { return Check(name: "cgroups", status: .ok, finding: finding, why: why) }
        return Check(
            name: "cgroups", status: .limited, finding: finding + "; not \(lacking.joined(separator: ", "))", why: why,
            remedy: offer.manager == .user
                ? Self.userDelegation : "boot without cgroup_disable=\(lacking.joined(separator: ","))")
    }

    /// What systemd before 252 does not hand on to users' managers by itself.
    private static let userDelegation =
        "sudo sh -c 'mkdir -p /etc/systemd/system/user@.service.d; printf \"[Service]\\nDelegate=cpu memory pids io\\n\" "
        + "> /etc/systemd/system/user@.service.d/delegate.conf; systemctl daemon-reload', and log in anew"

    /// A group of version 2 that every host with a service manager has: whether it has the file tells of all.
    static let anySwapLimit = "/sys/fs/cgroup/system.slice/memory.swap.max"

    /// Whether jails in the background go on when their user has logged out.
    var lingering: Check? {
        guard case .scope(let offer) = readings.cgroup, offer.manager == .user, let user = readings.userName else {
            return nil
        }
        let lingers = isPresent("/var/lib/systemd/linger/\(user)")
        return Check(
            name: "lingering", status: lingers ? .ok : .limited,
            finding: lingers
                ? "this user's service manager runs as long as the host does"
                : "this user's service manager ends at the last logout",
            why: "jails in the background, and sessions, end with it",
            remedy: lingers ? nil : "sudo loginctl enable-linger \(user)")
    }

    var swap: Check {
        let why = "without it a jail that reaches its memory limit goes on in swap"
        let file: String
        switch readings.cgroup {
        case .v2(let directory, _): file = directory + "/memory.swap.max"
        case .v1(let directories): file = (directories["memory"] ?? "") + "/memory.memsw.limit_in_bytes"
        case .scope: file = Self.anySwapLimit
        case .unavailable:
            return Check(name: "swap limit", status: .limited, finding: "not to be had without cgroups", why: why)
        }
        let isThere = isPresent(file)
        return Check(
            name: "swap limit", status: isThere ? .ok : .limited,
            finding: isThere ? "the kernel accounts for swap" : "the kernel does not account for swap here", why: why,
            remedy: isThere ? nil : "add swapaccount=1 to the kernel's boot line, or switch swap off: sudo swapoff -a")
    }

    /// What gives the container away; nil outside of any.
    var containerMark: String? {
        if let mark = ["/.dockerenv", "/run/.containerenv"].first(where: isPresent) { return mark }
        return line("/proc/1/environ:container").map { "container=\($0)" }
    }

    var container: Check {
        let mark = containerMark
        return Check(
            name: "container", status: mark == nil ? .ok : .limited,
            finding: mark.map { "inside of one (\($0))" } ?? "not inside of one",
            why: "a container's own filters and masks can keep a jail from being made",
            remedy: mark == nil ? nil : "start clawjail on the host, or mend the checks above that are missing")
    }

    var ptrace: Check {
        let scope = line("/proc/sys/kernel/yama/ptrace_scope")
        let isOpen = scope == nil || scope == "0"
        return Check(
            name: "ptrace", status: isOpen ? .limited : .ok,
            finding: scope.map { "kernel.yama.ptrace_scope is \($0)" } ?? "the kernel has no Yama",
            why: "other programs of the same user may trace the jail's processes from outside",
            remedy: scope == "0" ? "sudo sysctl -w kernel.yama.ptrace_scope=1" : nil)
    }

    var memfd: Check {
        let value = line("/proc/sys/vm/memfd_noexec")
        return Check(
            name: "memfd", status: value == nil ? .limited : .ok,
            finding: value.map { "vm.memfd_noexec is \($0)" } ?? "no memory files that can be kept from being executed",
            why: "profiles without a shell allow memory files only if they cannot be executed",
            remedy: value == nil ? "upgrade to Linux 6.3 or newer; until then memfd_create fails in such profiles" : nil
        )
    }

    var corePattern: Check {
        let pattern = line("/proc/sys/kernel/core_pattern") ?? ""
        let isPiped = pattern.hasPrefix("|")
        return Check(
            name: "core dumps", status: isPiped ? .limited : .ok,
            finding: isPiped
                ? "handed to a program on the host: \(pattern)" : "written as '\(pattern)', and jails write none",
            why: "a handler gets a crashed command's memory, secrets included, outside of the jail",
            remedy: isPiped ? "sudo sysctl -w kernel.core_pattern=core" : nil)
    }

    func program(_ name: String, _ path: String?) -> Check {
        Check(
            name: name, status: path == nil ? .missing : .ok, finding: path ?? "not in the search path",
            why: "profiles that list '\(name)' need it",
            remedy: path == nil ? Self.installation[name] : nil)
    }

    private static let installation = ["node": "sudo apt install nodejs", "openclaw": "sudo npm install -g openclaw"]
}
