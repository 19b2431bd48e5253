package import JailCore
package import JailPlan

/// A `/data` whose size the kernel enforces: an ext4 file system in a sparse file, on a loop device. Only root can mount
/// one, so the supervisor does, and hands the detached mount to init.
///
/// Its structures are written by this host's kernel alone: the payload sees files, never the image.
package enum DataImage {
    /// Makes the image if it is not there yet, and mounts it without attaching it anywhere.
    package static func mount(
        _ data: DataPlan, mkfs: String, owner: IdentityPlan, attributes: MountAttributes
    ) throws(JailError) -> OwnedDescriptor {
        let isNew = (try? System.status(data.source)) == nil
        if isNew {
            // Under another name first: a launch that dies half-way leaves no half-made image to be mounted.
            let draft = data.source + ".new"
            try make(draft, size: data.size, mkfs: mkfs, uid: owner.host.uid, gid: owner.host.gid)
            try attempt(.mounts, data.source) { () throws(SystemError) in
                try System.rename(draft, to: data.source)
            }
        }
        let mount = try mount(data.source, attributes)
        // mkfs makes it for a repair that would rather make a new image; it belongs to root and only puzzles. Later a
        // directory of that name is the payload's, and nothing that it makes may be in the way of its next start.
        if isNew { try? System.unlink("lost+found", at: mount.borrowed, isDirectory: true) }
        return mount
    }

    /// Mounts one that is there. It is locked from then on, as long as this process lives.
    package static func mount(
        _ path: String, _ attributes: MountAttributes
    ) throws(JailError) -> OwnedDescriptor {
        let image = try open(path)
        let mount = try attempt(.mounts, path) { () throws(SystemError) in
            let loop = try System.attachLoop(image.borrowed)
            return try System.makeFileSystem("ext4", options: [("source", loop.path)], attributes: attributes)
        }
        // The jail ends with this process.
        _ = image.release()
        return mount
    }

    /// Opens the image and locks it: mounted twice, two jails would write over each other's file system.
    private static func open(_ path: String) throws(JailError) -> OwnedDescriptor {
        let image = try attempt(.mounts, path) { () throws(SystemError) in
            let image = try System.open(path, [.readWrite, .noFollow])
            guard try System.status(of: image.borrowed).kind == .regular else { throw SystemError(.check, .invalid) }
            return image
        }
        let isOurs = try attempt(.mounts, path) { () throws(SystemError) in
            try System.tryLock(image.borrowed, .exclusive)
        }
        guard isOurs else {
            throw JailError(
                .mounts, path: path, reason: "a running jail has mounted it",
                hint: "'clawjail ps' shows what runs; stop it, or take another name")
        }
        return image
    }

    /// Makes an image with nothing in it, which belongs to that user; over a draft that somebody has left.
    package static func make(
        _ path: String, size: UInt64, mkfs: String, uid: UInt32, gid: UInt32
    ) throws(JailError) {
        let ended = try attempt(.mounts, path) { () throws(SystemError) in
            let file = try System.open(path, [.readWrite, .create, .truncate, .noFollow], mode: 0o600)
            try System.truncate(file.borrowed, to: size)
            let child = try System.spawn(
                mkfs,
                arguments: [
                    mkfs, "-q", "-F", "-m", "0", "-E", "root_owner=\(uid):\(gid),lazy_itable_init=1", path,
                ],
                environment: [], directory: "/", terminal: nil)
            return try System.wait(forChild: child)
        }
        guard ended == .exited(0) else {
            throw JailError(.mounts, operation: mkfs, path: path, reason: "it ended with status \(ended.status)")
        }
    }
}
