internal import JailCore
internal import JailPlan

/// The jail's file tree, as the steps of a plan make it: what lies where, and which mount shows it.
struct InsideTree {
    struct Mount {
        enum Content {
            /// Made by the launch or, where it is writable, by the jail's own programs.
            case own
            /// A path of the host's, with what lies below.
            case host(String)
            case proc
            case terminals
            /// One generated file.
            case file
        }
        var target: String
        var content: Content
        var attributes: MountAttributes
        /// nil: the jail's root.
        var step: MountStep?
    }

    enum Node: Equatable {
        case directory(mode: UInt32)
        case file(mode: UInt32)
        case symlink(String)
        case socket
    }

    private(set) var mounts = [
        Mount(target: "/", content: .own, attributes: [.readOnly, .noSetuid, .noDevices, .noExec])
    ]
    /// What the launch makes in each mount.
    private var nodes: [[String: Node]] = [["/": .directory(mode: 0o755)]]
    /// Directories of writable binds that the launch makes if they are missing.
    private var pins: Set<String> = []

    init(_ plan: LaunchPlan) {
        for step in plan.mounts { add(step, plan) }
    }

    private mutating func add(_ step: MountStep, _ plan: LaunchPlan) {
        let closed: MountAttributes = [.readOnly, .noSetuid, .noDevices, .noExec]
        switch step {
        case .directory(let path, let mode): make(.directory(mode: mode), path)
        case .file(let path, _, let mode): make(.file(mode: mode), path)
        case .trust(let path, _, let covers):
            if covers { mount(path, .file, closed, step) } else { make(.file(mode: 0o444), path) }
        case .symlink(let path, let target): make(.symlink(target), path)
        case .socket(let path): make(.socket, path)
        case .canary(let path, _): make(.file(mode: 0o400), path)
        case .bind(let bind):
            if bind.makesTarget { make(.file(mode: 0o444), bind.target) }
            var content = Mount.Content.host(bind.source)
            // What an image holds can only be seen when it is mounted.
            if bind.purpose == .data, case .image? = plan.data?.enforcement { content = .own }
            mount(bind.target, content, bind.attributes, step)
        // What was changed in the layer, nobody outside looks at.
        case .overlay(let overlay): mount(overlay.target, .host(overlay.source), overlay.attributes, step)
        case .tmpfs(let tmpfs):
            mount(tmpfs.target, .own, tmpfs.attributes, step)
            nodes[mounts.count - 1][tmpfs.target] = .directory(mode: tmpfs.mode)
        case .proc(let path): mount(path, .proc, closed, step)
        case .devpts(let path): mount(path, .terminals, [.noSetuid, .noExec], step)
        case .pin(let path): pins.insert(path)
        case .cover(let path, _): mount(path, .file, closed, step)
        case .script(let path, _): mount(path, .file, [.readOnly, .noSetuid, .noDevices], step)
        }
    }

    private mutating func mount(_ target: String, _ content: Mount.Content, _ flags: MountAttributes, _ step: MountStep)
    {
        mounts.append(Mount(target: target, content: content, attributes: flags, step: step))
        nodes.append([:])
        if case .own = content { nodes[mounts.count - 1][target] = .directory(mode: 0o755) }
    }

    private mutating func make(_ node: Node, _ path: String) {
        nodes[index(covering: path.parentPath)][path] = node
    }

    /// The mount that shows a path: the last one on it or above it. One that came later lies on top.
    func index(covering path: String) -> Int {
        mounts.lastIndex { path == $0.target || path.isBelow($0.target) } ?? 0
    }

    func mount(covering path: String) -> Mount { mounts[index(covering: path)] }

    /// What the launch has made at a canonical path in the mount that shows it.
    func made(_ path: String) -> Node? { nodes[index(covering: path)][path] }

    func isPinned(_ path: String) -> Bool { pins.contains(path) }

    /// The path of the host's that a canonical path inside shows; nil: what is there is the jail's own.
    func hostPath(_ path: String) -> String? {
        let mount = mount(covering: path)
        guard case .host(let source) = mount.content else { return nil }
        if path == mount.target { return source }
        return (source == "/" ? "" : source) + "/" + path.remainder(below: mount.target)
    }
}
