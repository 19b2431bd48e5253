package import JailCore

/// A root with nothing in it, for a process that needs no files.
package enum EmptyRoot {
    /// Makes an empty, read-only tmpfs the root of this mount namespace, and lets go of everything else.
    package static func enter() throws(SystemError) {
        let root = try System.makeFileSystem(
            "tmpfs", options: [("size", "4k"), ("nr_inodes", "2"), ("mode", "0555")],
            attributes: [.readOnly, .noSetuid, .noDevices, .noExec])
        let here = try System.open("/", [.pathOnly, .directory])
        try System.attach(root.borrowed, to: here.borrowed)
        try MountTree.enter(root.borrowed)
        let entered = try System.open("/", [.readOnly, .directory])
        guard try System.names(in: entered.borrowed, limit: 1).isEmpty else { throw SystemError(.check, .notPermitted) }
    }
}
