import JailCore
import JailData
import JailMounts
import JailPlan

extension DataTarget {
    private static let mkfs = ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"]

    /// Puts a snapshot in the place of what is there. The jail does not run, and cannot be started meanwhile.
    func restore(_ snapshot: SnapshotManifest, from store: SnapshotStore) throws(JailError) -> SnapshotManifest? {
        let present = try open()
        let owner = try present.map { (tree) throws(JailError) in try DataOwner(of: tree.borrowed, path: place.path) }
        guard let owner = owner ?? Self.caller else {
            throw JailError(
                .data, path: place.path, reason: "it is not there, so that nobody knows whose it shall be",
                hint: "start the jail once, which makes it, and restore then", status: ExitStatus.notThere)
        }
        let replacement = try Replacement(place.path)
        return try store.restore(
            snapshot, to: replacement, try means(replacement, owner), of: owner, present: present, path: place.path)
    }

    private static var caller: DataOwner? {
        System.effectiveUserID == 0
            ? nil : DataOwner(uid: System.effectiveUserID, gid: System.effectiveGroupID)
    }

    private func means(_ replacement: Replacement, _ owner: DataOwner) throws(JailError) -> Replacement.Means {
        guard case .image(let image) = place else { return .directory(of: owner, in: replacement.directory) }
        guard let mkfs = Self.mkfs.first(where: { System.mayAccess($0, 1) }) else {
            throw JailError(
                .data, reason: "there is no mkfs.ext4", hint: "install e2fsprogs", status: ExitStatus.configuration)
        }
        let size = try attempt(.data, image) { () throws(SystemError) in try System.status(image).size }
        let directory = image.parentPath
        return Replacement.Means(
            make: { (name) throws(JailError) in
                let path = "\(directory)/\(name)"
                try DataImage.make(path, size: size, mkfs: mkfs, uid: owner.uid, gid: owner.gid)
                let tree = try DataTarget.mount(path)
                // It belongs to root, and is for a repair that would rather make a new image.
                try? System.unlink("lost+found", at: tree.borrowed, isDirectory: true)
                return tree
            },
            remove: { (name) throws(JailError) in
                try attempt(.data, "\(directory)/\(name)") { () throws(SystemError) in
                    try System.unlink(name, at: replacement.directory.borrowed)
                }
            })
    }
}
