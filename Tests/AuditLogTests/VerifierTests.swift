import AuditLog
import JailCore
import JailPolicy
import TestSupport
import Testing

@Suite struct VerifierTests {
    let log: MemoryLog

    init() throws { log = try MemoryLog(launches: 2, records: 6, every: 3) }

    private func kinds(_ change: (inout MemoryLog) throws -> Void) rethrows -> [AuditFinding.Kind] {
        var log = log
        try change(&log)
        return log.verify().kinds
    }

    @Test func `each kind of change is called by its name, at its place`() throws {
        #expect(kinds { $0.segments[0].lines.remove(at: 2) } == [.dropped])
        #expect(kinds { $0.segments[0].lines.insert($0.segments[0].lines[2], at: 3) } == [.duplicated])
        #expect(kinds { $0.segments[0].lines.swapAt(1, 2) }.contains(.reordered))
        #expect(kinds { $0.segments[0].lines[2] = Array("nonsense\n".utf8) } == [.malformed, .dropped])
        var changed = log
        changed.segments[0].lines[1] = Array(
            String(decoding: log.segments[0].lines[1], as: UTF8.self).replacing("h0", with: "h9").utf8)
        let finding = try #require(changed.verify().findings.first)
        #expect(finding.kind == .changed && finding.line == 3 && finding.sequence == 3)
        #expect(finding.description.hasPrefix("segment 1, line 3 (record 3): record 2 is not the one"))
    }

    @Test func `a file that is missing between others is`() {
        var content = MemoryLog.verify([])
        content = MemoryLog.verify([log.content[0], (5, log.content[1].bytes)])
        #expect(content.kinds.contains(.missingSegment))
    }

    @Test func `a chain that begins again is a restarted one`() throws {
        let other = try MemoryLog(launches: 1, records: 1, every: 9)
        let report = MemoryLog.verify([log.content[0], (2, Self.renumbered(other.content[0].bytes, 2))])
        #expect(report.kinds.contains(.restarted))
    }

    private static func renumbered(_ bytes: [UInt8], _ number: Int) -> [UInt8] {
        Array(
            String(decoding: bytes, as: UTF8.self).replacing("\"segment\":1", with: "\"segment\":\(number)")
                .replacing("launch0", with: "launch9").utf8)
    }

    @Test func `a checkpoint of another key is found, and so is a signature of something else`() throws {
        // Someone goes on with the chain, and signs with a key that nobody has named.
        var position = AuditPosition.start
        for line in log.segments[0].lines.dropLast() {
            position = AuditPosition(sequence: position.sequence + 1, digest: AuditDigest(of: line.dropLast()))
        }
        var chain = try AuditChain(after: position, launch: "launch0")
        let forged = try chain.checkpoint(isLast: true, at: MemoryLog.time)
        #expect(
            kinds { $0.segments = [(1, $0.segments[0].lines.dropLast() + [forged])] } == [
                .foreignKey, .unclosed, .unsigned,
            ])
        let text = String(decoding: log.segments[0].lines[4], as: UTF8.self)
        let last = text.dropLast(3).last == "0" ? "1" : "0"
        let bent = Array((text.dropLast(4) + last + text.suffix(3)).utf8)
        #expect(kinds { $0.segments[0].lines[4] = bent }.contains(.badSignature))
    }

    @Test func `nothing comes after the last checkpoint of a launch`() throws {
        let all = log.segments[0].lines
        var chain = try AuditChain(after: log.verify().last, launch: "x")
        let more = chain.append("network", [], at: MemoryLog.time)
        let report = MemoryLog.verify(log.content.dropLast() + [(2, log.content[1].bytes + more)])
        #expect(all.count > 2 && report.kinds == [.foreignKey])
    }

    @Test func `a torn tail and records that nobody has signed are told, and are no change`() throws {
        let cut = log.content[1].bytes.dropLast(300)
        let report = MemoryLog.verify([log.content[0], (2, Array(cut))])
        #expect(report.isIntact)
        #expect(report.kinds == [.torn, .unclosed])
        let unsigned = log.segments[1].lines.dropLast(2).flatMap { $0 }
        #expect(MemoryLog.verify([log.content[0], (2, unsigned)]).kinds == [.unclosed, .unsigned])
    }

    @Test func `a log whose oldest files are gone says where it begins`() {
        let report = MemoryLog.verify([log.content[1]], heads: [AuditPosition(sequence: 1, digest: .zero)])
        #expect(report.isIntact && report.kinds == [.beheaded])
    }

    @Test(arguments: ["", "\n", "\0\0\0", "{}\n", "{\"seq\":1}\n", "{\"seq\":18446744073709551616,\"time\":\"\"\n"])
    func `whatever stands in a file is no crash`(text: String) {
        #expect(!MemoryLog.verify([(1, Array(text.utf8))], heads: [AuditPosition(sequence: 1, digest: .zero)]).isIntact)
    }

    @Test func `random bytes are no crash, and no log`() {
        var random = Seeded(7)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 1..<400, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            var verifier = AuditVerifier()
            verifier.take(segment: 1, bytes + [0x0A])
            #expect(!verifier.finish().isIntact)
        }
    }
}
