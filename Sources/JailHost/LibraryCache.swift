internal import JailCore

/// /etc/ld.so.cache: which file a library's name stands for, see ldconfig(8) and glibc's `dl-cache.h`.
///
/// Only the format that glibc has written since 2.2 (`glibc-ld.so.cache1.1`); anything else counts as no cache at all,
/// since the standard directories are searched after it.
package struct LibraryCache {
    private let reader: ByteReader
    private let count: Int

    private static let magic = Array("glibc-ld.so.cache1.1".utf8)
    private static let headerSize = 48
    private static let entrySize = 24
    /// A cache of 16 MiB would name more libraries than a distribution has.
    private static let mostBytes = 16 << 20

    /// Nil if the bytes are no cache, or claim more entries than they hold.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headerSize, bytes.starts(with: Self.magic) else { return nil }
        let reader = ByteReader(bytes)
        guard let count = try? reader.number(at: 20, as: UInt32.self),
            Int(count) <= (bytes.count - Self.headerSize) / Self.entrySize
        else { return nil }
        self.reader = reader
        self.count = Int(count)
    }

    package init?(path: String) {
        guard let file = try? System.open(path, [.readOnly, .noControllingTerminal, .nonBlocking]),
            let size = try? System.status(of: file.borrowed).size, size <= UInt64(Self.mostBytes),
            let bytes = try? System.read(file.borrowed, at: 0, most: Int(size))
        else { return nil }
        self.init(bytes)
    }

    /// The paths that the cache has for a library, those for this machine without special hardware only.
    package func paths(of library: String) -> [String] {
        let wanted = Array(library.utf8)
        var result: [String] = []
        for index in 0..<count {
            let entry = Self.headerSize + index * Self.entrySize
            guard isName(wanted, at: word(entry + 4)), word(entry) & 0xFFFF == Self.hostFlags,
                let value = try? reader.number(at: entry + 8, as: UInt32.self),
                let hardware = try? reader.number(at: entry + 16, as: UInt64.self), hardware == 0,
                let path = try? reader.name(at: Int(value)), path.first == 0x2F
            else { continue }
            result.append(String(decoding: path, as: UTF8.self))
        }
        return result
    }

    /// FLAG_ELF_LIBC6 with FLAG_X8664_LIB64 or FLAG_AARCH64_LIB64 of glibc's `ldconfig.h`.
    private static let hostFlags = ElfFile.Machine.host == .aarch64 ? 0x0A03 : 0x0303

    /// Compares in place: a cache has thousands of names, and hardly any is the one.
    private func isName(_ wanted: [UInt8], at offset: Int) -> Bool {
        let bytes = reader.bytes
        guard offset >= 0, offset < bytes.count, bytes.count - offset > wanted.count else { return false }
        // The end first: most names have another length.
        guard bytes[offset + wanted.count] == 0 else { return false }
        for index in wanted.indices where bytes[offset + index] != wanted[index] { return false }
        return true
    }

    /// A 32-bit number of the table of entries, whose size the initialiser has compared with the file's.
    private func word(_ offset: Int) -> Int {
        let bytes = reader.bytes
        return Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2]) << 16 | Int(bytes[offset + 3])
            << 24
    }
}
