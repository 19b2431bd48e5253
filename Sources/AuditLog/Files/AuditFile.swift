internal import JailCore

/// The file that is written to, with room ahead of it: what a launch still has to say when the disk is full is written
/// there.
struct AuditFile: ~Copyable {
    /// Bytes of room ahead, and those that are left when it asks for more.
    static let reserve: UInt64 = 128 << 10
    private static let low: UInt64 = 64 << 10

    private let file: OwnedDescriptor
    private(set) var size: UInt64 = 0
    private var reserved: UInt64 = 0
    /// The file system has no such thing as room ahead.
    private var hasNoReserve = false
    private var unsynchronized = false

    /// Makes it. ENOSPC where there is no room for a launch's first and last words.
    static func make(_ path: String) throws(SystemError) -> AuditFile {
        // Nobody else's: whoever has made one of this name is writing to it.
        var file = AuditFile(
            try System.open(path, [.writeOnly, .create, .exclusive, .append, .noFollow], mode: 0o600))
        do throws(SystemError) { try file.extend() } catch {
            try? System.unlink(path)
            throw error
        }
        return file
    }

    private init(_ file: consuming OwnedDescriptor) { self.file = file }

    /// Asks for room ahead where it would run out with so many bytes more.
    mutating func extend(for count: Int = 0) throws(SystemError) {
        let wanted = size + UInt64(count)
        guard !hasNoReserve, reserved < wanted + Self.low else { return }
        do throws(SystemError) {
            try System.reserve(file.borrowed, from: size, UInt64(count) + Self.reserve)
            reserved = wanted + Self.reserve
        } catch {
            guard error.errno == .notSupported else { throw error }
            hasNoReserve = true
        }
    }

    /// Bytes that can be written whatever becomes of the disk.
    var room: UInt64 { hasNoReserve ? .max : reserved > size ? reserved - size : 0 }

    /// - Returns: how many of the bytes stand in the file, also where it throws for the rest.
    mutating func write(_ bytes: [UInt8]) -> (written: Int, failure: SystemError?) {
        var written = 0
        while written < bytes.count {
            do throws(SystemError) {
                let count = try System.write(file.borrowed, bytes[written...])
                written += count
                size += UInt64(count)
                unsynchronized = true
            } catch { return (written, error) }
        }
        return (written, nil)
    }

    mutating func synchronize() throws(SystemError) {
        guard unsynchronized else { return }
        try System.synchronizeData(file.borrowed)
        unsynchronized = false
    }

    /// Gives back the room ahead that was not needed. To its own length: that, too, frees what lies beyond.
    borrowing func trim() { try? System.truncate(file.borrowed, to: size) }

    /// The kernel may write it out when it likes, beginning now.
    borrowing func release() { try? System.beginWriteback(file.borrowed) }
}
