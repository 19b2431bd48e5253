import AuditLog
import JailCore
import JailPlan
import JailPolicy

/// Records of a way out written as a supervisor does, against the same bytes appended with as many calls and as often waited
/// for the disk; and how many are verified. For `scripts/bench`: one line of JSON for each measurement.
///
/// `audit-bench DIRECTORY RECORDS`
@main struct AuditBench {
    static func main() {
        do { try run(CommandLine.arguments) } catch {
            try? System.writeAll(.standardError, "audit-bench: \(error)\n")
            System.exitNow(1)
        }
    }

    private static func run(_ words: [String]) throws {
        guard words.count == 3, let count = Int(words[2]), count > 0 else {
            throw JailError(.usage, reason: "audit-bench DIRECTORY RECORDS")
        }
        // Alone, and as they come when a jail is busy: what has happened in one turn of the loop is written at once.
        for (sync, batch, share) in [
            (AuditRules.Synchronization.never, 1, 1), (.never, 16, 1), (.checkpoint, 1, 1), (.checkpoint, 16, 1),
            (.record, 1, 100),
        ] {
            let log = "\(words[1])/\(sync.rawValue)-\(batch)"
            try measure(sync, batch, records: max(1, count / share), in: log)
        }
    }

    private static func measure(
        _ sync: AuditRules.Synchronization, _ batch: Int, records: Int, in path: String
    ) throws {
        var rules = AuditRules()
        rules.sync = sync
        rules.journal = false
        let plan = AuditPlan(directory: path + "/log", rules: rules)
        let events = (0..<records).map(event)

        let trail = try AuditTrail(plan, jail: "bench")
        trail.begin()
        let chained = seconds {
            var index = 0
            while index < events.count {
                for event in events[index..<min(index + batch, events.count)] { trail.record(event) }
                trail.work()
                index += batch
            }
        }
        trail.close()
        if let shortage = trail.shortage { throw shortage }

        let directory = AuditDirectory(plan.directory)
        let files = try directory.segments().map { ($0, try directory.read($0)) }
        let plain = try append(files.map(\.1), sync, batch, to: path + "/plain")

        let formatted = try append(events, batch, to: path + "/formatted", sync)

        var isIntact = false
        let verified = seconds {
            var verifier = AuditVerifier()
            for (number, bytes) in files { verifier.take(segment: number, bytes) }
            isIntact = verifier.finish().findings.isEmpty
        }
        guard isIntact else { throw JailError(.audit, reason: "the log does not verify") }
        let result: JSON = [
            "sync": .string(sync.rawValue), "batch": .number(batch), "records": .number(records),
            "bytes": .number(files.reduce(0) { $0 + $1.1.count }), "chained": .number(Int(Double(records) / chained)),
            "plain": .number(Int(Double(records) / plain)), "formatted": .number(Int(Double(records) / formatted)),
            "verified": .number(Int(Double(records) / verified)),
        ]
        try System.writeAll(.standardOutput, result.text() + "\n")
    }

    /// The same lines, as they are.
    private static func append(
        _ files: [[UInt8]], _ sync: AuditRules.Synchronization, _ batch: Int, to path: String
    ) throws -> Double {
        let lines = files.flatMap { $0.split(separator: 0x0A).map { Array($0) + [0x0A] } }
        return try append(lines, batch, to: path, sync) { $0 }
    }

    /// The same records, as a log does that has neither chain nor signatures, and takes nothing out.
    private static func append(
        _ events: [JSON], _ batch: Int, to path: String, _ sync: AuditRules.Synchronization
    ) throws -> Double {
        var number = 0
        return try append(events, batch, to: path, sync) { event in
            guard case .object(let members) = event else { return [] }
            number += 1
            let time = AuditTime.now
            let head: [(String, JSON)] = [
                ("seq", .number(number)), ("time", .string(AuditTime.text(time.wall))),
                ("mono", .number(time.monotonic)),
            ]
            return Array((JSON.object(head + members).text() + "\n").utf8)
        }
    }

    private static func append<Line>(
        _ lines: [Line], _ batch: Int, to path: String, _ sync: AuditRules.Synchronization, _ bytes: (Line) -> [UInt8]
    ) throws -> Double {
        let file = try System.open(path, [.writeOnly, .create, .exclusive, .append], mode: 0o600)
        var failure: SystemError?
        let time = seconds {
            do throws(SystemError) {
                var index = 0
                while index < lines.count {
                    let end = min(index + batch, lines.count)
                    try System.writeAll(file.borrowed, lines[index..<end].reduce(into: []) { $0 += bytes($1) })
                    if sync == .record { try System.synchronizeData(file.borrowed) }
                    // As often as a checkpoint comes.
                    if sync == .checkpoint, end / 1000 > index / 1000 { try System.synchronizeData(file.borrowed) }
                    index = end
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return time
    }

    private static func seconds(_ work: () -> Void) -> Double {
        let before = System.monotonicNanoseconds()
        work()
        return Double(System.monotonicNanoseconds() - before) / 1e9
    }

    /// As the way out tells one.
    private static func event(_ number: Int) -> JSON {
        [
            "event": "network", "subject": "request", "verdict": "allowed", "time": .number(1_772_357_400_125 + number),
            "scheme": "https", "host": .string("api\(number % 50).example.org"), "method": "GET",
            "path": .string("/v1/repos/owner/name/issues/\(number)"), "rule": "network.allow[3]", "port": 443,
            "status": 200, "sent": .number(300 + number % 200), "received": .number(4096 + number % 5000),
        ]
    }
}
