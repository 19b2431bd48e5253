package import JailCore

/// A jail's log on disk: files of records, numbered in the order of writing.
package struct AuditDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    static let suffix = ".jsonl"
    private static let digits = 8

    package func file(_ number: UInt64) -> String { "\(path)/\(Self.name(number))" }

    static func name(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text + suffix
    }

    /// The files' numbers, in order. Other names are nobody's business here.
    package func segments() throws(SystemError) -> [UInt64] {
        let directory = try System.open(path, [.readOnly, .directory, .noFollow])
        return try System.names(in: directory.borrowed).compactMap { Self.number($0.name) }.sorted()
    }

    private static func number(_ name: String) -> UInt64? {
        guard name.hasSuffix(suffix) else { return nil }
        let text = name.dropLast(suffix.utf8.count)
        guard let number = UInt64(text), self.name(number) == name else { return nil }
        return number
    }

    /// - Parameter limit: bytes; EFBIG beyond.
    package func read(_ number: UInt64, limit: Int = 1 << 30) throws(SystemError) -> [UInt8] {
        let file = try System.open(self.file(number), [.readOnly, .noFollow, .nonBlocking])
        guard try System.status(of: file.borrowed).kind == .regular else { throw SystemError(.check, .invalid) }
        return try System.readAll(file.borrowed, limit: limit)
    }

    /// What a launch finds when it begins.
    struct End: Equatable, Sendable {
        /// 0: there is no file yet.
        var segment: UInt64 = 0
        var position = AuditPosition.start
        /// Bytes after the last whole record; nil: there are none.
        var torn: (size: Int, digest: AuditDigest)?

        static func == (one: End, other: End) -> Bool {
            one.segment == other.segment && one.position == other.position && one.torn?.size == other.torn?.size
                && one.torn?.digest == other.torn?.digest
        }
    }

    /// Looks at the end of the last file. Nothing there is changed, whatever it is: the next file says what was found.
    func end() throws(SystemError) -> End {
        var end = End()
        let numbers = try segments()
        guard let last = numbers.last else { return end }
        end.segment = last
        // A writer that was killed right after it had made a file has left an empty one.
        for number in numbers.reversed() {
            let file = try System.open(self.file(number), [.readOnly, .noFollow, .nonBlocking])
            let status = try System.status(of: file.borrowed)
            guard status.kind == .regular else { throw SystemError(.check, .invalid) }
            let tail = try Self.tail(file.borrowed, size: status.size)
            let lines = tail.split(separator: 0x0A, omittingEmptySubsequences: false)
            if let rest = lines.last, !rest.isEmpty, end.torn == nil {
                end.torn = (rest.count, AuditDigest(of: rest))
            }
            if let line = lines.dropLast().reversed().lazy.compactMap({ AuditLine($0) }).first {
                end.position = AuditPosition(sequence: line.sequence, digest: line.digest)
                return end
            }
        }
        return end
    }

    /// As much of the end as has a whole record in it and what may stand torn behind it.
    private static func tail(_ file: Descriptor, size: UInt64) throws(SystemError) -> [UInt8] {
        var wanted = UInt64(2 * AuditChain.longestLine)
        while true {
            let start = size > wanted ? size - wanted : 0
            var bytes: [UInt8] = []
            while UInt64(bytes.count) < size - start {
                let piece = try System.read(file, at: start + UInt64(bytes.count), most: 1 << 16)
                if piece.isEmpty { break }
                bytes += piece
            }
            if start == 0 || bytes.contains(0x0A) { return bytes }
            wanted *= 4
        }
    }
}
