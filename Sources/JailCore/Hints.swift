/// What a person can do about a failed kernel call, in one table.
package enum Hints {
    package static func hint(stage: Stage, call: KernelCall, errno: Errno) -> String? {
        switch (stage, call, errno) {
        case (.clone, .clone3, .notPermitted), (.clone, .clone3, .noSpace):
            "the host forbids unprivileged user namespaces or has none left; 'clawjail doctor' says which switch does it"
        case (.clone, .clone3, .notImplemented):
            "Linux 5.15 or newer is needed; inside a jail, or a container that filters this call, no other jail can be made"
        case (.clone, .clone3, .wouldBlock):
            "the limit on processes (ulimit -u, or the cgroup's pids.max) is reached"
        case (.apparmor, .write, .notFound):
            "the profile is not loaded any more: sudo apparmor_parser -r FILE"
        case (.apparmor, .write, .accessDenied), (.apparmor, .write, .notPermitted):
            "the profile that clawjail runs in must allow it: change_profile -> &NAME,"
        case (.apparmor, .check, .invalid):
            "the kernel has not taken it, or it is of the kind 'unconfined', which is no wall; 'sudo aa-status' lists them"
        case (.identity, .write, .notPermitted):
            "AppArmor or a container forbids id maps; 'clawjail doctor' says what mends it"
        case (.mounts, .fsmount, .notPermitted), (.mounts, .fsconfig, .notPermitted):
            "the host's own /proc is partly masked (inside a container, or under systemd's ProtectKernelTunables); "
                + "'clawjail doctor' names the setting"
        case (.mounts, .openTree, .accessDenied):
            "the user that the jail runs as cannot reach it: check the permissions of every directory above it"
        case (.mounts, .openTree, .notFound):
            "it was there when the launch was planned; start again"
        case (.mounts, .check, .stale):
            "it was replaced between planning and mounting; start again, and keep others from writing there"
        case (.mounts, _, .noSpace):
            "the host's limit on mounts (fs.mount-max) is reached"
        case (.landlock, .landlockCreateRuleset, .notSupported), (.landlock, .landlockCreateRuleset, .notImplemented):
            "the kernel has no Landlock, or it is not in the lsm= list of the boot line"
        case (.cgroup, .mkdirat, .accessDenied), (.cgroup, .openat2, .accessDenied), (.cgroup, .mkdirat, .notPermitted):
            "this user may not make cgroups here: start with 'systemd-run --user --scope -p Delegate=yes clawjail …', "
                + "or add optional: [\"cgroup\"] to the profile to run without limits on memory and cpu"
        case (.cgroup, .mkdirat, .readOnly):
            "the cgroup file system is mounted read-only, as inside containers; add optional: [\"cgroup\"] to the profile"
        case (.egress, .execve, .notFound):
            "'clawjail-egress' must be a static program: the one of the same build as this clawjail"
        case (.network, .rtnetlink, _):
            "the way out needs routes in the jail's network namespace; 'clawjail doctor' says what the kernel lacks"
        case (.runtime, _, .noSpace):
            "the disk is full"
        case (.network, .bind, .addressInUse):
            "another program listens there; publish another port with --publish HOSTPORT:PORT"
        case (.network, .bind, .accessDenied):
            "ports below 1024 need root; publish another port with --publish HOSTPORT:PORT"
        default: nil
        }
    }
}
