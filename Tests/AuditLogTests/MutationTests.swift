import AuditLog
import Foundation
import JailCore
import TestSupport
import Testing

/// What somebody may do to a log who can write its files, and what of it is found.
@Suite(.serialized) struct MutationTests {
    enum Mutation: CaseIterable {
        case change, drop, swap, duplicate, insert, truncate, dropEnd, dropLaunch, dropFile, rechain, resign

        /// Found by the log alone; the others contradict nothing but a head that was kept elsewhere.
        var isFoundAlone: Bool {
            switch self {
            case .change, .drop, .swap, .duplicate, .insert, .rechain, .dropFile: true
            // The end that was cut off is not there to say so; what was made anew as a whole is as good as the old.
            case .truncate, .dropEnd, .dropLaunch, .resign: false
            }
        }
    }

    static let log = Result { try MemoryLog(launches: 4, records: 7, every: 3) }

    @Test func `a log that nobody has changed is intact`() throws {
        let log = try Self.log.get()
        let report = log.verify(heads: [log.verify().last])
        #expect(report.findings.isEmpty)
        #expect(report.isIntact && report.launches == 4 && report.segments == 4 && report.headsConfirmed == 1)
        #expect(report.signed == report.records && report.anchored == report.records)
    }

    @Test(arguments: 0..<1000) func `every mutation contradicts a head, and nearly every one the log itself`(
        seed: UInt64
    )
        throws
    {
        let log = try Self.log.get()
        let head = log.verify().last
        var random = Seeded(seed)
        let mutation = Mutation.allCases[Int(seed) % Mutation.allCases.count]
        let changed = try Self.apply(mutation, to: log, &random)
        guard let changed else { return }
        #expect(!MemoryLog.verify(changed, heads: [head]).isIntact, "\(mutation)")
        let alone = MemoryLog.verify(changed)
        #expect(!alone.isIntact == mutation.isFoundAlone, "\(mutation): \(alone.findings)")
    }

    /// nil: it came to the same bytes.
    static func apply(
        _ mutation: Mutation, to log: MemoryLog, _ random: inout Seeded
    ) throws -> [(number: UInt64, bytes: [UInt8])]? {
        var log = log
        let segment = Int.random(in: 0..<log.segments.count, using: &random)
        // Not the last of all: that is what truncation does.
        let isLast = segment == log.segments.count - 1
        let count = log.segments[segment].lines.count
        let line = Int.random(in: 0..<(isLast ? count - 1 : count), using: &random)
        switch mutation {
        case .change:
            let place = Int.random(in: 0..<(log.segments[segment].lines[line].count - 1), using: &random)
            log.segments[segment].lines[line][place] ^= UInt8.random(in: 1...255, using: &random)
        case .drop: log.segments[segment].lines.remove(at: line)
        case .swap:
            let other = Int.random(in: 0..<count, using: &random)
            guard other != line else { return nil }
            log.segments[segment].lines.swapAt(line, other)
        case .duplicate: log.segments[segment].lines.insert(log.segments[segment].lines[line], at: line + 1)
        case .insert:
            var text = String(decoding: log.segments[segment].lines[line], as: UTF8.self)
            text.replace("\"event\":", with: "\"event\":\"x\",\"y\":")
            log.segments[segment].lines.insert(Array(text.utf8), at: line + 1)
        case .truncate:
            var content = log.content
            let last = content.count - 1
            content[last].bytes.removeLast(Int.random(in: 1..<content[last].bytes.count, using: &random))
            return content
        case .dropEnd:
            let last = log.segments.count - 1
            log.segments[last].lines.removeLast(Int.random(in: 1..<log.segments[last].lines.count, using: &random))
        case .dropLaunch: log.segments.removeLast()
        case .dropFile: log.segments.remove(at: Int.random(in: 1..<(log.segments.count - 1), using: &random))
        case .rechain: rechain(&log, segment, line)
        case .resign: log = try MemoryLog(launches: 4, records: 7, every: 3)
        }
        return log.content
    }

    /// Changes a record, and every digest after it: all that takes no key.
    static func rechain(_ log: inout MemoryLog, _ segment: Int, _ line: Int) {
        var text = String(decoding: log.segments[segment].lines[line], as: UTF8.self)
        text.replace("\"mono\":5", with: "\"mono\":6")
        log.segments[segment].lines[line] = Array(text.utf8)
        var previous: String?
        for (number, segment) in log.segments.enumerated() {
            for (index, line) in segment.lines.enumerated() {
                var text = String(decoding: line, as: UTF8.self)
                if let previous, let range = text.range(of: "\"prev\":\"") {
                    let end = text.index(range.upperBound, offsetBy: 64)
                    text.replaceSubrange(range.upperBound..<end, with: previous)
                }
                log.segments[number].lines[index] = Array(text.utf8)
                previous = AuditDigest(of: Array(text.utf8.dropLast())).description
            }
        }
    }
}
