package import JailCore

/// A file of the host does not have the format that its name promises.
package struct MalformedFile: Error, Equatable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Little-endian numbers and names out of bytes that nobody vouches for: every access is checked.
package struct ByteReader {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package func number<Number: FixedWidthInteger & UnsignedInteger>(
        at offset: Int, as type: Number.Type = Number.self
    ) throws(MalformedFile) -> Number {
        let size = Number.bitWidth / 8
        guard offset >= 0, size <= bytes.count, offset <= bytes.count - size else {
            throw MalformedFile("it ends in the middle of a number at \(offset)")
        }
        var value: Number = 0
        for index in (0..<size).reversed() { value = value << 8 | Number(truncatingIfNeeded: bytes[offset + index]) }
        return value
    }

    /// The bytes from `offset` to the next NUL, which must come within `limit` bytes.
    package func name(at offset: Int, limit: Int = 4096) throws(MalformedFile) -> ArraySlice<UInt8> {
        guard offset >= 0, offset < bytes.count else { throw MalformedFile("a name lies outside of it, at \(offset)") }
        let window = bytes[offset...].prefix(limit)
        guard let end = window.firstIndex(of: 0) else { throw MalformedFile("a name at \(offset) has no end") }
        return window[..<end]
    }
}

/// Bytes that are read where they are needed: a program may have a hundred megabytes, of which a few hundred count.
package struct RandomAccess: ~Copyable {
    private let file: OwnedDescriptor

    package init(_ path: String) throws(SystemError) {
        file = try System.open(path, [.readOnly, .noControllingTerminal, .nonBlocking])
    }

    /// As the initialiser, for callers that take any trouble with a file as one.
    package static func opening(_ path: String) throws(MalformedFile) -> RandomAccess {
        do throws(SystemError) {
            return try RandomAccess(path)
        } catch {
            throw MalformedFile("it cannot be opened: \(error.errno)")
        }
    }

    /// Exactly `count` bytes at `offset`, or an error if the file does not reach that far. Callers bound `count`.
    package func read(at offset: UInt64, count: Int) throws(MalformedFile) -> ByteReader {
        let part = try readSome(at: offset, most: count)
        guard part.bytes.count == count else { throw MalformedFile("it ends before byte \(offset) + \(count)") }
        return part
    }

    /// Up to `most` bytes at `offset`.
    package func readSome(at offset: UInt64, most: Int) throws(MalformedFile) -> ByteReader {
        do throws(SystemError) {
            return ByteReader(try System.read(file.borrowed, at: offset, most: most))
        } catch {
            throw MalformedFile("it cannot be read: \(error.errno)")
        }
    }
}
