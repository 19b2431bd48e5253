package import AuditLog
internal import JailCore

/// The end of a log that is being written: what has come since the last look.
package struct AuditFollow {
    private let log: AuditLogs.Log
    private var segment: UInt64
    private var offset: UInt64
    private var held: [UInt8] = []

    /// - Parameter fromEnd: what is there already is not told.
    package init(_ log: AuditLogs.Log, fromEnd: Bool) {
        self.log = log
        segment = 0
        offset = 0
        guard fromEnd, let last = try? log.directory.segments().last,
            let status = try? System.status(log.directory.file(last))
        else { return }
        segment = last
        offset = status.size
    }

    /// Whole records only.
    package mutating func news() -> [AuditEntry] {
        var entries: [AuditEntry] = []
        let numbers = ((try? log.directory.segments()) ?? []).filter { $0 >= segment }
        for number in numbers {
            if number != segment {
                segment = number
                offset = 0
                held = []
            }
            entries += readOn()
        }
        return entries
    }

    private mutating func readOn() -> [AuditEntry] {
        guard let file = try? System.open(log.directory.file(segment), [.readOnly, .noFollow, .nonBlocking]) else {
            return []
        }
        while let piece = try? System.read(file.borrowed, at: offset, most: 1 << 16), !piece.isEmpty {
            held += piece
            offset += UInt64(piece.count)
        }
        guard let end = held.lastIndex(of: 0x0A) else { return [] }
        let lines = held[...end].split(separator: 0x0A)
        let entries = lines.compactMap { line in AuditLine(line).flatMap { AuditEntry(jail: log.jail, $0) } }
        held.removeSubrange(...end)
        return entries
    }
}
