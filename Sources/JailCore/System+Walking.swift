internal import CLinux
internal import Glibc

/// What a directory holds, by the bytes of the names: a name need not be UTF-8, and what it names is there all the same.
package struct DirectoryEntry: Sendable {
    /// Without the zero at the end.
    package let name: [UInt8]
    /// What getdents64(2) says of its kind; DT_DIR is 4.
    package let kind: UInt8
}

extension System {
    /// As ``names(in:limit:)``; stops soon after `limit` entries.
    package static func entries(in directory: Descriptor, limit: Int = .max) throws(SystemError) -> [DirectoryEntry] {
        var result: [DirectoryEntry] = []
        var buffer = [UInt8](repeating: 0, count: 32768)
        while true {
            let raw = unsafe buffer.withUnsafeMutableBytes {
                unsafe cl_getdents(directory.number, $0.baseAddress, $0.count)
            }
            let count = try check(.getdents, raw)
            if count == 0 { return result }
            var offset = 0
            while offset < count {
                // struct linux_dirent64: inode 8, offset 8, record length 2, kind 1, name.
                let length = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
                let name = buffer[(offset + 19)..<(offset + length)].prefix { $0 != 0 }
                if name != [0x2E], name != [0x2E, 0x2E] {
                    result.append(DirectoryEntry(name: Array(name), kind: buffer[offset + 18]))
                }
                offset += length
            }
            if result.count > limit { return result }
        }
    }

    /// statx(2) of a name in a directory; a symlink is not followed.
    package static func status(_ name: [UInt8], at directory: Descriptor) throws(SystemError) -> FileStatus {
        let name = name.map { CChar(bitPattern: $0) } + [0]
        var raw = cl_stat()
        try check(.statx, unsafe cl_statx(directory.number, name, AT_SYMLINK_NOFOLLOW, &raw))
        return FileStatus(raw)
    }

    /// Opens the directory at a relative path below another one, through no symlink and into no other place. However
    /// long the path is: in steps, since one call takes 4095 bytes. Holds two descriptors at most.
    package static func openDirectory(_ path: [UInt8], below root: Descriptor) throws(SystemError) -> OwnedDescriptor {
        if path.isEmpty { return try open(".", [.readOnly, .directory], at: root) }
        var current = try open(".", [.pathOnly, .directory], at: root)
        var rest = path[...]
        while rest.count > longestStep, let slash = rest.prefix(longestStep).lastIndex(of: 0x2F) {
            let next = try openStep(rest[..<slash], [.pathOnly, .directory, .noFollow], at: current.borrowed)
            current = next
            rest = rest[(slash + 1)...]
        }
        return try openStep(rest, [.readOnly, .directory, .noFollow], at: current.borrowed)
    }

    private static let longestStep = 4000

    private static func openStep(
        _ path: ArraySlice<UInt8>, _ flags: OpenFlags, at directory: Descriptor
    ) throws(SystemError) -> OwnedDescriptor {
        let path = path.map { CChar(bitPattern: $0) } + [0]
        let flags = flags.rawValue | UInt64(bitPattern: Int64(O_CLOEXEC))
        let resolve: ResolveFlags = [.beneath, .noSymlinks]
        return OwnedDescriptor(
            try check(.openat2, unsafe cl_openat2(directory.number, path, flags, 0, resolve.rawValue)))
    }
}
