internal import CLinux

/// Files that are nothing but memory, see memfd_create(2): how large texts cross a socket.
extension System {
    /// A file in memory with this content, its offset at the start. `sealed`: nobody can change it any more, whoever
    /// holds it, see F_ADD_SEALS in fcntl(2).
    package static func makeMemoryFile(
        _ name: String, _ content: [UInt8], sealed: Bool = true
    ) throws(SystemError) -> OwnedDescriptor {
        let flags = MemoryFile.closeOnExec | MemoryFile.allowSealing
        var number = unsafe cl_memfd_create(name, flags | MemoryFile.noExecSeal)
        // Before Linux 6.3 there is no such flag. Nothing that is made here is ever executed in any case.
        if number == -Errno.invalid.rawValue { number = unsafe cl_memfd_create(name, flags) }
        let file = OwnedDescriptor(try check(.memfdCreate, number))
        try writeAll(file.borrowed, content)
        if sealed { try check(.fcntl, cl_fcntl(file.borrowed.number, MemoryFile.addSeals, MemoryFile.seals)) }
        return file
    }

    /// Whether nobody can change a file in memory any more. False for every other file.
    package static func isSealed(_ file: Descriptor) -> Bool {
        let seals = cl_fcntl(file.number, MemoryFile.getSeals, 0)
        return seals >= 0 && Int(seals) & MemoryFile.seals == MemoryFile.seals
    }

    /// Whether a regular file is one of memfd_create(2). By the name that the kernel gives it: a file on a tmpfs has seals
    /// as well.
    package static func isMemoryFile(_ file: Descriptor) throws(SystemError) -> Bool {
        try readLink("/proc/self/fd/\(file.number)").utf8.starts(with: "/memfd:".utf8)
    }

    /// The whole of a regular file or file in memory from its beginning, wherever its offset stands; more than `limit`
    /// bytes is an error (EFBIG).
    package static func readContent(_ file: Descriptor, limit: Int) throws(SystemError) -> [UInt8] {
        let size = try status(of: file).size
        guard size <= UInt64(limit) else { throw SystemError(.read, .tooLarge) }
        var content: [UInt8] = []
        while content.count < Int(size) {
            let part = try read(file, at: UInt64(content.count), most: Int(size) - content.count)
            if part.isEmpty { break }
            content += part
        }
        return content
    }
}

/// linux/memfd.h and linux/fcntl.h
private enum MemoryFile {
    static let closeOnExec: UInt32 = 0x1
    static let allowSealing: UInt32 = 0x2
    static let noExecSeal: UInt32 = 0x8
    static let addSeals: Int32 = 1033
    static let getSeals: Int32 = 1034
    /// F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE.
    static let seals = 0x1 | 0x2 | 0x4 | 0x8
}
