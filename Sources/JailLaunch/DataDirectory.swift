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

    /// No tree that a program makes for itself is deeper.
    private static let deepest = 512

    /// Bytes that the files below really take, each name counted as 256 at least. Walks without following symlinks or
    /// leaving the file system; stops counting beyond `limit`.
    ///
    /// What cannot be counted counts as more than the limit, or a payload would hide data by `chmod 0`: a directory that
    /// cannot be opened, one that is nested too deeply, and more names than a file system of that size has inodes. What
    /// was deleted since it was listed takes nothing.
    static func size(of directory: Descriptor, limit: UInt64) throws(SystemError) -> UInt64 {
        let root = try System.status(of: directory)
        let mostEntries = max(16384, Int(clamping: limit / 4096))
        var total = root.blocks * 512
        var entries = 0
        var pending: [(path: [UInt8], depth: Int)] = [([], 0)]
        while let (path, depth) = pending.popLast() {
            do throws(SystemError) {
                let current = try System.openDirectory(path, below: directory)
                for entry in try System.entries(in: current.borrowed, limit: mostEntries) {
                    entries += 1
                    guard entries <= mostEntries else { return .max }
                    guard let status = try present(entry.name, at: current.borrowed) else { continue }
                    total += max(status.blocks * 512, 256)
                    guard status.isDirectory, status.identity.device == root.identity.device else { continue }
                    guard depth < deepest else { return .max }
                    pending.append((path.isEmpty ? entry.name : path + [0x2F] + entry.name, depth + 1))
                }
            } catch {
                if isGone(error) { continue }
                if isClosed(error) { return .max }
                throw error
            }
            if total > limit { return total }
        }
        return total
    }

    /// Nil if it was deleted since it was listed.
    private static func present(_ name: [UInt8], at directory: Descriptor) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try System.status(name, at: directory)
        } catch  where error.errno == .notFound {
            return nil
        }
    }

    /// Deleted, or something else is there by now: the next look sees what.
    private static func isGone(_ error: SystemError) -> Bool {
        [.notFound, .notDirectory, .symlinkLoop].contains(error.errno)
    }

    private static func isClosed(_ error: SystemError) -> Bool {
        [.accessDenied, .notPermitted, .tooManyFiles, .tooManyFilesInSystem].contains(error.errno)
    }
}
