package import JailCore

/// Which profile a file extends, and the same file extending another: comments and everything else stay as they are.
package enum ProfileExtends {
    /// - Returns: nil if it extends none.
    package static func name(in bytes: [UInt8], file: String) throws(JailError) -> String? {
        try value(in: bytes, file: file)?.text
    }

    /// - Throws: if it extends none, or says so in a way that is not replaced by rule: with an escape.
    package static func replacing(in bytes: [UInt8], file: String, with new: String) throws(JailError) -> [UInt8] {
        guard let value = try value(in: bytes, file: file), let old = value.text,
            let start = offset(of: value.position, in: bytes)
        else { throw JailError(.profile, path: file, reason: "it extends no profile") }
        let first = start + 1
        let end = first + old.utf8.count
        guard end < bytes.count, bytes[start] == UInt8(ascii: "\"") || bytes[start] == UInt8(ascii: "'"),
            bytes[end] == bytes[start], bytes[first..<end].elementsEqual(old.utf8)
        else {
            throw JailError(
                .profile, operation: value.position.description.printable,
                reason: "'extends' is written with an escape", hint: "write it as \"\(old.printable)\"")
        }
        let text = Array(bytes[..<first]) + Array(new.utf8) + Array(bytes[end...])
        guard try name(in: text, file: file) == new else {
            throw JailError(.profile, path: file, reason: "'extends' could not be replaced")
        }
        return text
    }

    private static func value(in bytes: [UInt8], file: String) throws(JailError) -> JSON5Value? {
        do throws(JSON5Error) { return try JSON5Reader.read(bytes, file: file)["extends"] } catch {
            throw JailError(.profile, operation: error.position.description.printable, reason: error.reason)
        }
    }

    /// As the reader counts: lines end at LF, CR or CRLF; a column is one character; a byte order mark is none.
    private static func offset(of position: SourcePosition, in bytes: [UInt8]) -> Int? {
        var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var line = 1
        while line < position.line {
            guard index < bytes.count else { return nil }
            let isReturn = bytes[index] == UInt8(ascii: "\r")
            if isReturn || bytes[index] == UInt8(ascii: "\n") { line += 1 }
            index += isReturn && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n") ? 2 : 1
        }
        for _ in 1..<position.column {
            guard index < bytes.count else { return nil }
            repeat { index += 1 } while index < bytes.count && bytes[index] & 0xC0 == 0x80
        }
        return index < bytes.count ? index : nil
    }
}
