internal import JailCore
internal import JailPlan

/// An overlay is made in the jail's own user namespace, as the payload: what it may not write to, it cannot change in the
/// overlay either.
extension OverlayPlan {
    /// A detached copy of what lies below, read-only. A path that leads elsewhere than when the plan was made ends the
    /// launch.
    func cloneSource() throws(SystemError) -> OwnedDescriptor {
        let tree = try System.cloneTree(source, recursive: true)
        guard try System.status(of: tree.borrowed).identity == identity else { throw SystemError(.check, .stale) }
        try System.setAttributes(
            tree.borrowed, [.readOnly, .noSetuid, .noDevices, .noExec], makePrivate: true, recursive: true)
        return tree
    }

    /// A detached copy of the layer, while init has the ids that may pass clawjail's own directory.
    func cloneLayer() throws(SystemError) -> OwnedDescriptor {
        let tree = try System.cloneTree(layer, recursive: false)
        guard try System.status(of: tree.borrowed).identity == layerIdentity else { throw SystemError(.check, .stale) }
        try System.setAttributes(tree.borrowed, [.noSetuid, .noDevices], makePrivate: true, recursive: false)
        return tree
    }

    /// Joins the two, detached.
    ///
    /// The kernel takes directories of mounts that are attached somewhere, under a name: for a moment they are in the new
    /// root, where nobody is yet, and the names are those of descriptors.
    ///
    /// - Parameter root: of the jail, still writable.
    func mount(
        _ below: consuming OwnedDescriptor, _ layer: consuming OwnedDescriptor, in root: Descriptor
    ) throws(SystemError) -> OwnedDescriptor {
        try Self.attach(below.borrowed, at: Self.belowName, in: root)
        try Self.attach(layer.borrowed, at: Self.layerName, in: root)
        let upper = try System.open(Self.upper, [.pathOnly, .directory, .noFollow], at: layer.borrowed)
        let work = try System.open(Self.work, [.pathOnly, .directory, .noFollow], at: layer.borrowed)
        let mount = try System.makeFileSystem(
            "overlay",
            options: [
                ("source", "overlay"), ("lowerdir", Self.path(below.borrowed)), ("upperdir", Self.path(upper.borrowed)),
                ("workdir", Self.path(work.borrowed)),
                // In a user namespace nobody may set attributes that begin with "trusted".
                ("userxattr", nil),
            ], attributes: attributes)
        // The overlay has clones of its own. What is reached through these would be neither hidden nor kept apart.
        try Self.detach(below.borrowed, at: Self.belowName, in: root)
        try Self.detach(layer.borrowed, at: Self.layerName, in: root)
        return mount
    }

    private static let belowName = ".below"
    private static let layerName = ".layer"

    private static func path(_ descriptor: Descriptor) -> String { "/proc/self/fd/\(descriptor.number)" }

    private static func attach(_ tree: Descriptor, at name: String, in root: Descriptor) throws(SystemError) {
        try System.makeDirectory(name, mode: 0o700, at: root)
        let target = try System.open(name, [.pathOnly, .directory, .noFollow], at: root)
        try System.attach(tree, to: target.borrowed)
    }

    private static func detach(_ tree: Descriptor, at name: String, in root: Descriptor) throws(SystemError) {
        try System.changeDirectory(tree)
        try System.detachHere()
        try System.changeDirectory("/")
        try System.unlink(name, at: root, isDirectory: true)
    }
}
