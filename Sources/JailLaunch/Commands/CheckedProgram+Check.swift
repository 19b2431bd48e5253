internal import AuditLog
internal import JailCore
internal import JailPlan

/// What must be so of commands that run in the jail that asks, before anything is made. Programs whose rules name their SHA-256
/// are read.
///
/// What is mounted is bound to the inode that was read here, so another file in its place is not shown. Whoever may write to that inode is
/// the host's administrator; package managers never do, they replace files.
extension LaunchPlan {
    func checkPrograms() throws(JailError) {
        if command.isNone, commands?.places.contains(.jail) == true {
            throw JailError(
                .plan,
                reason:
                    "commands that run in the jail itself are kept from its own command, and this jail has none: what is "
                    + "executed in it from outside has no rules",
                hint: "run them in jails of their own, with where: { profile: … }")
        }
        for program in commands?.checked ?? [] { try program.check() }
    }
}

extension CheckedProgram {
    private static let piece = 1 << 20

    fileprivate func check() throws(JailError) {
        let found = try attempt(.exec, path) { () throws(SystemError) in try digest(path) }
        guard identity == nil || identity == found.identity else {
            throw JailError(
                .exec, path: path, reason: "it was replaced while the jail was planned", hint: "start once more")
        }
        guard found.digest.description == self.digest else {
            throw JailError(
                .exec, path: path, reason: "its SHA-256 is \(found.digest), and commands names \(self.digest)",
                hint: "somebody has replaced it; if that was meant, name the new one")
        }
    }

    private func digest(_ path: String) throws(SystemError) -> (digest: AuditDigest, identity: FileIdentity) {
        let file = try System.open(path, [.readOnly, .nonBlocking, .noControllingTerminal, .noFollow])
        let status = try System.status(of: file.borrowed)
        guard status.kind == .regular else { throw SystemError(.check, .invalid) }
        var stream = AuditDigest.Stream()
        while true {
            let bytes = try System.read(file.borrowed, most: Self.piece)
            guard !bytes.isEmpty else { return (stream.finish(), status.identity) }
            stream.take(bytes)
        }
    }
}
