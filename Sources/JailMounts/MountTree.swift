package import JailCore
package import JailPlan

/// Builds the jail's file tree out of descriptors. No mount target is ever named by a path that something else could
/// change: sources are detached clones, targets are opened without symlinks, and move_mount(2) joins the two.
///
/// Used in order: ``cloneData()``, ``cloneSources()``, ``build()``, ``enter()``.
package struct MountTree {
    private let steps: [MountStep]
    /// Numbers of the detached clones, by index of their step; -1 where there is none (yet).
    private var clones: [Int32]
    /// The same for the layers of overlays.
    private var layers: [Int32]
    /// The step being carried out, for whoever reports an error.
    package private(set) var index = 0
    private var root: SharedDescriptor
    /// The sockets that were made, in the order of their steps.
    private var sockets: [(path: String, number: Int32)] = []
    /// Numbers of files in memory, by what they are for.
    private var trust: [TrustFile: Int32] = [:]
    /// What stands in canaries, by their index.
    private let canaries: [String]

    /// - Parameters:
    ///   - steps: of the plan.
    ///   - canaries: what stands in those of its canaries that are files, by their index.
    package init(_ steps: [MountStep], canaries: [String] = []) {
        self.steps = steps
        self.canaries = canaries
        clones = [Int32](repeating: -1, count: steps.count)
        layers = clones
        root = SharedDescriptor(OwnedDescriptor(-1))
    }

    // MARK: Sources

    /// Takes a detached mount, made by the supervisor, in the place of the data directory.
    package mutating func takeData(_ mount: Int32) {
        for step in steps.indices {
            if case .bind(let bind) = steps[step], bind.purpose == .data { clones[step] = mount }
        }
    }

    /// Takes the files in memory that steps of kind `trust` are copied from.
    package mutating func takeTrust(_ files: [TrustFile: Int32]) { trust = files }

    /// Clones the data directory, and what was granted, while init still has the ids of whoever started it: with root
    /// those lie below a directory that only root may pass.
    package mutating func cloneData() throws(SystemError) {
        try cloneBinds { $0.purpose == .data || $0.isGranted }
        for step in steps.indices {
            guard case .overlay(let overlay) = steps[step] else { continue }
            index = step
            layers[step] = try overlay.cloneLayer().release()
            if overlay.isGranted { clones[step] = try overlay.cloneSource().release() }
        }
    }

    /// Clones every other source, as the payload itself: what it may not reach, it does not get.
    package mutating func cloneSources() throws(SystemError) {
        try cloneBinds { _ in true }
        for step in steps.indices where clones[step] < 0 {
            guard case .overlay(let overlay) = steps[step] else { continue }
            index = step
            clones[step] = try overlay.cloneSource().release()
        }
    }

    private mutating func cloneBinds(where matches: (BindPlan) -> Bool) throws(SystemError) {
        for step in steps.indices {
            guard case .bind(let bind) = steps[step], matches(bind), clones[step] < 0 else { continue }
            index = step
            clones[step] = try Self.clone(bind).release()
        }
    }

    /// open_tree(2), the attributes, and a look at what was really cloned: a path that leads elsewhere than when the
    /// plan was made (a symlink put in its place, another file of that name) ends the launch.
    ///
    /// The clone is made private before it is attached: in its peer group it would receive what the host mounts there
    /// later, writable.
    private static func clone(_ bind: BindPlan) throws(SystemError) -> OwnedDescriptor {
        let tree = try System.cloneTree(bind.source, recursive: bind.isDirectory)
        let status = try System.status(of: tree.borrowed)
        guard status.identity == bind.identity, status.isDirectory == bind.isDirectory else {
            throw SystemError(.check, .stale)
        }
        try System.setAttributes(
            tree.borrowed, bind.attributes, makePrivate: true, recursive: bind.isDirectory)
        return tree
    }

    // MARK: Tree

    /// Attaches an empty tmpfs, and carries out the steps in it. The host's tree is still there below: the kernel makes
    /// a fresh /proc only where it can see a whole one.
    package mutating func build() throws(SystemError) {
        index = 0
        // Room for generated files and mount points only; it is read-only before anything runs.
        root = SharedDescriptor(
            try System.makeFileSystem(
                "tmpfs", options: [("size", "16m"), ("nr_inodes", "65536"), ("mode", "0755")],
                attributes: [.noSetuid, .noDevices]))
        let here = try System.open("/", [.pathOnly, .directory])
        try System.attach(root.borrowed, to: here.borrowed)
        for step in steps.indices {
            index = step
            try perform(steps[step], clone: clones[step], layer: layers[step])
        }
        for number in trust.values { System.close(number) }
        trust = [:]
    }

    private mutating func perform(_ step: MountStep, clone: Int32, layer: Int32) throws(SystemError) {
        switch step {
        case .directory(let path, let mode):
            try System.makeDirectory(relative(path), mode: mode, at: root.borrowed)
        case .file(let path, let content, let mode):
            try makeFile(path, content: Array(content.utf8), mode: mode)
        case .script(let path, let content):
            try makeFile(path, content: Array(content.utf8), mode: 0o555)
            try layOver(path, path, [.readOnly, .noSetuid, .noDevices])
        case .trust(let path, let file, let covers):
            guard let number = trust[file] else { throw SystemError(.check, .notFound) }
            let content = try System.readContent(Descriptor(number), limit: Self.trustLimit)
            if covers { try cover(path, content: content) } else { try makeFile(path, content: content, mode: 0o444) }
        case .symlink(let path, let target):
            try System.makeSymlink(relative(path), to: target, at: root.borrowed)
        case .bind(let bind):
            let tree = OwnedDescriptor(clone)
            try attach(tree.borrowed, at: bind.target, makeFile: bind.makesTarget)
        case .overlay(let overlay):
            let mount = try overlay.mount(OwnedDescriptor(clone), OwnedDescriptor(layer), in: root.borrowed)
            try attach(mount.borrowed, at: overlay.target)
        case .tmpfs(let tmpfs):
            let mount = try System.makeFileSystem(
                "tmpfs",
                options: [
                    ("size", "\(tmpfs.size)"), ("nr_inodes", "\(tmpfs.inodes)"),
                    ("mode", String(tmpfs.mode, radix: 8)),
                ], attributes: tmpfs.attributes)
            try attach(mount.borrowed, at: tmpfs.target)
        case .proc(let path):
            // Read-only as a whole: nothing that programs need is written there, and /proc/sys, sysrq-trigger, irq, bus
            // and fs need no covers of their own.
            let mount = try System.makeFileSystem(
                "proc", options: [("hidepid", "invisible")],
                attributes: [.readOnly, .noSetuid, .noDevices, .noExec])
            try attach(mount.borrowed, at: path)
        case .devpts(let path):
            let mount = try System.makeFileSystem(
                "devpts", options: [("newinstance", nil), ("ptmxmode", "0666"), ("mode", "0620"), ("max", "256")],
                attributes: [.noSetuid, .noExec])
            try attach(mount.borrowed, at: path)
        case .pin(let path): try pin(path)
        case .cover(let path, let content):
            try cover(path, content: Array(content.utf8))
        case .socket(let path): sockets.append((path, try makeSocket(path).release()))
        case .canary(let path, let index):
            guard canaries.indices.contains(index) else { throw SystemError(.check, .notFound) }
            try makeFile(path, content: Array(canaries[index].utf8), mode: 0o400)
        }
    }

    /// Connections that may wait at a socket. More wait in connect(2).
    private static let backlog: Int32 = 32

    /// bind(2) knows no directory to start from but the working one, which is nobody's yet.
    private func makeSocket(_ path: String) throws(SystemError) -> OwnedDescriptor {
        let socket = try System.makeUnixSocket(.sequencedPacket)
        try System.changeDirectory(root.borrowed)
        try System.bind(socket.borrowed, path: relative(path))
        try System.changeMode(relative(path), 0o666, at: root.borrowed)
        try System.listen(socket.borrowed, backlog: Self.backlog)
        try System.setNonBlocking(socket.borrowed)
        return socket
    }

    /// Gives the sockets away, whose other side is outside; the caller closes them.
    package mutating func takeSockets() -> [(path: String, number: Int32)] {
        defer { sockets = [] }
        return sockets
    }

    /// Bytes of one file of certificates.
    private static let trustLimit = 8 << 20

    /// A generated file laid over another. It is made in the new root, cloned, and its name taken away again.
    private func cover(_ path: String, content: [UInt8]) throws(SystemError) {
        let name = ".cover"
        try makeFile("/" + name, content: content, mode: 0o444)
        try layOver(path, "/" + name, [.readOnly, .noSetuid, .noDevices, .noExec])
        try System.unlink(name, at: root.borrowed)
    }

    /// A file of the new root, attached at a path with attributes of its own.
    private func layOver(_ path: String, _ source: String, _ attributes: MountAttributes) throws(SystemError) {
        let clone = try System.cloneTree(relative(source), at: root.borrowed, recursive: false)
        try System.setAttributes(clone.borrowed, attributes, makePrivate: true, recursive: false)
        try attach(clone.borrowed, at: path)
    }

    private func makeFile(_ path: String, content: [UInt8], mode: UInt32) throws(SystemError) {
        let file = try System.open(
            relative(path), [.writeOnly, .create, .exclusive, .noFollow], mode: mode, at: root.borrowed,
            resolve: [.inRoot, .noSymlinks, .noMagicLinks])
        try System.writeAll(file.borrowed, content)
    }

    /// The target is opened in the new root, never through a symlink: below a writable mount somebody else may be
    /// changing names at this very moment.
    private func attach(_ mount: Descriptor, at path: String, makeFile: Bool = false) throws(SystemError) {
        if makeFile {
            do { try self.makeFile(path, content: [], mode: 0o444) } catch  where error.errno == .exists {}
        }
        let target = try System.open(
            relative(path), .pathOnly, at: root.borrowed, resolve: [.inRoot, .noSymlinks, .noMagicLinks])
        try System.attach(mount, to: target.borrowed)
    }

    /// As the payload's user, and through no symlink: it may be changing names at this very moment.
    private func pin(_ path: String) throws(SystemError) {
        let conditions: ResolveFlags = [.inRoot, .noSymlinks, .noMagicLinks]
        let parent = SharedDescriptor(
            try System.open(relative(path.parentPath), [.pathOnly, .directory], at: root.borrowed, resolve: conditions))
        let name = path.remainder(below: path.parentPath)
        try withExtendedLifetime(parent) { () throws(SystemError) in
            do throws(SystemError) { try System.makeDirectory(name, mode: 0o755, at: parent.borrowed) } catch {
                guard error.errno == .exists else { throw error }
            }
            let directory = try System.open(
                name, [.pathOnly, .directory, .noFollow], at: parent.borrowed, resolve: conditions)
            let mount = try System.cloneTree(".", at: directory.borrowed, recursive: false)
            try System.attach(mount.borrowed, to: directory.borrowed)
        }
    }

    private func relative(_ path: String) -> String { String(path.dropFirst()) }

    // MARK: Entering

    /// Makes the tree the root, lets go of the host's, and closes the root for writing.
    package mutating func enter() throws(SystemError) {
        try Self.enter(root.borrowed)
        // Nothing is made in it any more, and init keeps nothing open that it has no use for.
        root = SharedDescriptor(OwnedDescriptor(-1))
    }

    /// The same with the root of any tree that is attached.
    static func enter(_ root: Descriptor) throws(SystemError) {
        try System.changeDirectory(root)
        try System.pivotRootHere()
        // The old root lies on top of the new one now; with it goes every path to the host.
        try System.detachHere()
        try System.changeDirectory("/")
        try System.setAttributes(
            root, [.readOnly, .noSetuid, .noDevices, .noExec], makePrivate: true, recursive: false)
    }

    /// Descriptors of the file systems in ``LaunchPlan/sizedFileSystems``, in that order, opened in the new root.
    package static func open(_ fileSystems: [SizedFileSystem]) throws(SystemError) -> [Int32] {
        var result: [Int32] = []
        for fileSystem in fileSystems {
            result.append(
                try System.open(fileSystem.path, [.pathOnly, .directory], resolve: [.noSymlinks]).release())
        }
        return result
    }
}
