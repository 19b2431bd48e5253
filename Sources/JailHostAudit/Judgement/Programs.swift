internal import JailCore
internal import JailPlan

/// Programs that are within reach, and who may change them.
extension HostAudit {
    /// What Debian's packages bring with a set-user-ID or set-group-ID bit, by name.
    private static let usual: Set<String> = [
        "su", "sudo", "sudoedit", "mount", "umount", "passwd", "chsh", "chfn", "gpasswd", "newgrp", "sg", "pkexec",
        "fusermount", "fusermount3", "ssh-agent", "crontab", "chage", "expiry", "wall", "write", "bsd-write",
        "write.ul", "newuidmap", "newgidmap", "at", "atq", "atrm", "batch", "ping", "ping4", "ping6", "unix_chkpwd",
        "pam_extrausers_chkpwd", "dotlockfile", "mlocate", "plocate", "locate", "ntfs-3g", "pppd", "mount.nfs",
        "mount.nfs4", "mount.cifs", "exim", "exim4", "postdrop", "postqueue", "sendmail", "mailq", "newaliases",
        "procmail", "lockfile", "traceroute6.iputils", "screen", "Xorg", "snap-confine", "kismet_capture", "doas",
        "utempter", "mount.ecryptfs_private", "vmware-user-suid-wrapper", "pam_timestamp_check", "bwrap", "firejail",
    ]

    @Sendable static func helpers(_ picture: HostPicture) -> [HostFinding] {
        let unusual = picture.helpers.filter { !usual.contains($0.path.lastComponent) || $0.isWorldWritable }
        guard let first = unusual.first else { return [] }
        // No gateway could use it, and others can.
        let isBarred = !picture.gateways.isEmpty && picture.gateways.allSatisfy { $0.hasNoNewPrivileges == true }
        return [
            HostFinding(
                .unusualSetuid, isBarred ? .low : .medium, subject(unusual),
                seen: "mode \(first.modeText), of \(picture.userName(first.uid))",
                remedy: "sudo chmod ug-s \(shell(unusual)), unless you know what each is for")
        ]
    }

    @Sendable static func searchPath(_ picture: HostPicture) -> [HostFinding] {
        picture.searchPath.compactMap { directory in
            guard directory.name.hasPrefix("/") else {
                return HostFinding(
                    .writableSearchPath, .high, "PATH",
                    seen: "'\(directory.name)' in it depends on the working directory",
                    remedy: "write absolute directories into PATH")
            }
            guard let way = directory.way else { return nil }
            // Sticky or not: whoever may make a file there makes a program.
            let open =
                way.end.isWorldWritable ? way.end : (way.directories + [way.end]).first { isOpen($0, picture) }
            guard let open else { return nil }
            return HostFinding(
                .writableSearchPath, open.isWorldWritable ? .critical : .high, directory.name,
                seen: "\(open.path == directory.name ? "its" : "'\(open.path)' has") mode \(open.modeText)",
                remedy: "sudo chmod go-w \(open.path.quotedForShell)")
        }
    }

    @Sendable static func installation(_ picture: HostPicture) -> [HostFinding] {
        picture.gateways.flatMap { gateway -> [HostFinding] in
            var found: [HostFinding] = []
            let views = gateway.installation.flatMap { $0.directories + [$0.end] }
            if let open = views.first(where: { !$0.isLink && isOpen($0, picture) }) {
                found.append(
                    HostFinding(
                        .writableInstallation, open.isWorldWritable ? .critical : .high, open.path,
                        seen: "mode \(open.modeText), and \(gateway.subject) is executed from there",
                        remedy: "sudo chmod -R go-w \(open.path.quotedForShell)"))
            }
            let ends = gateway.installation.map(\.end)
            if gateway.uid != 0, !picture.confinement(of: gateway).isJail,
                let own = ends.first(where: { $0.uid == gateway.uid })
            {
                found.append(
                    HostFinding(
                        .ownInstallation, .medium, own.path,
                        seen: "it belongs to \(picture.userName(own.uid)), whom \(gateway.subject) runs as",
                        remedy: "sudo npm install -g openclaw, and no copy in the user's own directories"))
            }
            return found
        }
    }
}

extension String {
    var lastComponent: String { split(separator: "/").last.map(String.init) ?? self }
}
