internal import Glibc

/// The file of the name table could not be read or written.
package struct NameStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `pread` or `pwrite`.
    package let call: String
    /// 0: less was written than was asked for.
    package let errno: Int32

    package var description: String { "name table: \(call): error \(errno)" }
}

/// The name table's file: entries of a fixed size, each at its own place.
struct NameStore {
    let descriptor: Int32
    let capacity: Int

    /// All entries that are sound in themselves, and where they are. A file that ends early has fewer.
    func records() throws(NameStoreError) -> [(slot: Int, record: NameRecord)] {
        let bytes = try read()
        return (0..<bytes.count / NameRecord.size).compactMap { slot in
            NameRecord(bytes[slot * NameRecord.size..<(slot + 1) * NameRecord.size]).map { (slot, $0) }
        }
    }

    func write(_ record: NameRecord, at slot: Int) throws(NameStoreError) {
        let bytes = record.bytes
        let place = slot * NameRecord.size
        var result = -1
        repeat {
            result = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, place) }
        } while result < 0 && errno == EINTR
        guard result == bytes.count else { throw NameStoreError(call: "pwrite", errno: result < 0 ? errno : 0) }
    }

    private func read() throws(NameStoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: capacity * NameRecord.size)
        var filled = 0
        while filled < bytes.count {
            let result = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, filled)
            }
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw NameStoreError(call: "pread", errno: errno) }
            if result == 0 { break }
            filled += result
        }
        return Array(bytes.prefix(filled))
    }
}
