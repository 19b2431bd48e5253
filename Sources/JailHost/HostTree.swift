package import JailCore
package import JailPlan

/// The host's file tree, with every name looked up at most once.
///
/// Symlinks are followed by hand, so that each of them can be made again inside the jail: `/bin/sh` needs `/bin` →
/// `usr/bin` and `/usr/bin/sh` → `dash` there, or the name that people know does not work.
package struct HostTree {
    private enum Node {
        case missing
        case symlink(String)
        case found(FileStatus)
        /// Nobody may look: which error the kernel gave.
        case refused(SystemError)
    }

    /// A path followed to its end.
    package struct Resolved {
        /// Canonical: no component is a symlink.
        package var path: String
        package var status: FileStatus
        /// The symlinks on the way, in order, each under its canonical path.
        package var symlinks: [VisibleSymlink]
    }

    /// As many symlinks in one path as the kernel follows (MAXSYMLINKS), see path_resolution(7).
    private static let mostSymlinks = 40

    private var nodes: [String: Node] = [:]

    package init() {}

    /// Follows an absolute path to its end; nil if it does not exist or the caller may not look at it. A loop is an error,
    /// and so is any other answer of the kernel: what cannot be followed must not pass for what is not there.
    package mutating func resolve(_ path: String) throws(JailError) -> Resolved? {
        var pending = Array(Paths.components(path).reversed())
        var current = "/"
        var symlinks: [VisibleSymlink] = []
        var status: FileStatus?
        while let name = pending.popLast() {
            if name == ".." {
                current = Paths.parent(current)
                status = nil
                continue
            }
            let next = Paths.join(current, name)
            switch look(at: next) {
            case .refused(let error) where error.errno != .accessDenied:
                throw JailError(.host, error, path: next)
            case .missing, .refused: return nil
            case .symlink(let target):
                symlinks.append(VisibleSymlink(path: next, target: target))
                guard symlinks.count <= Self.mostSymlinks else {
                    throw JailError(
                        .host, operation: "resolve", path: path, reason: "its symlinks lead in a circle",
                        hint: "remove '\(next.printable)', or name the real file")
                }
                if target.utf8.first == 0x2F { current = "/" }
                status = nil
                pending += Paths.components(target).reversed()
            case .found(let found):
                guard found.isDirectory || pending.isEmpty else { return nil }
                current = next
                status = found
            }
        }
        if let status { return Resolved(path: current, status: status, symlinks: symlinks) }
        guard case .found(let found) = look(at: current) else { return nil }
        return Resolved(path: current, status: found, symlinks: symlinks)
    }

    /// The canonical form of an absolute path of which the end may be missing: symlinks are followed as far as there
    /// is something, and what remains is what would be made there.
    package mutating func furthest(_ path: String) throws(JailError) -> String {
        var pending = Array(Paths.components(path).reversed())
        var current = "/"
        var followed = 0
        while let name = pending.popLast() {
            if name == ".." {
                current = Paths.parent(current)
                continue
            }
            let next = Paths.join(current, name)
            let node = look(at: next)
            if case .refused(let error) = node, error.errno != .accessDenied {
                throw JailError(.host, error, path: next)
            }
            guard case .symlink(let target) = node else {
                current = next
                continue
            }
            followed += 1
            guard followed <= Self.mostSymlinks else {
                throw JailError(.host, path: path, reason: "a loop of symlinks")
            }
            if target.utf8.first == 0x2F { current = "/" }
            pending += Paths.components(target).reversed()
        }
        return current
    }

    /// Whether anything is at a path. What may not be looked at cannot be shown either; any other error is one.
    package mutating func isThere(_ path: String) throws(JailError) -> Bool {
        switch look(at: path) {
        case .found, .symlink: return true
        case .missing: return false
        case .refused(let error):
            guard error.errno == .accessDenied else { throw JailError(.host, error, path: path) }
            return false
        }
    }

    /// What is at a path of which only the last component may be a symlink; nil if nothing is.
    package mutating func status(_ path: String) -> FileStatus? {
        guard case .found(let status) = look(at: path) else { return nil }
        return status
    }

    /// Why a path cannot be looked at, if the kernel refuses more than its existence.
    package mutating func refusal(_ path: String) -> SystemError? {
        guard case .refused(let error) = look(at: path) else { return nil }
        return error
    }

    private mutating func look(at path: String) -> Node {
        if let known = nodes[path] { return known }
        let node = Self.ask(path)
        nodes[path] = node
        return node
    }

    private static func ask(_ path: String) -> Node {
        do throws(SystemError) {
            let status = try System.status(path)
            return status.kind == .symlink ? .symlink(try System.readLink(path)) : .found(status)
        } catch {
            return error.errno == .notFound || error.errno == .notDirectory ? .missing : .refused(error)
        }
    }
}
