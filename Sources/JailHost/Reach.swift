internal import JailCore
package import JailPlan

/// What the payload may reach on the host: init opens every source with the payload's ids, so what those cannot reach
/// cannot be shown, whoever started the launch.
package struct Reach {
    package struct Access: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The bits of one triple of a file's mode, see inode(7).
        package static let execute = Access(rawValue: 1)
        package static let write = Access(rawValue: 2)
        package static let read = Access(rawValue: 4)
    }

    package let payload: HostIdentity
    /// The payload has the caller's own ids, so that the kernel can simply be asked.
    package let isCaller: Bool

    package init(payload: HostIdentity, isCaller: Bool) {
        self.payload = payload
        self.isCaller = isCaller
    }

    /// Whether the payload may do this with a canonical path.
    package func allows(_ access: Access, _ path: String, in tree: inout HostTree) -> Bool {
        if isCaller { return System.mayAccess(path, Int32(access.rawValue)) }
        return obstacle(access, path, in: &tree) == nil
    }

    /// The first component of a canonical path that keeps the payload out.
    package func obstacle(_ access: Access, _ path: String, in tree: inout HostTree) -> String? {
        var current = "/"
        let components = Paths.components(path)
        for (index, component) in components.enumerated() {
            guard permits(.execute, current, in: &tree) else { return current }
            current = Paths.join(current, component)
            if index == components.count - 1 { break }
        }
        return permits(access, current, in: &tree) ? nil : current
    }

    /// Judged by mode bits. A file with an ACL may allow more than they say: the kernel will have the last word there.
    private func permits(_ access: Access, _ path: String, in tree: inout HostTree) -> Bool {
        if isCaller { return System.mayAccess(path, Int32(access.rawValue)) }
        guard let status = tree.status(path) else { return false }
        let shift: UInt32 = status.uid == payload.uid ? 6 : status.gid == payload.gid ? 3 : 0
        if access.isSubset(of: Access(rawValue: status.mode >> shift & 7)) { return true }
        return System.hasAttribute("system.posix_acl_access", path)
    }
}
