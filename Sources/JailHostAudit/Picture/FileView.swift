package import JailCore

/// What one name in the tree is; a symlink is not followed.
package struct FileView: Equatable, Sendable {
    /// Absolute, as the host has it.
    package var path: String
    package var kind: FileStatus.Kind
    /// The twelve bits of chmod(2).
    package var permissions: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var identity: FileIdentity
    /// Where a symlink leads.
    package var target: String?

    package init(
        path: String, kind: FileStatus.Kind, permissions: UInt32, uid: UInt32, gid: UInt32, identity: FileIdentity,
        target: String? = nil
    ) {
        self.path = path
        self.kind = kind
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.identity = identity
        self.target = target
    }

    init(_ path: String, _ status: FileStatus, target: String? = nil) {
        self.init(
            path: path, kind: status.kind, permissions: status.permissions, uid: status.uid, gid: status.gid,
            identity: status.identity, target: target)
    }

    var isLink: Bool { kind == .symlink }
    var isDirectory: Bool { kind == .directory }
    var isSticky: Bool { permissions & 0o1000 != 0 }
    var isGroupWritable: Bool { permissions & 0o020 != 0 }
    var isWorldWritable: Bool { permissions & 0o002 != 0 }
    /// As `ls` counts: `644`.
    var modeText: String { String(permissions, radix: 8) }
}

/// A path followed by hand: everything on the way to it.
package struct Way: Equatable, Sendable {
    /// What the path was, and what it leads to: no component of it is a symlink.
    package var named: String
    package var canonical: String
    /// The directories from `/` down, without the last component.
    package var directories: [FileView] = []
    /// The symlinks that were followed.
    package var links: [FileView] = []
    /// What is at the end.
    package var end: FileView

    package init(
        named: String, canonical: String, directories: [FileView] = [], links: [FileView] = [], end: FileView
    ) {
        self.named = named
        self.canonical = canonical
        self.directories = directories
        self.links = links
        self.end = end
    }
}
