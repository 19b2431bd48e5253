import AuditLog
import Foundation
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

@Suite struct TrailTests {
    @Test func `what is recorded can be read, and verifies`() throws {
        let log = try DiskLog()
        let trail = try log.open()
        trail.record(["event": "network", "verdict": "denied", "time": 5, "prev": "mine"])
        trail.work()
        trail.close()
        #expect(trail.shortage == nil)
        let text = try log.text()
        // The chain's own keys are the chain's.
        #expect(
            text.contains(
                "\"event\":\"network\",\"verdict\":\"denied\",\"eventTime\":5,\"eventPrev\":\"mine\",\"prev\":\""))
        let report = try log.verify(heads: trail.takeHeads().map(\.position))
        #expect(report.findings.isEmpty && report.records == 3 && report.headsConfirmed == 1)
    }

    @Test func `each launch goes on where the one before ended`() throws {
        let log = try DiskLog()
        for _ in 0..<3 {
            let trail = try log.open()
            trail.record(["event": "x"])
            trail.close()
        }
        let report = try log.verify()
        #expect(report.findings.isEmpty && report.launches == 3 && report.records == 9 && report.segments == 3)
    }

    @Test func `a writer that was killed in the middle of a record has left a torn tail, which the next one names`()
        throws
    {
        let log = try DiskLog()
        let trail = try log.open()
        trail.record(["event": "x"])
        trail.work()
        let file = log.directory.file(1)
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        try (whole + Data("{\"seq\":3,\"ti".utf8)).write(to: URL(fileURLWithPath: file))
        let next = try log.open()
        next.close()
        let report = try log.verify()
        #expect(report.isIntact && report.kinds == [.torn, .unclosed, .unsigned], "\(report.findings)")
        // Somebody who tidies that up is found out.
        try whole.write(to: URL(fileURLWithPath: file))
        #expect(try log.verify().kinds.contains(.changed))
        try (whole + Data("{\"seq\":3,\"tx".utf8)).write(to: URL(fileURLWithPath: file))
        #expect(try log.verify().kinds.contains(.changed))
        try (whole + Data("{\"seq\":3,\"ti".utf8)).write(to: URL(fileURLWithPath: file))
        #expect(try log.verify().isIntact)
        withExtendedLifetime(trail) {}
    }

    @Test func `an empty file of a writer that came no further is no gap`() throws {
        let log = try DiskLog()
        try log.open().close()
        try Data().write(to: URL(fileURLWithPath: log.directory.file(2)))
        try log.open().close()
        let report = try log.verify()
        #expect(report.isIntact && report.launches == 2 && report.kinds == [.torn])
    }

    @Test func `a file that is full is followed by the next, with the same chain`() throws {
        let log = try DiskLog { $0.fileSize = 1 << 20 }
        let trail = try log.open()
        for number in 0..<14000 {
            trail.record([
                "event": "network", "host": .string("host\(number).example.org"), "path": "/a/path/of/some/length",
            ])
            trail.work()
        }
        trail.close()
        #expect(try log.directory.segments().count > 2)
        let report = try log.verify()
        #expect(report.findings.isEmpty && report.launches == 1 && report.checkpoints >= 9)
    }

    @Test func `two writers cannot have the same file`() throws {
        let log = try DiskLog()
        let one = try log.open()
        try Data().write(to: URL(fileURLWithPath: log.directory.file(2)), options: .withoutOverwriting)
        let other = try log.open()
        #expect(try log.directory.segments() == [1, 2, 3])
        one.close()
        other.close()
    }

    @Test func `a log that cannot be begun is an error that says where`() throws {
        let scratch = try TemporaryDirectory()
        let blocked = try scratch.file("audit")
        let error = failure { () throws(JailError) in
            _ = try AuditTrail(AuditPlan(directory: blocked + "/j"), jail: "j")
        }
        #expect(error?.description.hasPrefix("audit: ") == true && error?.status == ExitStatus.launchFailed)
        try FileManager.default.removeItem(atPath: blocked)
        try FileManager.default.createSymbolicLink(atPath: blocked, withDestinationPath: scratch.path)
        // A link in the place of the log's own directory is not followed.
        try scratch.directory("target")
        try FileManager.default.removeItem(atPath: blocked)
        try scratch.directory("audit")
        try FileManager.default.createSymbolicLink(
            atPath: blocked + "/j", withDestinationPath: scratch.path + "/target")
        #expect(
            failure { () throws(JailError) in _ = try AuditTrail(AuditPlan(directory: blocked + "/j"), jail: "j") }
                != nil)
    }

    @Test func `a long event is cut, and one record all the same`() throws {
        let log = try DiskLog()
        let trail = try log.open()
        let long = String(repeating: "x", count: 200_000)
        trail.record(["event": "launch", "command": .strings(Array(repeating: long, count: 40)), "last": "y"])
        trail.close()
        let line = try log.text().split(separator: "\n")[1]
        #expect(line.utf8.count < AuditChain.longestLine && line.contains("\"cut\":true"))
        #expect(try log.verify().findings.isEmpty)
    }

    @Test func `old files go, from the oldest on, and the chain's last one stays`() throws {
        let log = try DiskLog()
        for _ in 0..<3 { try log.open().close() }
        let later = System.realtimeMilliseconds() + 10 * 86_400_000
        #expect(try log.directory.removeOld(keep: 11 * 86_400_000, now: later) == 0)
        #expect(try log.directory.removeOld(keep: 9 * 86_400_000, now: later) == 2)
        #expect(try log.directory.segments() == [3])
        try log.open().close()
        #expect(try log.verify().kinds == [.beheaded])
    }

    @Test func `the room ahead that was not needed is given back`() throws {
        let log = try DiskLog()
        let trail = try log.open()
        let path = log.directory.file(1)
        trail.work()
        #expect(try System.status(path).blocks * 512 > 100_000)
        trail.close()
        #expect(try System.status(path).blocks * 512 <= 8192)
    }

    @Test(arguments: AuditRules.Synchronization.allCases)
    func `the disk is waited for beside the jail, and not before it`(sync: AuditRules.Synchronization) throws {
        let log = try DiskLog { $0.sync = sync }
        let trail = try log.open()
        let before = System.monotonicNanoseconds()
        trail.begin()
        // Only what is synchronized with checkpoints has something to come back for so soon.
        let soon = before + 5_000_000_000
        #expect(((trail.due ?? .max) < soon) == (sync == .checkpoint))
        usleep(1_100_000)
        trail.work()
        #expect((trail.due ?? .max) > soon && trail.shortage == nil)
        trail.close()
        #expect(trail.due == nil)
        #expect(try log.verify().findings.isEmpty)
    }

    @Test func `the key changes with each checkpoint, and none is written`() throws {
        let log = try DiskLog { $0.checkpoint = 1000 }
        let trail = try log.open()
        var keys: Set<String> = []
        for _ in 0..<4 {
            keys.insert(try #require(trail.publicKey))
            trail.record(["event": "x"])
            trail.renewKey()
            trail.work()
        }
        #expect(keys.count == 4)
        trail.close()
        #expect(trail.publicKey == nil)
        #expect(try log.verify().checkpoints == 5)
    }
}
