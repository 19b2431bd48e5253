internal import JailCore
internal import JailMounts
internal import JailPlan

/// A jail's `/data` on the host.
enum DataDirectory {
    /// Makes a data directory of clawjail's own, and records in the plan which one it is.
    ///
    /// Only directories of the caller's (with root: of root's) are passed on the way, so that nobody can put a link in
    /// the way of it.
    static func prepare(_ plan: inout LaunchPlan) throws(JailError) {
        guard let data = plan.data, data.isOwn, data.enforcement == .watched else { return }
        let status = try attempt(.runtime, data.source) { () throws(SystemError) in
            try make(data.source, for: plan.identity)
        }
        guard status.isDirectory, status.uid == plan.identity.host.uid else {
            throw JailError(
                .runtime, path: data.source,
                reason: "it belongs to uid \(status.uid), and the jail runs as uid \(plan.identity.host.uid)",
                hint: "chown -R \(plan.identity.host.uid) '\(data.source)'")
        }
        guard status.permissions & 0o022 == 0 else {
            throw JailError(
                .runtime, path: data.source, reason: "others may write to it", hint: "chmod go-w '\(data.source)'")
        }
        record(status.identity, in: &plan)
    }

    /// The mount of a `/data` whose size is enforced; nil if it is only watched.
    static func mountImage(_ plan: LaunchPlan) throws(JailError) -> SharedDescriptor? {
        guard let data = plan.data, case .image(let mkfs) = data.enforcement else { return nil }
        try attempt(.runtime, data.source) { () throws(SystemError) in
            try PrivateDirectory.make(data.source.parentPath)
        }
        let attributes = plan.mounts.compactMap { step in
            if case .bind(let bind) = step, bind.purpose == .data { bind.attributes } else { nil }
        }
        return SharedDescriptor(
            try DataImage.mount(data, mkfs: mkfs, owner: plan.identity, attributes: attributes.first ?? []))
    }

    private static func make(_ path: String, for identity: IdentityPlan) throws(SystemError) -> FileStatus {
        try PrivateDirectory.make(path.parentPath)
        do {
            try System.makeDirectory(path, mode: 0o700)
            if identity.startedByRoot {
                try System.changeOwner(path, uid: identity.host.uid, gid: identity.host.gid)
            }
        } catch  where error.errno == .exists {}
        return try System.status(path)
    }

    private static func record(_ identity: FileIdentity, in plan: inout LaunchPlan) {
        for index in plan.mounts.indices {
            guard case .bind(var bind) = plan.mounts[index], bind.purpose == .data else { continue }
            bind.identity = identity
            plan.mounts[index] = .bind(bind)
        }
    }

    /// Bytes that the files below really take. Walks without following symlinks or leaving the file system; stops
    /// counting beyond `limit`.
    static func size(of directory: Descriptor, limit: UInt64) throws(SystemError) -> UInt64 {
        let device = try System.status(of: directory).identity.device
        var total: UInt64 = 0
        var pending = [SharedDescriptor(try System.open(".", [.readOnly, .directory], at: directory))]
        while let current = pending.popLast() {
            for entry in try System.names(in: current.borrowed) {
                guard let status = try? System.status(entry.name, at: current.borrowed) else { continue }
                total += status.blocks * 512
                guard status.isDirectory, status.identity.device == device else { continue }
                // Gone since it was listed, or not ours to read: what cannot be opened is not counted further.
                if let child = try? SharedDescriptor(
                    System.open(entry.name, [.readOnly, .directory, .noFollow], at: current.borrowed))
                {
                    pending.append(child)
                }
            }
            if total > limit { return total }
        }
        return total
    }
}
