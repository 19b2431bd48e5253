/// Redacts output that arrives in pieces, line by line: a secret may be cut in two by a read, and not by a line feed.
package struct LineRedactor: Sendable {
    /// Bytes of a line that are waited for; a longer one is redacted in parts of that size.
    private static let longest = 64 << 10

    private let redactor: Redactor
    private var held: [UInt8] = []
    /// Between the first and the last line of a private key.
    private var isInKey = false

    package init(_ redactor: Redactor) { self.redactor = redactor }

    /// Whether something is held back until its line ends.
    package var isHolding: Bool { !held.isEmpty }

    /// What may be written of what has arrived so far.
    package mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        held += bytes
        guard let end = held.lastIndex(of: 0x0A) else {
            guard held.count >= Self.longest else { return [] }
            return flush()
        }
        let lines = held[...end]
        let output = redact(lines)
        held.removeSubrange(...end)
        return output
    }

    /// The rest, as it is: nothing more comes, or somebody waits to see it.
    package mutating func flush() -> [UInt8] {
        defer { held = [] }
        return redact(held[...])
    }

    private mutating func redact(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.endIndex
            redact(line: bytes[start..<end], into: &output)
            start = end
        }
        return output
    }

    private mutating func redact(line: ArraySlice<UInt8>, into output: inout [UInt8]) {
        if isInKey {
            isInKey = !line.holds("-----END ")
            if !isInKey { output += line }
            return
        }
        if line.holds("-----BEGIN "), line.holds("PRIVATE KEY-----") {
            isInKey = !line.holds("-----END ")
            output += Array("-----BEGIN PRIVATE KEY-----\n\(Redactor.mark)\n".utf8)
            return
        }
        output += redactor.redact(Array(line)) ?? Array(line)
    }
}

extension ArraySlice<UInt8> {
    fileprivate func holds(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard count >= wanted.count, contains(0x2D) else { return false }
        return (startIndex...(endIndex - wanted.count)).contains { self[$0...].starts(with: wanted) }
    }
}
