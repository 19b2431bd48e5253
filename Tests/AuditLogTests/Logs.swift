import AuditLog
import Foundation
import JailCore
import JailPlan
import JailPolicy
import TestSupport

/// A log in memory: files as a jail's supervisor would have written them.
struct MemoryLog {
    var segments: [(number: UInt64, lines: [[UInt8]])] = []

    /// - Parameter launches: how many, of so many records each; a checkpoint every `every` of them.
    init(launches: Int, records: Int, every: Int) throws {
        var position = AuditPosition.start
        for launch in 0..<launches {
            var chain = try AuditChain(after: position, launch: "launch\(launch)")
            let number = UInt64(launch + 1)
            var members: [(String, JSON)] = [
                ("format", 1), ("jail", "j"), ("launch", .string("launch\(launch)")), ("segment", .number(number)),
                ("key", .optional(chain.publicKey)),
            ]
            if launch > 0 { members.append(("follows", ["record": .string(position.text)])) }
            var lines = [chain.append("segment", members, at: Self.time)]
            for record in 0..<records {
                lines.append(chain.append("network", [("host", .string("h\(record).example"))], at: Self.time))
                if record % every == every - 1 { lines.append(try chain.checkpoint(isLast: false, at: Self.time)) }
            }
            lines.append(try chain.checkpoint(isLast: true, at: Self.time))
            position = chain.position
            segments.append((number, lines))
        }
    }

    static let time = AuditTime(wall: 1_772_357_400_125, monotonic: 5)

    var content: [(number: UInt64, bytes: [UInt8])] { segments.map { ($0.number, $0.lines.flatMap { $0 }) } }

    func verify(heads: [AuditPosition] = []) -> AuditReport { Self.verify(content, heads: heads) }

    static func verify(_ content: [(number: UInt64, bytes: [UInt8])], heads: [AuditPosition] = []) -> AuditReport {
        var verifier = AuditVerifier()
        for (number, bytes) in content { verifier.take(segment: number, bytes) }
        return verifier.finish(heads: heads)
    }
}

/// A log on disk.
struct DiskLog {
    let scratch: TemporaryDirectory
    let plan: AuditPlan

    init(_ change: (inout AuditRules) -> Void = { _ in }) throws {
        scratch = try TemporaryDirectory()
        var rules = AuditRules()
        change(&rules)
        plan = AuditPlan(directory: scratch.path + "/audit/j", rules: rules)
    }

    func open() throws -> AuditTrail { try AuditTrail(plan, jail: "j") }

    var directory: AuditDirectory { AuditDirectory(plan.directory) }

    var content: [(number: UInt64, bytes: [UInt8])] {
        get throws { try directory.segments().map { ($0, try directory.read($0)) } }
    }

    func text() throws -> String { String(decoding: try content.flatMap(\.bytes), as: UTF8.self) }

    func verify(heads: [AuditPosition] = []) throws -> AuditReport { MemoryLog.verify(try content, heads: heads) }
}

extension AuditReport {
    var kinds: [AuditFinding.Kind] { findings.map(\.kind) }
}
