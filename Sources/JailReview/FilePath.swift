package import JailCore

/// A path below the workspace, by its bytes: whoever made the names may have made any. Empty: the workspace itself.
package struct FilePath: Hashable, Sendable, Comparable {
    package let bytes: [UInt8]

    package static let root = FilePath(bytes: [])

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// As people write it: relative, or as it is inside.
    package init(argument: String) throws(JailError) {
        var text = Array(argument.utf8)
        for prefix in ["/workspace/", "./"] where text.starts(with: prefix.utf8) { text.removeFirst(prefix.utf8.count) }
        while text.last == Self.slash { text.removeLast() }
        let parts = text.split(separator: Self.slash, omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0.elementsEqual([0x2E]) || $0.elementsEqual([0x2E, 0x2E]) })
        else {
            throw JailError(
                .usage, reason: "'\(argument.printable)' is not a path below the workspace",
                hint: "write it as 'clawjail changes list' does")
        }
        bytes = text
    }

    private static let slash: UInt8 = 0x2F

    package var names: [[UInt8]] { bytes.split(separator: Self.slash).map { Array($0) } }
    package var name: [UInt8] { names.last ?? [] }

    package var parent: FilePath {
        guard let slash = bytes.lastIndex(of: Self.slash) else { return .root }
        return FilePath(bytes: Array(bytes[..<slash]))
    }

    package func appending(_ name: [UInt8]) -> FilePath {
        FilePath(bytes: bytes.isEmpty ? name : bytes + [Self.slash] + name)
    }

    /// Whether it is that path, or lies below it.
    package func isWithin(_ other: FilePath) -> Bool {
        if other.bytes.isEmpty || self == other { return true }
        return bytes.count > other.bytes.count && bytes[other.bytes.count] == Self.slash
            && bytes.starts(with: other.bytes)
    }

    /// For people: no name writes to a terminal.
    package var shown: String { String(decoding: bytes, as: UTF8.self).printable }

    package static func < (left: FilePath, right: FilePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    // MARK: In files

    /// Without space, line end or anything else that a file of lines would stumble over.
    var escaped: String {
        var text = ""
        for byte in bytes {
            if (0x21...0x7E).contains(byte), byte != 0x25 {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text.isEmpty ? "%" : text
    }

    /// nil: that is not what ``escaped`` says of any path.
    init?(escaped text: some StringProtocol) {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        if rest.elementsEqual([0x25]) { rest = [] }
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        self.init(bytes: bytes)
    }
}
