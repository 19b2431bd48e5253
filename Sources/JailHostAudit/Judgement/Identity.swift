internal import JailPlan

/// Who the gateway is.
extension HostAudit {
    static let setup = "sudo clawjail setup --unit openclaw --profile stateful --enable -- openclaw gateway"

    @Sendable static func identity(_ picture: HostPicture) -> [HostFinding] {
        picture.gateways.flatMap { gateway -> [HostFinding] in
            let isJailed = picture.confinement(of: gateway).isJail
            return [
                gateway.uid == 0 ? root(gateway) : isJailed ? nil : loginUser(gateway, picture),
                groups(gateway, picture, isJailed: isJailed),
                isJailed ? nil : engineSockets(gateway, picture),
            ].compactMap(\.self)
        }
    }

    private static func root(_ gateway: GatewayView) -> HostFinding {
        HostFinding(
            .runsAsRoot, gateway.hasOwnUserNamespace ? .medium : .critical, gateway.subject, seen: "it runs as uid 0",
            remedy: setup)
    }

    /// Somebody who logs in, and not a user for this one service.
    private static func loginUser(_ gateway: GatewayView, _ picture: HostPicture) -> HostFinding? {
        guard let account = picture.account(gateway.uid), account.uid >= 1000, account.uid != 65534,
            !["nologin", "false", "sync"].contains(account.shell.split(separator: "/").last.map(String.init) ?? "")
        else { return nil }
        return HostFinding(
            .loginUser, .medium, gateway.subject,
            seen: "it runs as \(account.name), who logs in with \(account.shell)", remedy: setup)
    }

    // MARK: Groups

    /// Whose members are as good as root.
    private static let rootLike: Set<String> = [
        "root", "docker", "sudo", "wheel", "admin", "lxd", "lxc", "incus", "incus-admin", "disk", "shadow", "libvirt",
        "podman", "kmem", "staff",
    ]
    /// Whose members read what is not theirs.
    private static let readers: Set<String> = ["adm", "systemd-journal", "video", "input", "kvm", "tape", "backup"]

    /// Those that the process has, and outside of a jail those that its user would have after the next login.
    private static func groups(_ gateway: GatewayView, _ picture: HostPicture, isJailed: Bool) -> HostFinding? {
        guard gateway.uid != 0 else { return nil }
        var names = gateway.gids.map(picture.groupName)
        if !isJailed, let account = picture.account(gateway.uid) {
            names += picture.groups.filter { $0.members.contains(account.name) }.map(\.name)
        }
        let seen = Set(names)
        let strong = seen.intersection(rootLike).sorted()
        let weak = seen.intersection(readers).sorted()
        guard let first = strong.first ?? weak.first else { return nil }
        let user = picture.userName(gateway.uid)
        return HostFinding(
            .privilegedGroup, strong.isEmpty ? .medium : .high, gateway.subject,
            seen: "its user \(user) is in \((strong + weak).joined(separator: ", "))",
            remedy: "sudo gpasswd -d \(user.quotedForShell) \(first.quotedForShell), and start it anew")
    }

    // MARK: Container engines

    private static func engineSockets(_ gateway: GatewayView, _ picture: HostPicture) -> HostFinding? {
        guard gateway.uid != 0 else { return nil }
        let isElsewhere = picture.confinement(of: gateway) != .nothing
        let reached =
            isElsewhere
            ? gateway.mountedSockets
            : picture.engineSockets.filter { reaches($0, gateway) }.map(\.canonical)
        guard let first = reached.first else { return nil }
        let remedy =
            isElsewhere
            ? "start the container without -v …\(first)"
            : "sudo chmod o-rw \(first.quotedForShell), and take its user out of the group"
        return HostFinding(
            .containerSocket, .critical, gateway.subject,
            seen: "it may connect to \(reached.map { "'\($0)'" }.joined(separator: ", "))", remedy: remedy)
    }

    /// Whether connect(2) would be let through: write on the socket, and search on all directories above.
    static func reaches(_ socket: Way, _ gateway: GatewayView) -> Bool {
        may(gateway, 2, socket.end) && socket.directories.allSatisfy { may(gateway, 1, $0) }
    }

    private static func may(_ gateway: GatewayView, _ bit: UInt32, _ view: FileView) -> Bool {
        let shift: UInt32 = view.uid == gateway.uid ? 6 : gateway.gids.contains(view.gid) ? 3 : 0
        return view.permissions >> shift & bit != 0
    }
}
