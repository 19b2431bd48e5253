internal import CLinux
internal import Glibc

/// Mount attributes, see mount_setattr(2).
package struct MountAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Not generic, as the one of the standard library is: that one costs every launch 0.1 ms of type metadata.
    package init(arrayLiteral elements: MountAttributes...) {
        var bits: UInt64 = 0
        for element in elements { bits |= element.rawValue }
        self.init(rawValue: bits)
    }

    package static let readOnly = MountAttributes(rawValue: 0x1)
    package static let noSetuid = MountAttributes(rawValue: 0x2)
    package static let noDevices = MountAttributes(rawValue: 0x4)
    package static let noExec = MountAttributes(rawValue: 0x8)
}

extension System {
    /// A detached copy of the mount (with `recursive`, of the whole tree) at `path`, see open_tree(2).
    package static func cloneTree(
        _ path: String, at directory: Descriptor = .workingDirectory, recursive: Bool
    ) throws(SystemError) -> OwnedDescriptor {
        var flags = UInt32(1 /* OPEN_TREE_CLONE */) | UInt32(O_CLOEXEC) | UInt32(AT_SYMLINK_NOFOLLOW)
        if path.isEmpty { flags |= UInt32(atEmptyPath) }
        if recursive { flags |= atRecursive }
        return OwnedDescriptor(try check(.openTree, unsafe cl_open_tree(directory.number, path, flags)))
    }

    /// Sets attributes on a mount (with `recursive`, on all below it) and cuts it off from its peer group.
    package static func setAttributes(
        _ mount: Descriptor, _ attributes: MountAttributes, makePrivate: Bool, recursive: Bool
    ) throws(SystemError) {
        let flags = UInt32(atEmptyPath) | (recursive ? atRecursive : 0)
        let propagation: UInt64 = makePrivate ? UInt64(1 << 18 /* MS_PRIVATE */) : 0
        try check(.mountSetattr, cl_mount_setattr(mount.number, flags, attributes.rawValue, 0, propagation))
    }

    /// Attaches a detached mount at an open target, see move_mount(2). Neither side is a path.
    package static func attach(_ mount: Descriptor, to target: Descriptor) throws(SystemError) {
        // MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
        try check(.moveMount, cl_move_mount(mount.number, target.number, 0x4 | 0x40))
    }

    /// A new, detached file system, see fsopen(2), fsconfig(2) and fsmount(2). An option without a value is a flag.
    package static func makeFileSystem(
        _ type: String, options: [(key: String, value: String?)], attributes: MountAttributes
    ) throws(SystemError) -> OwnedDescriptor {
        let context = OwnedDescriptor(try check(.fsopen, unsafe cl_fsopen(type)))
        for option in options {
            if let value = option.value {
                try check(.fsconfig, unsafe cl_fsconfig_string(context.borrowed.number, option.key, value))
            } else {
                try check(.fsconfig, unsafe cl_fsconfig_flag(context.borrowed.number, option.key))
            }
        }
        try check(.fsconfig, cl_fsconfig_create(context.borrowed.number))
        return OwnedDescriptor(
            try check(.fsmount, cl_fsmount(context.borrowed.number, UInt32(attributes.rawValue))))
    }

    /// Binds a free loop device to an open image, see loop(4). It goes when its last user goes.
    package static func attachLoop(_ image: Descriptor) throws(SystemError) -> LoopDevice {
        var number: Int32 = -1
        let descriptor = OwnedDescriptor(try check(.ioctl, unsafe cl_loop_attach(image.number, &number)))
        return LoopDevice(path: "/dev/loop\(number)", descriptor: descriptor)
    }

    /// pivot_root(".", "."): the working directory becomes the root, and the old root comes to lie on top of it.
    package static func pivotRootHere() throws(SystemError) {
        try check(.pivotRoot, unsafe cl_pivot_root(".", "."))
    }

    /// Takes away whatever is mounted on the working directory, at once and with everything below it.
    package static func detachHere() throws(SystemError) {
        try check(.umount2, unsafe cl_umount2(".", 2 /* MNT_DETACH */))
    }

    package static func setHostName(_ name: String) throws(SystemError) {
        try check(.sethostname, unsafe cl_sethostname(name, name.utf8.count))
        // The NIS name too: it would show the host's.
        try check(.setdomainname, unsafe cl_setdomainname("(none)", 6))
    }

    private static let atRecursive: UInt32 = 0x8000
}

/// A loop device that is held open.
package struct LoopDevice: ~Copyable {
    package let path: String
    package let descriptor: OwnedDescriptor
}
