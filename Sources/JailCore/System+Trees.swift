internal import CLinux
internal import Glibc

/// Names in a directory that is held open, by their bytes: whoever made them may have made any. None of these follows a
/// link or leaves the directory.
extension System {
    /// openat2(2) of a name; a symlink is an error, and so is another file system.
    package static func open(
        name: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0, at directory: Descriptor
    ) throws(SystemError) -> OwnedDescriptor {
        let flags = flags.rawValue | OpenFlags.noFollow.rawValue | UInt64(bitPattern: Int64(O_CLOEXEC))
        let resolve: ResolveFlags = [.beneath, .noSymlinks, .noMagicLinks, .noMountCrossing]
        return OwnedDescriptor(
            try check(
                .openat2, unsafe cl_openat2(directory.number, text(name), flags, UInt64(mode), resolve.rawValue)))
    }

    package static func makeDirectory(name: [UInt8], mode: UInt32, at directory: Descriptor) throws(SystemError) {
        try check(.mkdirat, unsafe cl_mkdirat(directory.number, try text(name), mode))
    }

    package static func makeSymlink(name: [UInt8], to target: [UInt8], at directory: Descriptor) throws(SystemError) {
        try check(.symlinkat, unsafe cl_symlinkat(target.terminated, directory.number, try text(name)))
    }

    package static func unlink(
        name: [UInt8], at directory: Descriptor, isDirectory: Bool = false
    ) throws(SystemError) {
        try check(.unlinkat, unsafe cl_unlinkat(directory.number, try text(name), isDirectory ? AT_REMOVEDIR : 0))
    }

    /// What a symlink says, at most 4096 bytes of it.
    package static func readLink(name: [UInt8], at directory: Descriptor) throws(SystemError) -> [UInt8] {
        let name = try text(name)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe cl_readlinkat(directory.number, name, buffer.baseAddress, buffer.count)
        }
        return Array(buffer.prefix(try check(.readlinkat, count)))
    }

    /// renameat2(2) from one directory into another, as one step.
    package static func rename(
        name: [UInt8], at directory: Descriptor, _ kind: RenameKind, _ target: [UInt8], at other: Descriptor
    ) throws(SystemError) {
        try check(
            .renameat2,
            unsafe cl_renameat2_between(
                directory.number, try text(name), other.number, try text(target), kind.rawValue))
    }

    package static func changeOwner(
        name: [UInt8], at directory: Descriptor, uid: UInt32, gid: UInt32
    ) throws(SystemError) {
        try check(
            .fchown, unsafe cl_fchownat(directory.number, try text(name), uid, gid, AT_SYMLINK_NOFOLLOW))
    }

    package static func changeMode(_ descriptor: Descriptor, _ mode: UInt32) throws(SystemError) {
        try check(.fchmod, cl_fchmod(descriptor.number, mode))
    }

    /// A name has neither a slash nor a zero in it, and is not the directory itself or the one above.
    private static func text(_ name: [UInt8]) throws(SystemError) -> [CChar] {
        guard !name.isEmpty, name != [0x2E], name != [0x2E, 0x2E], !name.contains(where: { $0 == 0 || $0 == 0x2F })
        else { throw SystemError(.check, .invalid) }
        return name.terminated
    }

    // MARK: Extended attributes

    /// The names of all that a file has. None, where the file system knows none.
    package static func attributeNames(of file: Descriptor) throws(SystemError) -> [String] {
        // The kernel's own limit.
        var buffer = [UInt8](repeating: 0, count: 65536)
        let raw = unsafe buffer.withUnsafeMutableBytes {
            unsafe cl_flistxattr(file.number, $0.baseAddress, $0.count)
        }
        if raw == -Int(EOPNOTSUPP) { return [] }
        let count = try check(.flistxattr, raw)
        return buffer.prefix(count).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// nil: there is no such attribute.
    package static func attribute(_ name: String, of file: Descriptor) throws(SystemError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let raw = unsafe buffer.withUnsafeMutableBytes {
            unsafe cl_fgetxattr(file.number, name, $0.baseAddress, $0.count)
        }
        if raw == -Int(ENODATA) || raw == -Int(EOPNOTSUPP) { return nil }
        return Array(buffer.prefix(try check(.fgetxattr, raw)))
    }

    package static func setAttribute(_ name: String, _ value: [UInt8], of file: Descriptor) throws(SystemError) {
        try check(
            .fsetxattr,
            unsafe value.withUnsafeBytes { unsafe cl_fsetxattr(file.number, name, $0.baseAddress, $0.count) })
    }

    /// One that is not there is no error.
    package static func removeAttribute(_ name: String, of file: Descriptor) throws(SystemError) {
        let raw = unsafe cl_fremovexattr(file.number, name)
        if raw == -ENODATA { return }
        try check(.fremovexattr, raw)
    }
}

extension [UInt8] {
    fileprivate var terminated: [CChar] { map { CChar(bitPattern: $0) } + [0] }
}
